//! The hand-over that sentry-streams' `convert_via_json!` does: `json.dumps`, serde, the function, serde, `json.loads`.

use std::collections::BTreeMap;

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Reading {
    org_id: u64,
    project_id: u64,
    name: String,
    timestamp: i64,
    value: f64,
    tags: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Judged {
    org_id: u64,
    project_id: u64,
    name: String,
    timestamp: i64,
    value: f64,
    tags: BTreeMap<String, String>,
    large: bool,
}

fn judged(reading: Reading) -> Judged {
    let Reading { org_id, project_id, name, timestamp, value, tags } = reading;
    Judged { org_id, project_id, name, timestamp, value, tags, large: value > 100.0 }
}

/// The same work as the functions of oxflow do.
#[pyfunction]
fn judge<'py>(payload: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = payload.py();
    let json = py.import(intern!(py, "json"))?;
    let text: String = json.call_method1(intern!(py, "dumps"), (payload,))?.extract()?;
    let wrong = |error: serde_json::Error| PyValueError::new_err(error.to_string());
    let text = py.detach(|| serde_json::to_string(&judged(serde_json::from_str(&text)?))).map_err(wrong)?;
    json.call_method1(intern!(py, "loads"), (text,))
}

#[pymodule]
fn json_round_trip(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(judge, module)?)
}
