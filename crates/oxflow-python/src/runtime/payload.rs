//! Payloads of the engine as Python objects.

use oxflow_engine::batch::{Batch, Payloads};
use oxflow_engine::fault::FaultKind;
use oxflow_engine::run::Form;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use super::fault::Trouble;
use crate::objects::PyObjects;

/// Makes objects of the payloads of a batch.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) step: usize,
    /// How the payloads lie.
    pub(super) form: Form,
    /// Makes objects of JSON; present where payloads arrive as JSON.
    pub(super) decode: Option<Py<PyAny>>,
}

impl Reader {
    /// Payload `index`.
    pub(super) fn object(&self, py: Python<'_>, payloads: &Payloads, index: usize) -> Result<Py<PyAny>, Trouble> {
        let object = object(py, payloads, index)
            .map_err(|error| Trouble::raised(py, self.step, FaultKind::Undecodable, &error))?;
        match &self.decode {
            Some(decode) if self.form == Form::Json => decode
                .call1(py, (object,))
                .map_err(|error| Trouble::raised(py, self.step, FaultKind::Undecodable, &error)),
            _ => Ok(object),
        }
    }
}

/// A batch in the form that [`Reader::object`] reads. It copies whole lists, so the interpreter must not be held.
pub(super) fn prepared(batch: Batch, form: Form) -> Batch {
    if form != Form::Json {
        return batch;
    }
    let (meta, rows, payloads) = batch.into_parts();
    Batch::from_parts(meta, rows, payloads.lists_to_json())
}

fn object(py: Python<'_>, payloads: &Payloads, index: usize) -> PyResult<Py<PyAny>> {
    Ok(match payloads {
        Payloads::Bytes(column) => PyBytes::new(py, column.get(index).unwrap_or_default()).into_any().unbind(),
        Payloads::Objects(objects) => {
            PyObjects::of(&**objects).get(index).map_or_else(|| py.None(), |object| object.clone_ref(py))
        }
        Payloads::Lists { items, ends } => {
            let range = Payloads::list_range(ends, index);
            let members: Vec<Py<PyAny>> =
                range.map(|member| object(py, items, member as usize)).collect::<PyResult<_>>()?;
            PyList::new(py, members)?.into_any().unbind()
        }
    })
}
