//! Python objects as values of attributes.

use std::borrow::Cow;
use std::cell::Cell;

use oxflow_telemetry::{AttributeLimits, Attributes, Value};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PyMapping, PySet, PyString, PyTuple};

/// Deeper objects are shown as their text.
const MOST_DEPTH: usize = 16;
/// What one attribute may hold. An object that leads to itself on several ways would be without end.
const MOST_VALUES: usize = 1000;

/// Calls `take` with what an object is. Never fails: what is nothing that OpenTelemetry knows is its text.
pub(super) fn with_value<R>(object: &Bound<'_, PyAny>, take: impl FnOnce(&Value<'_>) -> R) -> R {
    // A text is lent, not copied.
    if let Ok(text) = object.cast::<PyString>()
        && let Ok(text) = text.to_str()
    {
        return take(&Value::Text(Cow::Borrowed(text)));
    }
    take(&value(object, 0, &Cell::new(MOST_VALUES)))
}

fn value(object: &Bound<'_, PyAny>, depth: usize, left: &Cell<usize>) -> Value<'static> {
    if object.is_none() {
        return Value::Null;
    }
    if let Ok(text) = object.cast::<PyString>() {
        // A text with halves of surrogate pairs has no UTF-8.
        return Value::Text(Cow::Owned(text.to_string_lossy().into_owned()));
    }
    if let Ok(flag) = object.cast::<PyBool>() {
        return Value::Bool(flag.is_true());
    }
    if let Ok(number) = object.cast::<PyInt>() {
        return number.extract().map_or_else(|_| shown(object), Value::Int);
    }
    if let Ok(number) = object.cast::<PyFloat>() {
        return Value::Float(number.value());
    }
    if let Ok(bytes) = object.cast::<PyBytes>() {
        return Value::Bytes(Cow::Owned(bytes.as_bytes().to_vec()));
    }
    if depth < MOST_DEPTH { nested(object, depth, left).unwrap_or_else(|| other(object)) } else { shown(object) }
}

/// Lists and dictionaries; what comes after so many values is left out.
fn nested(object: &Bound<'_, PyAny>, depth: usize, left: &Cell<usize>) -> Option<Value<'static>> {
    let has_room = || {
        left.get() > 0 && {
            left.set(left.get() - 1);
            true
        }
    };
    let is_list = object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>();
    if is_list || object.is_instance_of::<PySet>() || object.is_instance_of::<PyFrozenSet>() {
        let values: PyResult<_> = object
            .try_iter()
            .ok()?
            .take_while(|_| has_room())
            .map(|item| item.map(|item| value(&item, depth + 1, left)))
            .collect();
        return values.ok().map(Value::List);
    }
    let pairs = pairs(object.cast().ok()?);
    let pair =
        |(name, item): (Bound<'_, PyAny>, Bound<'_, PyAny>)| (Cow::Owned(text(&name)), value(&item, depth + 1, left));
    Some(Value::Map(pairs.into_iter().take_while(|_| has_room()).map(pair).collect()))
}

/// What a dictionary holds now: to show its values may run Python, and so change it.
fn pairs<'py>(dictionary: &Bound<'py, PyDict>) -> Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    dictionary.iter().collect()
}

/// Numbers of other libraries, and anything else.
fn other(object: &Bound<'_, PyAny>) -> Value<'static> {
    let number = || object.call_method0("__index__").ok()?.extract().ok().map(Value::Int);
    let float = || object.call_method0("__float__").ok()?.extract().ok().map(Value::Float);
    number().or_else(float).unwrap_or_else(|| shown(object))
}

fn shown(object: &Bound<'_, PyAny>) -> Value<'static> {
    Value::Text(Cow::Owned(text(object)))
}

/// What `str` says, or for an object that raises there, its type.
pub(super) fn text(object: &Bound<'_, PyAny>) -> String {
    let shown = object.str().map(|text| text.to_string_lossy().into_owned());
    shown.unwrap_or_else(|_| object.get_type().qualname().map_or_else(|_| "?".to_owned(), |name| name.to_string()))
}

/// A Python value out of ours.
pub(super) fn object<'py>(py: Python<'py>, value: &Value<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(value) => PyBool::new(py, *value).to_owned().into_any(),
        Value::Int(value) => value.into_pyobject(py)?.into_any(),
        Value::Float(value) => PyFloat::new(py, *value).into_any(),
        Value::Text(text) => PyString::new(py, text).into_any(),
        Value::Bytes(bytes) => PyBytes::new(py, bytes).into_any(),
        Value::List(values) => {
            let values: Vec<_> = values.iter().map(|value| object(py, value)).collect::<PyResult<_>>()?;
            PyTuple::new(py, values)?.into_any()
        }
        Value::Map(pairs) => dictionary(py, pairs.iter().map(|(name, value)| (&**name, value)))?.into_any(),
    })
}

/// A dictionary out of our names and values.
pub(super) fn dictionary<'py, 'a>(
    py: Python<'py>,
    pairs: impl Iterator<Item = (&'a str, &'a Value<'a>)>,
) -> PyResult<Bound<'py, PyDict>> {
    let made = PyDict::new(py);
    for (name, value) in pairs {
        made.set_item(name, object(py, value)?)?;
    }
    Ok(made)
}

/// Adds what a dictionary, or any other mapping, holds; `None` is passed over where `skips_none`.
pub(super) fn fill(
    attributes: &mut Attributes,
    from: Option<&Bound<'_, PyAny>>,
    limits: &AttributeLimits,
    skips_none: bool,
) -> PyResult<()> {
    let Some(from) = from.filter(|from| !from.is_none()) else { return Ok(()) };
    let mut add = |name: &Bound<'_, PyAny>, item: &Bound<'_, PyAny>| {
        if skips_none && item.is_none() {
            return;
        }
        with_value(item, |value| match name.cast::<PyString>().ok().and_then(|name| name.to_str().ok()) {
            Some(name) => attributes.set(name, value, limits),
            None => attributes.set(&text(name), value, limits),
        });
    };
    if let Ok(dictionary) = from.cast::<PyDict>() {
        for (name, item) in &pairs(dictionary) {
            add(name, item);
        }
        return Ok(());
    }
    let Ok(mapping) = from.cast::<PyMapping>() else {
        let kind = from.get_type().qualname()?;
        return Err(PyTypeError::new_err(format!("attributes are a dictionary of names and values, not `{kind}`")));
    };
    for pair in mapping.items()?.iter() {
        add(&pair.get_item(0)?, &pair.get_item(1)?);
    }
    Ok(())
}
