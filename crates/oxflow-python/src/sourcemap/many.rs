//! Many lookups in one call.

use oxflow_sourcemap::{Error, Segment};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView};

use super::SourceMap;
use super::errors::map_error;
use super::input::Numbers;

/// The answers to many lookups, in the order of the questions: four buffers of 32-bit integers, -1 where there is nothing.
///
/// `numpy.asarray(tokens.source_lines)` is an array without a copy.
#[pyclass(frozen, get_all, module = "oxflow.sourcemap")]
pub(crate) struct Tokens {
    /// Indices in `sources`.
    sources: Py<PyAny>,
    /// Lines in the sources, from 0.
    source_lines: Py<PyAny>,
    /// Columns in the sources, from 0.
    source_columns: Py<PyAny>,
    /// Indices in `names`.
    names: Py<PyAny>,
}

const FIELDS: usize = 4;
const BYTES: usize = 4;

#[pymethods]
impl Tokens {
    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        self.sources.bind(py).len()
    }
}

impl Tokens {
    pub(crate) fn find(py: Python<'_>, map: &SourceMap, lines: &Numbers, columns: &Numbers) -> PyResult<Self> {
        let count = lines.count();
        if count != columns.count() {
            let message = format!("there are {count} lines and {} columns", columns.count());
            return Err(PyValueError::new_err(message));
        }
        let bytes = PyBytes::new_with(py, count * FIELDS * BYTES, |answers| {
            py.detach(|| fill(map, lines, columns, answers)).map_err(|error| map_error(py, &error))
        })?;
        let view = PyMemoryView::from(&bytes)?.call_method1("cast", ("i",))?;
        let field = |index: usize| -> PyResult<Py<PyAny>> {
            let part = pyo3::types::PySlice::new(py, to_isize(index * count), to_isize((index + 1) * count), 1);
            Ok(view.get_item(part)?.unbind())
        };
        Ok(Self { sources: field(0)?, source_lines: field(1)?, source_columns: field(2)?, names: field(3)? })
    }
}

fn to_isize(index: usize) -> isize {
    isize::try_from(index).unwrap_or(isize::MAX)
}

fn fill(map: &SourceMap, lines: &Numbers, columns: &Numbers, answers: &mut [u8]) -> Result<(), Error> {
    let positions = lines.iter().zip(columns.iter()).map(|(line, column)| line.zip(column));
    let count = lines.count();
    // Answers come in the order of the map. Put one beside the other they are one miss of the cache each, and not four.
    let mut found = vec![[-1i32; FIELDS]; count];
    map.map.lookup_many(positions, |place, segment| {
        let Some(Segment { original: Some(original), name, .. }) = segment else { return };
        let values = [Some(original.source), Some(original.line), Some(original.column), name];
        if let Some(answer) = found.get_mut(place) {
            *answer = values.map(|value| value.map_or(-1, u32::cast_signed));
        }
    })?;
    let (sources, rest) = answers.split_at_mut(count * BYTES);
    let (source_lines, rest) = rest.split_at_mut(count * BYTES);
    let (source_columns, names) = rest.split_at_mut(count * BYTES);
    let [sources, lines, columns, names] =
        [sources, source_lines, source_columns, names].map(|column| column.as_chunks_mut::<BYTES>().0.iter_mut());
    for ((((source, line), column), name), answer) in sources.zip(lines).zip(columns).zip(names).zip(&found) {
        [*source, *line, *column, *name] = answer.map(i32::to_ne_bytes);
    }
    Ok(())
}
