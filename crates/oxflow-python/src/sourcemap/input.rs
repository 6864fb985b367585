//! The bytes of maps, and numbers, out of whatever Python has them in.

use std::sync::Arc;

use oxflow_sourcemap::Buffer;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyMemoryView};

/// The bytes of any buffer: `bytes` as they are, of what may change a copy.
pub(crate) fn buffer(data: &Bound<'_, PyAny>) -> PyResult<Buffer> {
    let bytes = match data.cast::<PyBytes>() {
        Ok(bytes) => bytes.clone(),
        Err(_) => PyMemoryView::from(data)?.call_method0("tobytes")?.cast_into::<PyBytes>()?,
    };
    Ok(Arc::new(PyBackedBytes::from(bytes)))
}

/// Numbers of any buffer of integers, or of a sequence of `int`: `None` where one is negative or has more than 32 bits.
pub(crate) struct Numbers {
    bytes: PyBackedBytes,
    size: usize,
    is_signed: bool,
}

impl Numbers {
    pub(crate) fn read(numbers: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = numbers.py();
        let view = if let Ok(view) = PyMemoryView::from(numbers) {
            view.into_any()
        } else {
            // A list or tuple.
            let array = py.import("array")?.getattr("array")?.call1(("q", numbers))?;
            PyMemoryView::from(&array)?.into_any()
        };
        let format: String = view.getattr("format")?.extract()?;
        let size: usize = view.getattr("itemsize")?.extract()?;
        let kind = format.trim_start_matches(['@', '=', '<']);
        if kind.len() != 1 || !"bBhHiIlLqQ".contains(kind) || !size.is_power_of_two() {
            let message = format!("lines and columns must be integers, not a buffer of format `{format}`");
            return Err(pyo3::exceptions::PyTypeError::new_err(message));
        }
        let bytes = view.call_method0("tobytes")?.cast_into::<PyBytes>()?;
        Ok(Self { bytes: bytes.into(), size, is_signed: kind.chars().all(char::is_lowercase) })
    }

    pub(crate) fn count(&self) -> usize {
        self.bytes.len() / self.size
    }

    /// Each number, if it can be a position.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Option<u32>> + Clone + '_ {
        self.bytes.chunks_exact(self.size).map(|bytes| number(bytes, self.is_signed))
    }
}

fn number(bytes: &[u8], is_signed: bool) -> Option<u32> {
    let is_negative = is_signed && bytes.last().is_some_and(|last| *last >= 128);
    if is_negative {
        return None;
    }
    match *bytes {
        [byte] => Some(u32::from(byte)),
        [low, high] => Some(u32::from(u16::from_le_bytes([low, high]))),
        [a, b, c, d] => Some(u32::from_le_bytes([a, b, c, d])),
        _ => u32::try_from(u64::from_le_bytes(bytes.try_into().ok()?)).ok(),
    }
}
