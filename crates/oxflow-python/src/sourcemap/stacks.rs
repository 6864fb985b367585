//! Stack traces of minified code, with maps that Python code finds or that lie in a folder.

use std::ops::Deref;
use std::path::PathBuf;

use oxflow_sourcemap::{MapFolder, Maps, Script, symbolicate_json, symbolicate_text};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::SourceMap;
use super::errors::{Failure, map_error};

/// Maps that a function of Python gives for URLs.
struct Called<'a, 'py>(&'a Bound<'py, PyAny>);

/// A map that Python holds.
struct Held<'py>(Bound<'py, SourceMap>);

impl Deref for Held<'_> {
    type Target = oxflow_sourcemap::SourceMap;

    fn deref(&self) -> &Self::Target {
        &self.0.get().map
    }
}

impl<'py> Maps for Called<'_, 'py> {
    type Map = Held<'py>;
    type Error = Failure;

    fn find(&mut self, script: Script<'_>) -> Result<Option<Held<'py>>, Failure> {
        let found = self.0.call1((script.url,))?;
        if found.is_none() {
            return Ok(None);
        }
        Ok(Some(Held(found.cast_into::<SourceMap>().map_err(PyErr::from)?)))
    }
}

/// Return JSON with the places of the sources in its stack traces; `maps` is a function that gives the map for a URL, or a folder.
#[pyfunction]
#[pyo3(signature = (json, maps: "Callable[[str], SourceMap | None] | PathLike[str]"))]
pub(crate) fn symbolicated_json<'py>(json: &[u8], maps: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let py = maps.py();
    let written = match folder(maps) {
        Some(mut folder) => py.detach(|| symbolicate_json(json, &mut folder)).map_err(|error| map_error(py, &error)),
        None => symbolicate_json(json, &mut Called(maps)).map_err(|failure| failure.raise(py)),
    };
    Ok(PyBytes::new(py, &written?))
}

/// Return a stack trace of a browser with the places of the sources; `maps` is a function that gives the map for a URL, or a folder.
#[pyfunction]
#[pyo3(signature = (trace, maps: "Callable[[str], SourceMap | None] | PathLike[str]"))]
pub(crate) fn symbolicated_text(trace: &str, maps: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = maps.py();
    match folder(maps) {
        Some(mut folder) => py.detach(|| symbolicate_text(trace, &mut folder)).map_err(|error| map_error(py, &error)),
        None => symbolicate_text(trace, &mut Called(maps)).map_err(|failure| failure.raise(py)),
    }
}

fn folder(maps: &Bound<'_, PyAny>) -> Option<MapFolder> {
    maps.extract::<PathBuf>().ok().map(|root| MapFolder::new(Some(root), None))
}
