//! Plans: checked and drawn.

use oxflow_engine::plan::{self, Plan};
use oxflow_engine::{diagnostic, graph as draw};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::errors::to_json;

/// The plan that the package wrote. It is the package's own form, so a fault in it is a bug of ours.
pub(crate) fn parse(text: &str) -> PyResult<Plan> {
    serde_json::from_str(text).map_err(|error| PyValueError::new_err(format!("malformed plan: {error}")))
}

/// Check a plan and return what is wrong with it, as a JSON list of diagnostics.
#[pyfunction]
pub(crate) fn check(py: Python<'_>, plan: &str) -> PyResult<String> {
    let plan = parse(plan)?;
    Ok(py.detach(|| to_json(&plan::check(&plan)).to_string()))
}

/// Draw a plan as `mermaid`, `dot`, `svg` or `json`.
#[pyfunction]
pub(crate) fn graph(py: Python<'_>, plan: &str, format: &str) -> PyResult<String> {
    let plan = parse(plan)?;
    let drawn = match format {
        "mermaid" => draw::mermaid,
        "dot" => draw::dot,
        "svg" => draw::svg,
        "json" => draw::json,
        _ => return Err(PyValueError::new_err(format!("a graph has no format `{format}`"))),
    };
    Ok(py.detach(|| drawn(&plan)))
}

/// Return the page that explains an error code, or `None` for an unknown one.
#[pyfunction]
pub(crate) fn explain(code: &str) -> Option<&'static str> {
    diagnostic::explain(code)
}

/// Return all error codes, in order.
#[pyfunction]
pub(crate) fn error_codes() -> Vec<&'static str> {
    diagnostic::Code::ALL.iter().map(|code| code.id()).collect()
}
