//! Payloads of the engine as Python objects.
#![allow(unsafe_code)]

use oxflow_engine::batch::{Batch, Payloads};
use oxflow_engine::fault::FaultKind;
use oxflow_engine::run::{Form, Offers};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use super::fault::Trouble;
use crate::json::{JsonDecoder, Keys};
use crate::msgpack::MsgPackDecoder;
use crate::objects::PyObjects;

/// Makes objects of the payloads of a batch.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) step: usize,
    /// Makes objects of bytes; present where the step takes no bytes.
    pub(super) decode: Option<Decode>,
}

impl Reader {
    /// Payload `index`.
    pub(super) fn object(&mut self, py: Python<'_>, payloads: &Payloads, index: usize) -> Result<Py<PyAny>, Trouble> {
        let object = match (&mut self.decode, payloads) {
            (Some(decode), Payloads::Bytes(column)) => decode.bytes(py, column.get(index).unwrap_or_default()),
            (Some(decode), _) => object(py, payloads, index).and_then(|object| decode.object(object.bind(py))),
            (None, _) => object(py, payloads, index),
        };
        object.map_err(|error| Trouble::raised(py, self.step, FaultKind::Undecodable, &error))
    }

    /// Payload `index`, made by the module that has its row.
    pub(super) fn offered(&mut self, py: Python<'_>, offers: &mut Offers, index: usize) -> Result<Py<PyAny>, Trouble> {
        let raised = |error| Trouble::raised(py, self.step, FaultKind::Undecodable, &error);
        if let Some(Decode::Json { decoder, keys }) = &mut self.decode {
            // SAFETY: the interpreter is held, and the reference is ours.
            let made = unsafe { offers.object(index).map(|object| Bound::from_owned_ptr(py, object.as_ptr().cast())) };
            let object = match made {
                Some(object) => decoder.get().check(object),
                None => offers.bytes(index, |bytes| decoder.get().decode(py, bytes, keys)).map_err(Trouble::of)?,
            };
            return object.map(Bound::unbind).map_err(raised);
        }
        unreachable!("the plan offers rows to whom objects may be given")
    }
}

/// Makes objects of bytes.
#[derive(Debug)]
pub(super) enum Decode {
    /// By oxflow: no Python object is made of the bytes.
    Json { decoder: Py<JsonDecoder>, keys: Keys },
    /// The same, of msgpack.
    MsgPack { decoder: Py<MsgPackDecoder>, keys: Keys },
    /// By a function of Python.
    Function(Py<PyAny>),
}

impl Decode {
    /// The way to call a decoder.
    pub(super) fn by(decoder: &Bound<'_, PyAny>) -> Self {
        if let Ok(decoder) = decoder.cast::<JsonDecoder>() {
            return Self::Json { decoder: decoder.clone().unbind(), keys: Keys::default() };
        }
        match decoder.cast::<MsgPackDecoder>() {
            Ok(decoder) => Self::MsgPack { decoder: decoder.clone().unbind(), keys: Keys::default() },
            Err(_) => Self::Function(decoder.clone().unbind()),
        }
    }

    fn bytes(&mut self, py: Python<'_>, bytes: &[u8]) -> PyResult<Py<PyAny>> {
        match self {
            Self::Json { decoder, keys } => decoder.get().decode(py, bytes, keys).map(Bound::unbind),
            Self::MsgPack { decoder, keys } => decoder.get().decode(py, bytes, keys).map(Bound::unbind),
            Self::Function(function) => function.call1(py, (PyBytes::new(py, bytes),)),
        }
    }

    /// For bytes that are an object already.
    pub(super) fn object(&mut self, bytes: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        match self {
            Self::Json { decoder, .. } => decoder.bind(bytes.py()).call1((bytes,)).map(Bound::unbind),
            Self::MsgPack { decoder, .. } => decoder.bind(bytes.py()).call1((bytes,)).map(Bound::unbind),
            Self::Function(function) => function.call1(bytes.py(), (bytes,)),
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
        Payloads::Gathered(_) => unreachable!("what waits for one run goes to that run"),
    })
}
