//! RAM bundles of React Native.

use std::path::PathBuf;

use oxflow_sourcemap::Limits;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyType};

use super::errors::map_error;
use super::input::buffer;

/// A RAM bundle of Metro: startup code, and modules that are loaded one by one.
///
/// A place in a module is a place of the map at `SourceMap.module_lines` of it: `lookup(module_lines[module] + line, column)`.
#[pyclass(frozen, module = "oxflow.sourcemap")]
pub(crate) struct RamBundle(oxflow_sourcemap::RamBundle);

fn limits(max_bytes: u64) -> Limits {
    Limits { bytes: max_bytes, ..Limits::default() }
}

#[pymethods]
impl RamBundle {
    /// Read a bundle in one file, as iOS has it, out of any buffer. All its modules are checked to lie in it.
    ///
    /// Raises `InvalidBundle`, or `LimitExceeded` for more than `max_bytes`.
    #[classmethod]
    #[pyo3(signature = (data: "ReadableBuffer", *, max_bytes = 512 << 20))]
    fn from_bytes(_class: &Bound<'_, PyType>, data: &Bound<'_, PyAny>, max_bytes: u64) -> PyResult<Self> {
        let py = data.py();
        let bytes = buffer(data)?;
        let read = py.detach(|| oxflow_sourcemap::RamBundle::read(&bytes, &limits(max_bytes)));
        read.map(Self).map_err(|error| map_error(py, &error))
    }

    /// Read a bundle by the path of its startup code: one file, or as Android has it the folder `js-modules` beside it.
    ///
    /// Raises `InvalidBundle`, `LimitExceeded` for more than `max_bytes` in all, `OSError` for what can't be read.
    #[classmethod]
    #[pyo3(signature = (path, *, max_bytes = 512 << 20))]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it extracted")]
    fn from_path(class: &Bound<'_, PyType>, path: PathBuf, max_bytes: u64) -> PyResult<Self> {
        let py = class.py();
        let read = py.detach(|| oxflow_sourcemap::RamBundle::open(&path, &limits(max_bytes)));
        read.map(Self).map_err(|error| map_error(py, &error))
    }

    /// The code that runs first.
    #[getter]
    fn startup_code<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.startup_code())
    }

    /// The numbers of the modules that are there, ascending.
    #[getter]
    fn modules(&self) -> Vec<u32> {
        self.0.modules().map(|module| module.id).collect()
    }

    /// The code of a module; `None` if there is none of this number.
    fn module<'py>(&self, py: Python<'py>, number: u32) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let module = self.0.module(number).map_err(|error| map_error(py, &error))?;
        Ok(module.map(|module| PyBytes::new(py, module.code)))
    }
}
