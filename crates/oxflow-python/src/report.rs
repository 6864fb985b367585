//! Reports, as people read them.

use oxflow_engine::report;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Return the text of a report, which is JSON; `recorded` are lines of what extensions recorded.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it extracted")]
pub(crate) fn report_text(py: Python<'_>, report: &str, recorded: Vec<String>) -> PyResult<String> {
    let report = serde_json::from_str(report).map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(py.detach(|| report::text(&report, &recorded)))
}

/// Spell a time with three digits in a unit that suits it.
#[pyfunction]
pub(crate) fn duration(seconds: f64) -> String {
    report::duration(seconds)
}
