//! An index file as an object of Python.

use std::path::PathBuf;
use std::sync::Arc;

use oxflow_sourcemap::Buffer;
use oxflow_sourcemap::index::{Content, Opening, mapped, write, write_with};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyType;

use super::SourceMap;
use super::errors::map_error;
use super::functions::of_script;
use super::input::buffer;

/// A source map in an index file: looked up where it lies, without being read.
///
/// It opens in the same short time whatever its size, and processes that map one file share its memory.
#[pyclass(frozen, extends = SourceMap, module = "oxflow.sourcemap")]
pub(crate) struct Cache;

#[pymethods]
impl Cache {
    /// Write the index of a map, or of the bytes of one, to a file: all of it or nothing. Who has the old file open keeps it.
    ///
    /// `minified` is the script that the map is of: of its functions the index knows the names then, if the map doesn't say them
    /// itself. `content` says how the texts of the sources are kept: "zstd", "raw" or "none". With `durable` the file survives a loss of
    /// power.
    ///
    /// Raises `OSError` if the file can't be written, and for bytes what `SourceMap.from_bytes` raises.
    #[staticmethod]
    #[pyo3(signature = (source_map: "SourceMap | ReadableBuffer", path, *, minified: "ReadableBuffer | None" = None, content: "Literal['zstd', 'raw', 'none']" = "zstd", durable = true))]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it extracted")]
    fn build(
        source_map: &Bound<'_, PyAny>,
        path: PathBuf,
        minified: Option<&Bound<'_, PyAny>>,
        content: &str,
        durable: bool,
    ) -> PyResult<()> {
        let content = match content {
            "zstd" => Content::Zstd,
            "raw" => Content::Raw,
            "none" => Content::None,
            _ => {
                let message = format!("`content` is \"zstd\", \"raw\" or \"none\", not \"{content}\"");
                return Err(PyValueError::new_err(message));
            }
        };
        let py = source_map.py();
        let read;
        let map = if let Ok(map) = source_map.cast::<SourceMap>() {
            map.get()
        } else {
            read = SourceMap::read(py, &buffer(source_map)?, None, &oxflow_sourcemap::Options::default())?;
            &read
        };
        let script = minified.filter(|_| !map.map.has_functions());
        let functions = script.map(|script| of_script(py, map, script)).transpose()?;
        let written = py.detach(|| match &functions {
            Some(functions) => write_with(&map.map, Some(functions), &path, content, durable),
            None => write(&map.map, &path, content, durable),
        });
        written.map_err(|error| map_error(py, &error))
    }

    /// Open an index file, by its path or as bytes.
    ///
    /// What is damaged raises `IndexCorrupt` when it is used, or with `verify` now. A file is mapped into memory, which `mmap=False`
    /// does not do: a file that somebody cuts short while it is mapped ends the process, and one that is changed in place may give any
    /// answer, so read those that others may change. `Cache.build` replaces a file and never changes one.
    ///
    /// Raises `IndexVersion` for a file of another format, `IndexCorrupt` for what is no index, `OSError` for what can't be read.
    #[classmethod]
    #[pyo3(signature = (source: "str | PathLike[str] | ReadableBuffer", *, verify = false, mmap = true))]
    fn open(class: &Bound<'_, PyType>, source: &Bound<'_, PyAny>, verify: bool, mmap: bool) -> PyResult<Py<Self>> {
        let py = class.py();
        let bytes: Buffer = match source.extract::<PathBuf>() {
            Ok(path) if mmap => py.detach(|| mapped(&path))?,
            Ok(path) => Arc::new(py.detach(|| std::fs::read(&path))?),
            Err(_) => buffer(source)?,
        };
        let opened = py.detach(|| oxflow_sourcemap::SourceMap::open(&bytes, Opening { verify }));
        let opened = opened.map_err(|error| map_error(py, &error))?;
        Self::of(py, opened)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> String {
        let map = &slf.as_super().get().map;
        format!("<Cache of {} segments and {} sources>", map.segment_count(), map.source_count())
    }
}

impl Cache {
    pub(super) fn of(py: Python<'_>, map: oxflow_sourcemap::SourceMap) -> PyResult<Py<Self>> {
        Py::new(py, PyClassInitializer::from(SourceMap::of(map)).add_subclass(Self))
    }
}
