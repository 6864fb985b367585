//! Columns of other libraries without a copy on their side: the Arrow C data interface, as capsules of Python hand it over.
//!
//! Source: <https://arrow.apache.org/docs/format/CDataInterface.html> and `CDataInterface/PyCapsuleInterface.html` beside it. Of its types
//! those are read that can be amounts and names: numbers, truths and texts, and structs of these, which are tables.

mod interface;
mod read;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use self::read::{Column, Wrong};

/// Read a column that has `__arrow_c_stream__` or `__arrow_c_array__`.
///
/// Numbers come as the bytes of 64-bit floats, texts as a list, with `None` where one is null; a struct as a dictionary of its fields,
/// with a `ValueError` in place of one that can't be read. What can't be read at all raises it. `None` if the object has neither method.
#[pyfunction]
#[pyo3(signature = (column: "Any") -> "bytes | list[str | None] | dict[str, Any] | None")]
pub(crate) fn arrow_column<'py>(column: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = column.py();
    let Some(exported) = interface::take(column)? else { return Ok(None) };
    let read = py.detach(|| exported.read());
    let column = read.map_err(|Wrong(text)| PyValueError::new_err(text))?;
    shown(py, column).map(Some)
}

fn shown(py: Python<'_>, column: Column) -> PyResult<Bound<'_, PyAny>> {
    Ok(match column {
        Column::Numbers(numbers) => {
            let size = numbers.len() * size_of::<f64>();
            let write = |bytes: &mut [u8]| {
                for (place, number) in bytes.as_chunks_mut().0.iter_mut().zip(&numbers) {
                    *place = number.to_ne_bytes();
                }
                Ok(())
            };
            PyBytes::new_with(py, size, write)?.into_any()
        }
        Column::Texts(texts) => PyList::new(py, texts)?.into_any(),
        Column::Struct(fields) => {
            let all = PyDict::new(py);
            for (name, field) in fields {
                let shown = match field {
                    Ok(field) => shown(py, field)?,
                    Err(Wrong(text)) => PyValueError::new_err(text).into_value(py).into_bound(py).into_any(),
                };
                all.set_item(name, shown)?;
            }
            all.into_any()
        }
    })
}
