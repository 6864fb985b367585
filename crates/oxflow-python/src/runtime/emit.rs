//! Collects what the steps of a run gave, in the form that the next stage wants.
#![allow(unsafe_code)]

use std::sync::Arc;

use oxflow_engine::batch::{Batch, ByteColumn, Changed, Payloads};
use oxflow_engine::fault::FaultKind;
use oxflow_engine::plan::Codec;
use oxflow_engine::run::{ForeignSpec, Form, Gathering, Outcome};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::Encoders;
use super::fault::Trouble;
use crate::json::Keys;
use crate::message::{Metadata, OwnMetadata};
use crate::objects::PyObjects;
use crate::{json, msgpack};

/// So many objects that can't be read say nothing of the others.
const FEW: usize = 8;

/// Adds what a plain value is in a codec; false for any other.
type Quickly = fn(&Bound<'_, PyAny>, &mut Vec<u8>, &mut Keys) -> bool;

/// Outputs of a run.
#[derive(Debug)]
pub(super) struct Emitted<'a> {
    how: How,
    /// Keys that were written.
    keys: &'a mut Keys,
    objects: Vec<Py<PyAny>>,
    gathering: Option<Gathering>,
    /// How many of the objects the module could not read.
    odd: usize,
    data: Vec<u8>,
    ends: Vec<usize>,
    parents: Vec<u32>,
    /// Metadata of the outputs that a function gave new metadata.
    changed: Vec<Changed>,
}

/// What becomes of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// The message that came through is selected from the batch; the value was only looked at.
    Select,
    /// It stays an object.
    Object,
    /// It is bytes.
    Bytes,
    /// JSON is made of it.
    Json,
    /// The module of the next run reads it; JSON is made of what it can't read so.
    Gather,
    /// Msgpack is made of it.
    MsgPack,
}

impl How {
    /// `serialises`: what the last step of the run makes, if it is a serializer.
    pub(super) fn of(spec: &ForeignSpec, serialises: Option<Codec>) -> Self {
        match spec.output {
            _ if spec.selects => Self::Select,
            Form::Objects => Self::Object,
            Form::Raw if serialises == Some(Codec::MsgPack) => Self::MsgPack,
            Form::Raw if serialises.is_none() => Self::Bytes,
            Form::Raw | Form::Json => Self::Json,
        }
    }
}

impl<'a> Emitted<'a> {
    pub(super) fn new(how: How, expected: usize, keys: &'a mut Keys) -> Self {
        let objects = Vec::with_capacity(if how == How::Object { expected } else { 0 });
        let parents = Vec::with_capacity(expected);
        let (data, ends, changed) = (Vec::new(), Vec::new(), Vec::new());
        Self { how, keys, objects, gathering: None, odd: 0, data, ends, parents, changed }
    }

    /// The outputs of a run whose payloads a module reads.
    pub(super) fn gathering(gathering: Gathering, expected: usize, keys: &'a mut Keys) -> Self {
        Self { gathering: Some(gathering), ..Self::new(How::Gather, expected, keys) }
    }

    /// What becomes of an output.
    pub(super) fn how(&self) -> How {
        self.how
    }

    /// Takes one output of message `parent`.
    pub(super) fn add(
        &mut self,
        py: Python<'_>,
        step: usize,
        encoders: &Encoders,
        value: Py<PyAny>,
        parent: u32,
        metadata: Option<Metadata>,
    ) -> Result<(), Trouble> {
        match self.how {
            How::Select => {}
            How::Object => self.objects.push(value),
            How::Json => self.add_encoded(py, step, json::encode_like, &encoders.json, &value)?,
            How::Gather => self.gather(py, step, encoders, &value)?,
            How::MsgPack => {
                let quickly: Quickly = |value, data, _| msgpack::encode(value, data);
                self.add_encoded(py, step, quickly, &encoders.msgpack, &value)?;
            }
            How::Bytes => match value.bind(py).cast::<PyBytes>() {
                Ok(bytes) => self.add_bytes(bytes.as_bytes()),
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

    /// True if many objects could not be read by the module.
    pub(super) fn gave_up(&self) -> bool {
        self.odd >= FEW && self.odd * 4 >= self.parents.len()
    }

    /// What the first message is, the others will be: if it can't be read by the module, JSON is made of all of them; and where
    /// many can't be, of those that are left, since each attempt costs.
    fn gather(&mut self, py: Python<'_>, step: usize, encoders: &Encoders, value: &Py<PyAny>) -> Result<(), Trouble> {
        let gave_up = self.gave_up();
        if let Some(gathering) = self.gathering.as_mut().filter(|_| !gave_up) {
            // SAFETY: the interpreter is held.
            if unsafe { gathering.add(value.as_ptr().cast()) } {
                return Ok(());
            }
            self.odd += 1;
        }
        self.add_encoded(py, step, json::encode_like, &encoders.json, value)?;
        match &mut self.gathering {
            Some(gathering) if !gathering.is_empty() => {
                gathering.add_bytes(&self.data);
                self.data.clear();
                self.ends.clear();
            }
            _ => (self.how, self.gathering) = (How::Json, None),
        }
        Ok(())
    }

    /// Plain values are written where they will lie; the package knows the others, and says what is wrong with a value.
    fn add_encoded(
        &mut self,
        py: Python<'_>,
        step: usize,
        quickly: Quickly,
        encode: &Py<PyAny>,
        value: &Py<PyAny>,
    ) -> Result<(), Trouble> {
        let start = self.data.len();
        // Bytes themselves pass through.
        if !value.bind(py).is_exact_instance_of::<PyBytes>() && quickly(value.bind(py), &mut self.data, self.keys) {
            self.ends.push(self.data.len());
        } else {
            self.data.truncate(start);
            self.add_bytes(encoded(py, step, encode, value)?.as_bytes(py));
        }
        Ok(())
    }

    fn add_bytes(&mut self, bytes: &[u8]) {
        self.data.extend_from_slice(bytes);
        self.ends.push(self.data.len());
    }

    /// The outputs of a batch, and what is still to be changed in their metadata.
    pub(super) fn finish(self, batch: &Batch) -> (Outcome, Vec<Changed>) {
        let payloads = match self.how {
            How::Select => batch.payloads().select(&self.parents),
            How::Object => Payloads::Objects(Box::new(PyObjects(self.objects))),
            How::Gather => self.gathering.map_or_else(|| Payloads::Bytes(ByteColumn::default()), Gathering::finish),
            How::Bytes | How::Json | How::MsgPack => Payloads::Bytes(ByteColumn::from_ends(self.data, self.ends)),
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
