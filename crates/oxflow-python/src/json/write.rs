//! Python objects as JSON, for payloads of dictionaries, lists and scalars.
//!
//! What Python code may return beside these (dataclasses, enums, models) is left to the package, which also finds out what
//! is wrong with a value: here only the usual case is fast.

use pyo3::PyTypeInfo;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString};

use super::keys::Keys;
use crate::walk;

/// Values in values that are written here; what is deeper, or contains itself, is left to the package.
const DEPTH: usize = 100;

/// Writes compact JSON; false, with some of it written, if a value is none of those that are known here.
pub(crate) fn encode(value: &Bound<'_, PyAny>, json: &mut Vec<u8>) -> bool {
    Writer { json, keys: None }.write(value, DEPTH)
}

/// The same for one of many values, whose keys are likely those of the ones before.
pub(crate) fn encode_like(value: &Bound<'_, PyAny>, json: &mut Vec<u8>, keys: &mut Keys) -> bool {
    Writer { json, keys: Some(keys) }.write(value, DEPTH)
}

struct Writer<'a> {
    json: &'a mut Vec<u8>,
    keys: Option<&'a mut Keys>,
}

impl Writer<'_> {
    fn write(&mut self, value: &Bound<'_, PyAny>, depth: usize) -> bool {
        if let Some(text) = exactly::<PyString>(value) {
            return write_text(text, self.json);
        }
        if let Some(number) = exactly::<PyInt>(value) {
            return write_integer(number, self.json);
        }
        if let Some(dict) = exactly::<PyDict>(value) {
            return self.write_dict(dict, depth);
        }
        if let Some(list) = exactly::<PyList>(value) {
            return self.write_list(list, depth);
        }
        if let Some(number) = exactly::<PyFloat>(value) {
            return write_float(number.value(), self.json);
        }
        if let Some(truth) = exactly::<PyBool>(value) {
            self.json.extend_from_slice(if truth.is_true() { b"true" } else { b"false" });
            return true;
        }
        if value.is_none() {
            self.json.extend_from_slice(b"null");
            return true;
        }
        false
    }

    fn write_list(&mut self, list: &Bound<'_, PyList>, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        self.json.push(b'[');
        let mut first = true;
        let whole = walk::items(list, |item| {
            if !std::mem::take(&mut first) {
                self.json.push(b',');
            }
            self.write(item, depth)
        });
        self.json.push(b']');
        whole
    }

    fn write_dict(&mut self, dict: &Bound<'_, PyDict>, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        self.json.push(b'{');
        let mut first = true;
        let whole = walk::entries(dict, |key, item| {
            if !std::mem::take(&mut first) {
                self.json.push(b',');
            }
            exactly(key).is_some_and(|key| self.write_key(key)) && self.write(item, depth)
        });
        self.json.push(b'}');
        whole
    }

    fn write_key(&mut self, key: &Bound<'_, PyString>) -> bool {
        if let Some(written) = self.keys.as_mut().and_then(|keys| keys.written(key)) {
            self.json.extend_from_slice(written);
            return true;
        }
        let whole = write_text(key, self.json);
        self.json.push(b':');
        whole
    }
}

/// The value, if it is of this type. A cast that fails makes an error, which costs more than to ask first.
pub(crate) fn exactly<'a, 'py, T: PyTypeInfo>(value: &'a Bound<'py, PyAny>) -> Option<&'a Bound<'py, T>> {
    if value.is_exact_instance_of::<T>() { value.cast_exact().ok() } else { None }
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
    let bytes = text.as_bytes();
    // Short texts, above all keys, are looked at in one or two pieces; the last one overlaps the one before.
    match bytes.last_chunk() {
        Some(last) => bytes.as_chunks().0.iter().fold(marks(*last), |found, piece| found | marks(*piece)) != 0,
        None => bytes.iter().any(|byte| matches!(byte, 0..b' ' | b'"' | b'\\')),
    }
}

/// Not zero if one of eight bytes is a control character, a quote or a backslash: where a byte of these is, a subtraction
/// from its high bit borrows.
fn marks(bytes: [u8; 8]) -> u64 {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    let bytes = u64::from_ne_bytes(bytes);
    let below = |bytes: u64, limit: u8| bytes.wrapping_sub(EACH * u64::from(limit));
    let equal = |byte: u8| below(bytes ^ (EACH * u64::from(byte)), 1);
    (below(bytes, b' ') | equal(b'"') | equal(b'\\')) & !bytes & (EACH << 7)
}

fn write_integer(number: &Bound<'_, PyInt>, json: &mut Vec<u8>) -> bool {
    let Some(number) = walk::short(number) else { return write_digits(number, json).unwrap_or(false) };
    match u16::try_from(number) {
        Ok(short @ ..1000) => {
            write_short(short, json);
            true
        }
        _ => serde_json::to_writer(json, &number).is_ok(),
    }
}

/// Writes an integer of more than 64 bits; false for a long one. To write that may run Python, from 3.12 on, which nothing may while
/// references aren't counted: the package writes it.
fn write_digits(number: &Bound<'_, PyInt>, json: &mut Vec<u8>) -> PyResult<bool> {
    let bits: u64 = number.call_method0(intern!(number.py(), "bit_length"))?.extract()?;
    if bits > 128 {
        return Ok(false);
    }
    json.extend_from_slice(number.str()?.to_str()?.as_bytes());
    Ok(true)
}

/// A number of up to three digits: most of those that messages have many of.
fn write_short(number: u16, json: &mut Vec<u8>) {
    let digit = |unit| b'0' + (number / unit % 10) as u8;
    match number {
        100.. => json.extend_from_slice(&[digit(100), digit(10), digit(1)]),
        10.. => json.extend_from_slice(&[digit(10), digit(1)]),
        _ => json.push(digit(1)),
    }
}

fn write_float(number: f64, json: &mut Vec<u8>) -> bool {
    number.is_finite() && serde_json::to_writer(json, &number).is_ok()
}

/// Write plain Python values as compact JSON; return `None` for a value that is none of `str`, `int`, `float`, `bool`,
/// `None`, `list` and `dict` of such, or has no JSON.
#[pyfunction]
pub(crate) fn encode_json<'py>(value: &Bound<'py, PyAny>) -> Option<Bound<'py, PyBytes>> {
    let mut json = Vec::with_capacity(256);
    encode(value, &mut json).then(|| PyBytes::new(value.py(), &json))
}
