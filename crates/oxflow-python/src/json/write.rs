//! JSON as Python objects and back, for payloads of dictionaries, lists and scalars.
//!
//! What Python code may return beside these (dataclasses, enums, models) is left to the package, which also finds out what
//! is wrong with a value: here only the usual case is fast.

use jiter::{PythonParse, StringCacheMode};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString};

/// Values in values that are written here; what is deeper, or contains itself, is left to the package.
const DEPTH: usize = 100;

/// Reads strict JSON: UTF-8, no `NaN`, no infinity; of a key that comes twice the last counts.
pub(crate) fn decode<'py>(py: Python<'py>, json: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let parse = PythonParse { cache_mode: StringCacheMode::Keys, ..PythonParse::default() };
    parse.python_parse(py, json).map_err(|error| {
        PyValueError::new_err(match std::str::from_utf8(json) {
            Ok(_) => format!("not JSON: {} at byte {}", error.error_type, error.index),
            Err(error) => format!("not UTF-8 at byte {}", error.valid_up_to()),
        })
    })
}

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
    text.to_str().is_ok_and(|text| serde_json::to_writer(json, text).is_ok())
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

/// Read JSON bytes into plain Python values.
///
/// Raises `ValueError` for bytes that are not strict JSON: UTF-8, no `NaN`, no infinity. Of a key that comes twice the last
/// counts.
#[pyfunction]
#[pyo3(signature = (data) -> "Any")]
pub(crate) fn decode_json<'py>(py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    decode(py, data)
}

/// Write plain Python values as compact JSON; return `None` for a value that is none of `str`, `int`, `float`, `bool`,
/// `None`, `list` and `dict` of such, or has no JSON.
#[pyfunction]
pub(crate) fn encode_json<'py>(value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let mut json = Vec::with_capacity(256);
    Ok(encode(value, &mut json)?.then(|| PyBytes::new(value.py(), &json)))
}
