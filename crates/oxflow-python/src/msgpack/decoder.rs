//! The decoder of a type, as Python sees it.

use std::sync::Mutex;

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::read::read;
use crate::json::{Keys, Shape, bytes_of, checked};

/// Reads msgpack into a value of a type and checks it.
///
/// Raises `DecodeError` for bytes that are not msgpack or not of the type, and for extension types, timestamps among them. Of a
/// key that comes twice the last counts.
#[pyclass(frozen, module = "oxflow._oxflow")]
#[derive(Debug)]
pub(crate) struct MsgPackDecoder {
    shape: Shape,
    keys: Mutex<Keys>,
}

#[pymethods]
impl MsgPackDecoder {
    /// `parts` are those of the type, as `oxflow._convert` describes them; `root` is the number of the whole.
    #[new]
    #[pyo3(signature = (parts: "list[tuple[Any, ...]]", root))]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands it over")]
    fn new(parts: Vec<Bound<'_, PyTuple>>, root: usize) -> PyResult<Self> {
        Ok(Self { shape: Shape::new(&parts, root)?, keys: Mutex::default() })
    }

    #[pyo3(signature = (data: "bytes", /) -> "Any")]
    fn __call__<'py>(&self, data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let bytes = bytes_of(data)?;
        match self.keys.try_lock() {
            Ok(mut keys) => self.decode(data.py(), bytes, &mut keys),
            // Never waited for: who holds the lock may wait for the interpreter.
            Err(_) => self.decode(data.py(), bytes, &mut Keys::default()),
        }
    }
}

impl MsgPackDecoder {
    /// Reads bytes and checks the value.
    pub(crate) fn decode<'py>(&self, py: Python<'py>, bytes: &[u8], keys: &mut Keys) -> PyResult<Bound<'py, PyAny>> {
        checked(py, &self.shape, read(py, bytes, keys))
    }
}
