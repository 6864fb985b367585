//! Python objects as msgpack, for payloads of dictionaries, lists and scalars.
//!
//! As with JSON, what Python code may return beside these is left to the package, which also finds out what is wrong with a
//! value.

use oxflow::codec::msgpack::put;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use crate::json::exactly;
use crate::walk;

/// Values in values that are written here; what is deeper, or contains itself, is left to the package.
const DEPTH: usize = 100;

/// Writes msgpack; false, with some of it written, if a value is none of those that are known here.
pub(crate) fn encode(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> bool {
    write(value, out, DEPTH).is_some()
}

fn write(value: &Bound<'_, PyAny>, out: &mut Vec<u8>, depth: usize) -> Option<()> {
    if let Some(text) = exactly::<PyString>(value) {
        return write_text(text, out);
    }
    if let Some(number) = exactly::<PyInt>(value) {
        return write_integer(number, out);
    }
    if let Some(dict) = exactly::<PyDict>(value) {
        return write_dict(dict, out, depth.checked_sub(1)?);
    }
    if let Some(list) = exactly::<PyList>(value) {
        return write_list(list, out, depth.checked_sub(1)?);
    }
    if let Some(items) = exactly::<PyTuple>(value) {
        return write_items(items, out, depth.checked_sub(1)?);
    }
    if let Some(number) = exactly::<PyFloat>(value) {
        put::float(number.value(), out);
    } else if let Some(truth) = exactly::<PyBool>(value) {
        put::bool(truth.is_true(), out);
    } else if let Some(bytes) = exactly::<PyBytes>(value) {
        put::binary(bytes.as_bytes(), out).ok()?;
    } else if value.is_none() {
        put::nil(out);
    } else {
        return None;
    }
    Some(())
}

fn write_text(text: &Bound<'_, PyString>, out: &mut Vec<u8>) -> Option<()> {
    // Half of a surrogate pair has no UTF-8.
    put::text(text.to_str().ok()?, out).ok()
}

fn write_integer(number: &Bound<'_, PyInt>, out: &mut Vec<u8>) -> Option<()> {
    match walk::short(number) {
        Some(number) => put::signed(number, out),
        None => put::unsigned(number.extract().ok()?, out),
    }
    Some(())
}

fn write_list(list: &Bound<'_, PyList>, out: &mut Vec<u8>, depth: usize) -> Option<()> {
    put::list(list.len(), out).ok()?;
    walk::items(list, |item| write(item, out, depth).is_some()).then_some(())
}

fn write_items(items: &Bound<'_, PyTuple>, out: &mut Vec<u8>, depth: usize) -> Option<()> {
    put::list(items.len(), out).ok()?;
    items.iter_borrowed().try_for_each(|item| write(&item, out, depth))
}

fn write_dict(dict: &Bound<'_, PyDict>, out: &mut Vec<u8>, depth: usize) -> Option<()> {
    put::map(dict.len(), out).ok()?;
    walk::entries(dict, |key, item| {
        exactly(key).is_some_and(|key| write_text(key, out).is_some()) && write(item, out, depth).is_some()
    })
    .then_some(())
}

/// Write plain Python values as msgpack; return `None` for a value that is none of `str`, `int`, `float`, `bool`, `bytes`,
/// `None`, `list`, `tuple` and `dict` of such, or has no msgpack.
#[pyfunction]
pub(crate) fn encode_msgpack<'py>(value: &Bound<'py, PyAny>) -> Option<Bound<'py, PyBytes>> {
    let mut out = Vec::with_capacity(256);
    encode(value, &mut out).then(|| PyBytes::new(value.py(), &out))
}
