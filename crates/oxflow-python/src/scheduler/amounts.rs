//! Amounts of resources out of Python objects.

use oxflow_scheduler::quantity;
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyInt, PyString};

/// Why something is no amount: it reads so.
pub(super) struct NoAmount(pub(super) String);

/// A number, or a text with a unit. What numbers are allowed is decided where all of them are looked at.
pub(super) fn amount(value: &Bound<'_, PyAny>) -> Result<f64, NoAmount> {
    if let Ok(number) = value.cast_exact::<PyFloat>() {
        return Ok(number.value());
    }
    if let Ok(text) = value.cast::<PyString>() {
        let text = text.to_string_lossy();
        return quantity(&text).ok_or_else(|| NoAmount(text.into_owned()));
    }
    let number = value.extract::<f64>();
    number.map_err(|error| NoAmount(reads(value, &error)))
}

/// What a person calls an object that is no number.
fn reads(value: &Bound<'_, PyAny>, error: &PyErr) -> String {
    let py = value.py();
    let known = error.is_instance_of::<PyTypeError>(py)
        || error.is_instance_of::<PyValueError>(py)
        || error.is_instance_of::<PyOverflowError>(py);
    match value.repr() {
        // An integer of a thousand digits says nothing more than one of twenty.
        Ok(text) if known && !value.is_instance_of::<PyInt>() => text.to_string_lossy().chars().take(60).collect(),
        Ok(_) if known => "an integer that is too large".to_owned(),
        _ => error.to_string(),
    }
}
