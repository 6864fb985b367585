//! A folder of index files as an object of Python.

use std::path::{Path, PathBuf};

use oxflow_sourcemap::index::Opening;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::errors::{Failure, map_error};
use super::input::buffer;
use super::{Cache, SourceMap};

/// Index files of source maps by key, the least recently used of which are removed.
///
/// A map that is not there is built once, by whichever thread or process comes first, while the others wait for it. Processes may
/// use one folder, which is made if it isn't there, and may be killed at any time. Nothing else may be kept in it. At most `max_bytes`
/// of index files are kept; one file may be larger, and is kept until the next one comes.
///
/// Raises `ValueError` if `max_bytes` is less than 1, `OSError` if the folder can't be made.
#[pyclass(frozen, subclass, module = "oxflow.sourcemap")]
pub(crate) struct SymbolCache {
    cache: oxflow_sourcemap::SymbolCache,
    folder: PathBuf,
    most_bytes: u64,
}

#[pymethods]
impl SymbolCache {
    #[new]
    fn new(py: Python<'_>, folder: PathBuf, max_bytes: i64) -> PyResult<Self> {
        let most_bytes = u64::try_from(max_bytes).ok().filter(|most| *most > 0);
        let Some(most_bytes) = most_bytes else {
            return Err(PyValueError::new_err(format!("`max_bytes` is at least 1, not {max_bytes}")));
        };
        let cache = py.detach(|| oxflow_sourcemap::SymbolCache::new(&folder, most_bytes, Opening::default()));
        Ok(Self { cache: cache.map_err(|error| map_error(py, &error))?, folder, most_bytes })
    }

    /// Open the index for a key, which is the debug id of the map or whatever else tells one map from another and an old one from
    /// a new one; build it if it is not there, or is damaged.
    ///
    /// `load` gives the map, or its bytes; one thread of one process calls it, if the index has to be built. It may ask for other keys, in
    /// the same thread: for these nobody is waited for, and two callers may build them. The index stays usable when its file is
    /// removed.
    ///
    /// Raises `SourceMapError` if what was loaded is no source map, `OSError` if the index can't be written or read. What `load` raises
    /// passes through, and the next call tries again.
    #[pyo3(signature = (key, load: "Callable[[], SourceMap | ReadableBuffer]"))]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands it over, and another thread may call it")]
    fn get(&self, py: Python<'_>, key: &str, load: Py<PyAny>) -> PyResult<Py<Cache>> {
        let load = || Python::attach(|py| loaded(load.bind(py)));
        let found = py.detach(|| self.cache.get(key, load));
        Cache::of(py, found.map_err(|failure| failure.raise(py))?)
    }

    /// Remove the index for a key, if there is one; who has it open keeps it.
    fn discard(&self, py: Python<'_>, key: &str) -> PyResult<()> {
        py.detach(|| self.cache.discard(key)).map_err(|error| map_error(py, &error))
    }

    /// Bytes of all index files that are there now.
    #[getter]
    fn size_bytes(&self, py: Python<'_>) -> PyResult<u64> {
        py.detach(|| self.cache.size()).map_err(|error| map_error(py, &error))
    }

    /// Where the files are.
    #[getter]
    fn folder(&self) -> &Path {
        &self.folder
    }

    /// How many bytes of index files are kept.
    #[getter]
    fn max_bytes(&self) -> u64 {
        self.most_bytes
    }
}

/// The map that Python code gives, or that is in the bytes that it gives.
fn loaded(load: &Bound<'_, PyAny>) -> Result<oxflow_sourcemap::SourceMap, Failure> {
    let given = load.call0()?;
    if let Ok(map) = given.cast::<SourceMap>() {
        return Ok(map.get().map.clone());
    }
    Ok(SourceMap::read(given.py(), &buffer(&given)?, None, &oxflow_sourcemap::Options::default())?.map)
}
