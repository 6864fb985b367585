//! Pipelines in YAML.

use oxflow_engine::definition::{self, Definition};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::errors::{ErrorKind, exception};

/// Read a pipeline in YAML and return it as JSON, in which what can be wrong has its place: `[line, column, value]`.
///
/// `file` is the name of `text` in errors.
#[pyfunction]
pub(crate) fn load_definition(py: Python<'_>, text: &str, file: &str) -> PyResult<String> {
    let loaded = py.detach(|| Definition::load(text, file));
    let definition = loaded.map_err(|findings| exception(py, ErrorKind::Plan, &findings))?;
    serde_json::to_string(&definition).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// Return the JSON Schema of a pipeline in YAML.
#[pyfunction]
pub(crate) fn pipeline_schema() -> String {
    definition::schema().to_string()
}
