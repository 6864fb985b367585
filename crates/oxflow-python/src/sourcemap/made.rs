//! Maps that are made of others.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::SourceMap;
use super::errors::map_error;

impl SourceMap {
    pub(super) fn made(
        &self,
        py: Python<'_>,
        make: impl FnOnce(&oxflow_sourcemap::SourceMap) -> oxflow_sourcemap::Result<oxflow_sourcemap::SourceMap> + Send,
    ) -> PyResult<Self> {
        let map = py.detach(|| make(&self.map)).map_err(|error| map_error(py, &error))?;
        Ok(Self::of(map))
    }

    /// The source that `inner` is the map of.
    pub(super) fn described_by(&self, inner: &Bound<'_, Self>, source: Option<&Bound<'_, PyAny>>) -> PyResult<u32> {
        let Some(source) = source else {
            let found = self.map.source_described_by(&inner.get().map);
            let found = found.map_err(|error| map_error(inner.py(), &error))?;
            return found.ok_or_else(|| PyValueError::new_err("say with `source` which source `inner` is the map of"));
        };
        let found = self.index_of(source)?;
        let text = source.repr()?;
        found.ok_or_else(|| PyValueError::new_err(format!("there is no source {text}")))
    }
}
