//! Functions of extensions, called from plain Python with one message.
//!
//! The payload is read as the Python object that it is, and the result is made as one, where the types of the function allow
//! it. Everything else goes by way of JSON: types that ask for it, raw bytes, and objects that only the Python package knows.
#![allow(unsafe_code)]

use std::sync::Arc;

use oxflow::abi::Kind;
use oxflow_engine::batch::Changed;
use oxflow_engine::diagnostic::Diagnostic;
use oxflow_engine::extension::Function;
use oxflow_engine::fault::{Fault, FaultKind};
use oxflow_engine::host::{self, Record};
use oxflow_engine::run::{OneCall, OneHeld, OneLoan, OneOutput, OneRow};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::errors::{ErrorKind, exception};
use crate::json::{self, JsonDecoder};
use crate::message::{Message, Metadata, OwnMetadata};
use crate::records::deliver;
use crate::telemetry;

/// What a call takes from Python.
struct Call<'a, 'py> {
    py: Python<'py>,
    function: &'a Function,
    message: &'a Message,
    encode: &'a Bound<'py, PyAny>,
    decode: &'a Bound<'py, PyAny>,
}

/// What rows may borrow from.
enum Input<'py> {
    Objects { _loan: OneLoan },
    Bytes(Bound<'py, PyBytes>),
    Json(Vec<u8>),
}

impl Input<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Objects { .. } => &[],
            Self::Bytes(bytes) => bytes.as_bytes(),
            Self::Json(json) => json,
        }
    }
}

/// Calls a function; gives the payload of a map, the answer of a filter, the list of a flat map.
pub(crate) fn call(
    py: Python<'_>,
    function: &Function,
    message: &Message,
    encode: &Bound<'_, PyAny>,
    decode: &Bound<'_, PyAny>,
) -> PyResult<Py<PyAny>> {
    Call { py, function, message, encode, decode }.run()
}

impl<'py> Call<'_, 'py> {
    fn run(&self) -> PyResult<Py<PyAny>> {
        let own = self.message.metadata.shared();
        let mut call = OneCall::new(self.function);
        // Declared before the rows, and so dropped after them: they may borrow from it.
        let input;
        let rows;
        (input, rows) = self.read(&mut call, &row(&own))?;
        let around = telemetry::export(self.py);
        // A function may wait for what another thread of Python does, so the interpreter is not held.
        let (rows, records) = self.py.detach(|| host::directly(around, |_| call.apply(rows)));
        deliver(self.py, &records)?;
        self.raise_for(&mut call)?;
        let outputs = self.write(&mut call, rows)?;
        drop(input);
        self.results(outputs, &own)
    }

    fn read(&self, call: &mut OneCall<'_>, row: &OneRow<'_>) -> PyResult<(Input<'py>, OneHeld)> {
        let payload = self.message.payload.bind(self.py);
        // SAFETY: the message holds the payload, the interpreter is held, and `run` keeps the loan longer than the rows.
        if let Some((rows, loan)) = unsafe { call.read(row, payload.as_ptr().cast()) } {
            if let Some(fault) = call.fault() {
                drop(rows);
                // Where the payload has no JSON, that is what is wrong with it.
                self.encode.call1((payload,))?;
                return Err(self.raise(&fault));
            }
            return Ok((Input::Objects { _loan: loan }, rows));
        }
        let input = self.text(payload)?;
        // SAFETY: `run` keeps the bytes longer than the rows.
        let rows = unsafe { call.decode(row, input.bytes()) };
        self.raise_for(call)?;
        Ok((input, rows))
    }

    /// The payload as bytes.
    fn text(&self, payload: &Bound<'py, PyAny>) -> PyResult<Input<'py>> {
        if let Ok(bytes) = payload.cast_exact::<PyBytes>() {
            return Ok(Input::Bytes(bytes.clone()));
        }
        let mut json = Vec::with_capacity(256);
        if json::encode(payload, &mut json) {
            return Ok(Input::Json(json));
        }
        Ok(Input::Bytes(self.encode.call1((payload,))?.cast_into()?))
    }

    fn write(&self, call: &mut OneCall<'_>, rows: OneHeld) -> PyResult<Vec<OneOutput<Py<PyAny>>>> {
        let py = self.py;
        // SAFETY: the interpreter is held, and what is lent are objects of it.
        let taken = |object: *mut oxflow::abi::Object| unsafe { Bound::from_borrowed_ptr(py, object.cast()) };
        // SAFETY: the interpreter is held.
        if let Some(outputs) = unsafe { call.write(&rows, taken) } {
            return outputs.into_iter().map(|output| output.try_map(|object| self.finished(object))).collect();
        }
        let outputs = call.encode(rows, |bytes| self.decoded(bytes));
        self.raise_for(call)?;
        outputs.into_iter().map(|output| output.try_map(|object| object)).collect()
    }

    /// An object that was made without text, as Python's type of it has it. What serde writes is of the shape that the Rust type
    /// has, so it isn't looked at again.
    fn finished(&self, object: Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        match self.decode.cast_exact::<JsonDecoder>() {
            Ok(decoder) => decoder.get().finish(object).map(Bound::unbind),
            Err(_) => Ok(object.unbind()),
        }
    }

    fn decoded(&self, bytes: &[u8]) -> PyResult<Py<PyAny>> {
        match self.decode.cast_exact::<JsonDecoder>() {
            Ok(decoder) => decoder.get().read(self.py, bytes).map(Bound::unbind),
            Err(_) => self.decode.call1((PyBytes::new(self.py, bytes),)).map(Bound::unbind),
        }
    }

    fn raise_for(&self, call: &mut OneCall<'_>) -> PyResult<()> {
        call.fault().map_or(Ok(()), |fault| Err(self.raise(&fault)))
    }

    fn raise(&self, fault: &Fault) -> PyErr {
        failed(self.py, self.function, fault)
    }

    fn results(&self, outputs: Vec<OneOutput<Py<PyAny>>>, own: &OwnMetadata) -> PyResult<Py<PyAny>> {
        // Most functions give one output and change nothing beside it.
        if self.function.kind() != Some(Kind::FlatMap) && outputs.iter().all(|output| output.changed.is_none()) {
            return Ok(outputs.into_iter().next().map_or_else(|| self.py.None(), |output| output.payload));
        }
        let changed = outputs.iter().any(|output| output.changed.is_some());
        // Messages, where the function changed more than payloads.
        let result = |OneOutput { payload, changed: change }| {
            if !changed {
                return Ok(payload);
            }
            let metadata = self.metadata(change, own);
            Ok(Py::new(self.py, Message { payload, metadata })?.into_any())
        };
        let mut results = outputs.into_iter().map(result);
        if self.function.kind() == Some(Kind::FlatMap) {
            let all = results.collect::<PyResult<Vec<_>>>()?;
            return Ok(PyList::new(self.py, all)?.into_any().unbind());
        }
        results.next().unwrap_or_else(|| Ok(self.py.None()))
    }

    fn metadata(&self, change: Option<Changed>, own: &OwnMetadata) -> Metadata {
        let Some(Changed { key, headers, timestamp_us, .. }) = change else { return self.message.metadata.clone() };
        // A message without a time has the time 0 in Rust.
        let timestamp_us = timestamp_us.filter(|time| *time != 0 || own.timestamp_us.is_some());
        Metadata::Own(Arc::new(OwnMetadata {
            key,
            headers,
            timestamp_us,
            origin: own.origin.clone(),
            is_tombstone: own.is_tombstone,
        }))
    }
}

/// Calls a function of raw bytes without the interpreter; `take` is given its output, if it has one.
pub(crate) fn of_bytes(
    function: &Function,
    payload: &[u8],
    mut take: impl FnMut(&[u8]),
) -> (Result<(), Fault>, Vec<Record>) {
    let mut call = OneCall::new(function);
    // SAFETY: the payload outlives the call and its rows.
    let rows = unsafe { call.decode(&OneRow::default(), payload) };
    if let Some(fault) = call.fault() {
        return (Err(fault), Vec::new());
    }
    let (rows, records) = host::directly(None, |_| call.apply(rows));
    let outcome = call.fault().map_or(Ok(()), Err);
    if outcome.is_ok() {
        call.encode(rows, &mut take);
    }
    (outcome, records)
}

/// What a function failed with, outside of any pipeline: there is neither a step nor a policy to name.
pub(crate) fn failed(py: Python<'_>, function: &Function, fault: &Fault) -> PyErr {
    let kind = if fault.kind == FaultKind::Panicked { ErrorKind::Panic } else { ErrorKind::Step };
    let message = format!("`{}` {}", function.name(), fault.kind.verb());
    exception(py, kind, &[Diagnostic::new(fault.kind.code(), message).because(fault.summary())])
}

fn row(own: &OwnMetadata) -> OneRow<'_> {
    let (stream, partition, offset) = match &own.origin {
        Some(origin) => (origin.stream.as_str(), origin.partition, origin.offset),
        None => ("", 0, 0),
    };
    let timestamp_us = own.timestamp_us.unwrap_or_default();
    OneRow { stream, partition, offset, timestamp_us, key: own.key.as_deref(), headers: &own.headers }
}
