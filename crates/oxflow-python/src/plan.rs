//! Plans: checked and drawn.

use std::collections::HashMap;

use oxflow_engine::diagnostic::Diagnostic;
use oxflow_engine::lower::lower;
use oxflow_engine::plan::{self, Plan};
use oxflow_engine::{diagnostic, graph as draw};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::errors::{ErrorKind, exception, to_json};
use crate::job::native_bindings;

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

/// Return the runs that the steps are cut into, as a JSON list of languages and steps.
#[pyfunction]
#[pyo3(signature = (plan, functions: "dict[str, object]"))]
pub(crate) fn runs(py: Python<'_>, plan: &str, functions: HashMap<String, Bound<'_, PyAny>>) -> PyResult<String> {
    let plan = parse(plan)?;
    let (bindings, _) = native_bindings(functions);
    let lowered = py.detach(|| lower(&plan, &bindings).map(|program| program.runs()));
    let runs = lowered.map_err(|finding| exception(py, ErrorKind::Plan, &[finding]))?;
    serde_json::to_string(&runs).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// Render a diagnostic as text.
#[pyfunction]
#[pyo3(signature = (code, message, place: "tuple[str, int, int | None, str] | None", why, fix))]
pub(crate) fn render(
    code: &str,
    message: String,
    place: Option<(String, u32, Option<u32>, String)>,
    why: Option<String>,
    fix: Option<String>,
) -> PyResult<String> {
    let known = diagnostic::Code::ALL.iter().find(|known| known.id() == code);
    let code = *known.ok_or_else(|| PyValueError::new_err(format!("there is no code `{code}`")))?;
    let place = place.map(|(file, line, column, text)| Box::new(plan::Place { file, line, column, text }));
    Ok(Diagnostic { code, message, place, why, fix }.render())
}

/// Draw a plan as `mermaid`, `dot`, `svg` or `json`; a plan that can't run has no runs to show.
#[pyfunction]
#[pyo3(signature = (plan, format, functions: "dict[str, object]"))]
pub(crate) fn graph(
    py: Python<'_>,
    plan: &str,
    format: &str,
    functions: HashMap<String, Bound<'_, PyAny>>,
) -> PyResult<String> {
    let plan = parse(plan)?;
    let (bindings, _) = native_bindings(functions);
    let drawn = py.detach(|| draw::draw(&plan, &bindings, format));
    drawn.ok_or_else(|| PyValueError::new_err(format!("a graph has no format `{format}`")))
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
