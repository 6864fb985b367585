//! A map that Python code makes.

use std::sync::{Mutex, PoisonError};

use oxflow_sourcemap::{Builder, Original, Segment};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;

use super::SourceMap;
use super::errors::map_error;

/// Makes a source map: sources and names each once, segments in any order.
#[pyclass(frozen, module = "oxflow.sourcemap", name = "Builder")]
pub(crate) struct MapBuilder {
    builder: Mutex<Builder>,
}

impl Drop for MapBuilder {
    /// Each text is freed by itself, which takes 35 ms for 300,000 names: other threads need not wait for that.
    fn drop(&mut self) {
        let builder = std::mem::take(self.builder.get_mut().unwrap_or_else(PoisonError::into_inner));
        let mut builder = Some(builder).filter(|builder| !builder.is_empty());
        // Where the interpreter ends, nobody waits, and it is freed behind this.
        let _ = Python::try_attach(|py| py.detach(|| drop(builder.take())));
    }
}

impl MapBuilder {
    fn with<T>(&self, py: Python<'_>, act: impl FnOnce(&mut Builder) -> oxflow_sourcemap::Result<T>) -> PyResult<T> {
        // Nothing in it calls Python, and a builder is as good after a panic as before. To make the error does call Python, which
        // may let another thread run that waits for the lock: by then it is open.
        let done = act(&mut self.builder.lock().unwrap_or_else(PoisonError::into_inner));
        done.map_err(|error| map_error(py, &error))
    }
}

#[pymethods]
impl MapBuilder {
    #[new]
    #[pyo3(signature = (file = None, *, debug_id = None))]
    fn new(file: Option<&str>, debug_id: Option<&str>) -> Self {
        let mut builder = Builder::new(file);
        builder.set_debug_id(debug_id);
        Self { builder: Mutex::new(builder) }
    }

    /// Add a source, if it isn't there, with its text and whether debuggers should step over it; give its index. `None` is a source without
    /// a name, each time another one.
    #[pyo3(signature = (name, content = None, *, ignored = false))]
    fn add_source(&self, py: Python<'_>, name: Option<&str>, content: Option<&str>, ignored: bool) -> PyResult<u32> {
        self.with(py, |builder| {
            let index = builder.source(name);
            if content.is_some() {
                builder.set_content(index, content)?;
            }
            if ignored {
                builder.set_ignored(index, true)?;
            }
            Ok(index)
        })
    }

    /// Add a name, if it isn't there; give its index.
    fn add_name(&self, py: Python<'_>, name: &str) -> PyResult<u32> {
        self.with(py, |builder| Ok(builder.name(name)))
    }

    /// Add a segment: a place in the generated code, the place in a source that it comes from, and its name there. `source` and `name` are
    /// texts, or indices that were given. Lines and columns count from 0, columns in UTF-16 units.
    ///
    /// Raises `BadReference` for an index that wasn't given, `LimitExceeded` for a line or column of 2^31 or more, `ValueError` for a
    /// name without a source.
    #[pyo3(signature = (line, column, source: "int | str | None" = None, source_line = 0, source_column = 0, name: "int | str | None" = None))]
    #[expect(clippy::too_many_arguments, reason = "those of the standard")]
    fn add(
        &self,
        py: Python<'_>,
        line: u32,
        column: u32,
        source: Option<Known>,
        source_line: u32,
        source_column: u32,
        name: Option<Known>,
    ) -> PyResult<()> {
        if source.is_none() && name.is_some() {
            return Err(PyValueError::new_err("a segment with a name needs a source"));
        }
        self.with(py, |builder| {
            let source = source.map(|source| source.index(|text| builder.source(Some(text))));
            let name = name.map(|name| name.index(|text| builder.name(text)));
            let original = source.map(|source| Original { source, line: source_line, column: source_column });
            builder.add(Segment { line, column, original, name })
        })
    }

    /// Make the map; the builder is empty then.
    ///
    /// Raises `LimitExceeded` if a segment lies on line 2^26 or beyond.
    fn build(&self, py: Python<'_>) -> PyResult<SourceMap> {
        let map = py.detach(|| {
            let builder = std::mem::take(&mut *self.builder.lock().unwrap_or_else(PoisonError::into_inner));
            builder.build()
        });
        Ok(SourceMap::of(map.map_err(|error| map_error(py, &error))?))
    }
}

/// What is known by its index, or by its text.
#[derive(FromPyObject)]
enum Known {
    Index(u32),
    Text(PyBackedStr),
}

impl Known {
    fn index(self, by_text: impl FnOnce(&str) -> u32) -> u32 {
        match self {
            Self::Index(index) => index,
            Self::Text(text) => by_text(&text),
        }
    }
}
