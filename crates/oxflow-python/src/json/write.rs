//! Python objects as JSON, for payloads of dictionaries, lists and scalars.
//!
//! What Python code may return beside these (dataclasses, enums, models) is left to the package, which also finds out what
//! is wrong with a value: here only the usual case is fast.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString};

/// Values in values that are written here; what is deeper, or contains itself, is left to the package.
const DEPTH: usize = 100;

/// Writes compact JSON; false, with some of it written, if a value is none of those that are known here.
pub(crate) fn encode(value: &Bound<'_, PyAny>, json: &mut Vec<u8>) -> PyResult<bool> {
    write(value, json, DEPTH)
}

fn write(value: &Bound<'_, PyAny>, json: &mut Vec<u8>, depth: usize) -> PyResult<bool> {
    if let Ok(text) = value.cast_exact::<PyString>() {
        return Ok(write_text(text, json));
    }
    if let Ok(number) = value.cast_exact::<PyInt>() {
        return write_integer(number, json);
    }
    if let Ok(dict) = value.cast_exact::<PyDict>() {
        return write_dict(dict, json, depth);
    }
    if let Ok(list) = value.cast_exact::<PyList>() {
        return write_list(list, json, depth);
    }
    if let Ok(number) = value.cast_exact::<PyFloat>() {
        return Ok(write_float(number.value(), json));
    }
    if let Ok(truth) = value.cast_exact::<PyBool>() {
        json.extend_from_slice(if truth.is_true() { b"true" } else { b"false" });
        return Ok(true);
    }
    if value.is_none() {
        json.extend_from_slice(b"null");
        return Ok(true);
    }
    Ok(false)
}

fn write_text(text: &Bound<'_, PyString>, json: &mut Vec<u8>) -> bool {
    // Half of a surrogate pair has no UTF-8.
    let Ok(text) = text.to_str() else { return false };
    if is_escaped(text) {
        return serde_json::to_writer(json, text).is_ok();
    }
    json.reserve(text.len() + 2);
    json.push(b'"');
    json.extend_from_slice(text.as_bytes());
    json.push(b'"');
    true
}

/// Whether anything in a text is written with a backslash.
fn is_escaped(text: &str) -> bool {
    // All bytes, without an early way out: so the compiler takes many at a time.
    let escaped = |byte| u8::from(byte < b' ') | u8::from(byte == b'"') | u8::from(byte == b'\\');
    text.bytes().fold(0, |found, byte| found | escaped(byte)) != 0
}

fn write_integer(number: &Bound<'_, PyInt>, json: &mut Vec<u8>) -> PyResult<bool> {
    if let Ok(number) = number.extract::<i64>() {
        return Ok(serde_json::to_writer(json, &number).is_ok());
    }
    json.extend_from_slice(number.str()?.to_str()?.as_bytes());
    Ok(true)
}

fn write_float(number: f64, json: &mut Vec<u8>) -> bool {
    number.is_finite() && serde_json::to_writer(json, &number).is_ok()
}

fn write_list(list: &Bound<'_, PyList>, json: &mut Vec<u8>, depth: usize) -> PyResult<bool> {
    let Some(depth) = depth.checked_sub(1) else { return Ok(false) };
    json.push(b'[');
    for (index, item) in list.iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        if !write(&item, json, depth)? {
            return Ok(false);
        }
    }
    json.push(b']');
    Ok(true)
}

fn write_dict(dict: &Bound<'_, PyDict>, json: &mut Vec<u8>, depth: usize) -> PyResult<bool> {
    let Some(depth) = depth.checked_sub(1) else { return Ok(false) };
    json.push(b'{');
    for (index, (key, item)) in dict.iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        let named = key.cast_exact::<PyString>().is_ok_and(|key| write_text(key, json));
        json.push(b':');
        if !named || !write(&item, json, depth)? {
            return Ok(false);
        }
    }
    json.push(b'}');
    Ok(true)
}

/// Write plain Python values as compact JSON; return `None` for a value that is none of `str`, `int`, `float`, `bool`,
/// `None`, `list` and `dict` of such, or has no JSON.
#[pyfunction]
pub(crate) fn encode_json<'py>(value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let mut json = Vec::with_capacity(256);
    Ok(encode(value, &mut json)?.then(|| PyBytes::new(value.py(), &json)))
}
