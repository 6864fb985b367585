//! Collects what the steps of a run gave, in the form that the next stage wants.

use std::sync::Arc;

use oxflow_engine::batch::{Batch, ByteColumn, Changed, Payloads};
use oxflow_engine::fault::FaultKind;
use oxflow_engine::run::{ForeignSpec, Form, Outcome};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::fault::Trouble;
use crate::message::{Metadata, OwnMetadata};
use crate::objects::PyObjects;

/// Outputs of a run.
#[derive(Debug)]
pub(super) struct Emitted {
    form: Form,
    selects: bool,
    objects: Vec<Py<PyAny>>,
    data: Vec<u8>,
    ends: Vec<usize>,
    parents: Vec<u32>,
    /// Metadata of the outputs that a function gave new metadata.
    changed: Vec<Changed>,
}

impl Emitted {
    pub(super) fn new(spec: &ForeignSpec, expected: usize) -> Self {
        let (form, selects) = (spec.output, spec.selects);
        let objects = Vec::with_capacity(if form == Form::Objects { expected } else { 0 });
        let parents = Vec::with_capacity(expected);
        Self { form, selects, objects, data: Vec::new(), ends: Vec::new(), parents, changed: Vec::new() }
    }

    /// Takes one output of message `parent`.
    pub(super) fn add(
        &mut self,
        py: Python<'_>,
        step: usize,
        encode: &Py<PyAny>,
        value: Py<PyAny>,
        parent: u32,
        metadata: Option<Metadata>,
    ) -> Result<(), Trouble> {
        match self.form {
            // What came through is selected from the batch, so the value was only looked at.
            _ if self.selects => {}
            Form::Objects => self.objects.push(value),
            Form::Json => self.add_bytes(encoded(py, step, encode, &value)?.bind(py)),
            Form::Raw => match value.bind(py).cast::<PyBytes>() {
                Ok(bytes) => self.add_bytes(bytes),
                Err(_) => return Err(Trouble::wrong_value(step, value.bind(py), "the next step takes `bytes`")),
            },
        }
        if let Some(metadata) = metadata {
            let OwnMetadata { key, headers, timestamp_us, .. } = metadata.own();
            self.changed.push(Changed { output: self.parents.len(), key, headers, timestamp_us });
        }
        self.parents.push(parent);
        Ok(())
    }

    fn add_bytes(&mut self, bytes: &Bound<'_, PyBytes>) {
        self.data.extend_from_slice(bytes.as_bytes());
        self.ends.push(self.data.len());
    }

    /// The outputs of a batch, and what is still to be changed in their metadata.
    pub(super) fn finish(self, batch: &Batch) -> (Outcome, Vec<Changed>) {
        let payloads = match self.form {
            // The messages that came through, as they were.
            _ if self.selects => batch.payloads().select(&self.parents),
            Form::Objects => Payloads::Objects(Box::new(PyObjects(self.objects))),
            Form::Json | Form::Raw => Payloads::Bytes(ByteColumn::from_ends(self.data, self.ends)),
        };
        let batch = batch.derive(&self.parents, payloads);
        (Outcome { batch, parents: Some(self.parents), changed: false }, self.changed)
    }
}

/// The bytes that an object becomes.
pub(super) fn encoded(
    py: Python<'_>,
    step: usize,
    encode: &Py<PyAny>,
    value: &Py<PyAny>,
) -> Result<Py<PyBytes>, Trouble> {
    let raised = |error: PyErr| Trouble::raised(py, step, FaultKind::Unencodable, &error);
    let bytes = encode.bind(py).call1((value,)).map_err(raised)?;
    bytes.cast_into::<PyBytes>().map(Bound::unbind).map_err(|error| raised(error.into()))
}

/// The metadata of message `index` of a batch.
pub(super) fn metadata(batch: &Batch, index: usize) -> Metadata {
    let row = batch.rows().get(index).copied().unwrap_or_default();
    Metadata::Row { meta: Arc::clone(batch.meta()), row }
}
