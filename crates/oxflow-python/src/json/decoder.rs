//! The decoder of a type, as Python sees it.

use std::sync::Mutex;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyTuple, PyType};

use super::keys::Keys;
use super::mismatch::Wrong;
use super::read::read;
use super::shape::Shape;

/// Reads JSON bytes into a value of a type and checks it.
///
/// Raises `DecodeError` for bytes that are not strict JSON (UTF-8, no `NaN`, no infinity) or not of the type. Of a key that
/// comes twice the last counts.
#[pyclass(frozen, module = "oxflow._oxflow")]
#[derive(Debug)]
pub(crate) struct JsonDecoder {
    shape: Shape,
    keys: Mutex<Keys>,
}

#[pymethods]
impl JsonDecoder {
    /// `parts` are those of the type, as `oxflow._convert` describes them; `root` is the number of the whole.
    #[new]
    #[pyo3(signature = (parts: "list[tuple[Any, ...]]", root))]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands it over")]
    fn new(parts: Vec<Bound<'_, PyTuple>>, root: usize) -> PyResult<Self> {
        Ok(Self { shape: Shape::new(&parts, root)?, keys: Mutex::default() })
    }

    #[pyo3(signature = (data: "bytes", /) -> "Any")]
    fn __call__<'py>(&self, data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = data.py();
        self.read(py, bytes_of(data)?)
    }
}

impl JsonDecoder {
    /// Reads bytes and checks the value, with the keys of the decoder.
    pub(crate) fn read<'py>(&self, py: Python<'py>, json: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        match self.keys.try_lock() {
            Ok(mut keys) => self.decode(py, json, &mut keys),
            // Never waited for: who holds the lock may wait for the interpreter.
            Err(_) => self.decode(py, json, &mut Keys::default()),
        }
    }

    /// Reads bytes and checks the value.
    pub(crate) fn decode<'py>(&self, py: Python<'py>, json: &[u8], keys: &mut Keys) -> PyResult<Bound<'py, PyAny>> {
        checked(py, &self.shape, read(py, json, keys))
    }

    /// Checks a value that is what JSON says.
    pub(crate) fn check<'py>(&self, value: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        checked(value.py(), &self.shape, Ok(value))
    }

    /// Makes what the type says of a value whose maker promises that it fits: a list becomes a tuple.
    pub(crate) fn finish<'py>(&self, value: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        if self.shape.replaces { checked(value.py(), &self.shape, Ok(value)) } else { Ok(value) }
    }
}

/// The value, if it could be read and is of the shape; in the words of the package if not.
pub(crate) fn checked<'py>(
    py: Python<'py>,
    shape: &Shape,
    read: PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let wrong = |wrong: Wrong<'_, '_>| match wrong {
        Wrong::Raised(error) if is_refusal(py, &error) => decode_error(py, &error.value(py).to_string()),
        Wrong::Raised(error) => error,
        Wrong::Mismatch(..) => decode_error(py, &wrong.to_string()),
    };
    let value = read.map_err(|error| wrong(error.into()))?;
    shape.convert(value).map_err(wrong)
}

/// The bytes of an object that should be `bytes`.
pub(crate) fn bytes_of<'d>(data: &'d Bound<'_, PyAny>) -> PyResult<&'d [u8]> {
    let py = data.py();
    let bytes = data.cast::<PyBytes>();
    Ok(bytes.map_err(|error| decode_error(py, &PyErr::from(error).value(py).to_string()))?.as_bytes())
}

fn is_refusal(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<PyValueError>(py) || error.is_instance_of::<PyTypeError>(py)
}

fn decode_error(py: Python<'_>, text: &str) -> PyErr {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = CLASS.import(py, "oxflow.errors", "DecodeError");
    class.and_then(|class| class.call1((text,))).map_or_else(|error| error, PyErr::from_value)
}
