//! The configuration: loaded and checked.

use std::collections::BTreeMap;

use oxflow_engine::config::{self, Config};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::errors::{ErrorKind, exception, to_json};
use crate::plan;

/// The normalised configuration that `load_config` gave.
pub(crate) fn parse(text: &str) -> PyResult<Config> {
    serde_json::from_str(text).map_err(|error| PyValueError::new_err(format!("malformed configuration: {error}")))
}

/// Load a configuration and return it complete and normalised, as JSON.
///
/// `text` is YAML; `file` is its name in errors; `sets` are pairs of a dotted key and a value, and win over the variables
/// `OXFLOW__A__B` of `environment`, which win over the file.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it extracted")]
pub(crate) fn load_config(
    py: Python<'_>,
    text: &str,
    file: &str,
    sets: Vec<(String, String)>,
    environment: BTreeMap<String, String>,
) -> PyResult<String> {
    let loaded = py.detach(|| Config::load(text, file, &sets, &environment));
    let config = loaded.map_err(|diagnostic| exception(py, ErrorKind::Config, &[diagnostic]))?;
    serde_json::to_string(&config).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// Check a configuration against a plan and return what is wrong, as a JSON list of diagnostics.
#[pyfunction]
pub(crate) fn check_config(py: Python<'_>, plan: &str, config: &str) -> PyResult<String> {
    let (plan, config) = (plan::parse(plan)?, parse(config)?);
    Ok(py.detach(|| to_json(&config.check(&plan)).to_string()))
}

/// Return the JSON Schema of the configuration.
#[pyfunction]
pub(crate) fn config_schema() -> String {
    config::schema().to_string()
}
