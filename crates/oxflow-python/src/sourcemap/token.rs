//! What a lookup gives.

use oxflow_sourcemap::Segment;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::SourceMap;
use super::errors::map_error;

/// Where a place of the generated code comes from.
///
/// Lines and columns count from 0, columns in UTF-16 units.
#[pyclass(frozen, module = "oxflow.sourcemap")]
pub(crate) struct Token {
    pub(crate) map: Py<SourceMap>,
    pub(crate) segment: Segment,
}

#[pymethods]
impl Token {
    /// Line in the generated code at which the segment begins.
    #[getter]
    fn line(&self) -> u32 {
        self.segment.line
    }

    /// Column in the generated code at which the segment begins.
    #[getter]
    fn column(&self) -> u32 {
        self.segment.column
    }

    /// The source, with `sourceRoot`; `None` if the segment has none, or its source is null.
    #[getter]
    fn source(&self, py: Python<'_>) -> PyResult<Option<Py<PyString>>> {
        self.segment.original.map_or(Ok(None), |at| self.map.get().source_of(py, at.source))
    }

    /// Line in the source.
    #[getter]
    fn source_line(&self) -> Option<u32> {
        Some(self.segment.original?.line)
    }

    /// Column in the source.
    #[getter]
    fn source_column(&self) -> Option<u32> {
        Some(self.segment.original?.column)
    }

    /// Index of the source in `sources`.
    #[getter]
    fn source_index(&self) -> Option<u32> {
        Some(self.segment.original?.source)
    }

    /// The name that the source has for what is here.
    #[getter]
    fn name(&self, py: Python<'_>) -> PyResult<Option<Py<PyString>>> {
        self.segment.name.map_or(Ok(None), |name| self.map.get().name_of(py, name))
    }

    /// Index of the name in `names`.
    #[getter]
    fn name_index(&self) -> Option<u32> {
        self.segment.name
    }

    /// Whether the source is on the map's ignore list.
    #[getter]
    fn ignored(&self, py: Python<'_>) -> PyResult<bool> {
        let Some(original) = self.segment.original else { return Ok(false) };
        self.map.get().map.is_ignored(original.source as usize).map_err(|error| map_error(py, &error))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        let Ok(other) = other.cast::<Self>() else { return false };
        self.segment == other.get().segment && self.map.is(&other.get().map)
    }

    fn __hash__(&self) -> u64 {
        u64::from(self.segment.line) << 32 | u64::from(self.segment.column)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let Some(original) = self.segment.original else {
            return Ok(format!("Token(line={}, column={})", self.segment.line, self.segment.column));
        };
        let shown = |text: Option<Py<PyString>>| match text {
            Some(text) => text.bind(py).repr().map(|text| text.to_string()),
            None => Ok("None".to_owned()),
        };
        let (source, name) = (shown(self.source(py)?)?, shown(self.name(py)?)?);
        Ok(format!(
            "Token(line={}, column={}, source={source}, source_line={}, source_column={}, name={name})",
            self.segment.line, self.segment.column, original.line, original.column
        ))
    }
}
