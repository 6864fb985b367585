//! The SDK that goes with this runtime: its sources, and the ABI that both speak.

use flate2::read::GzDecoder;
use oxflow::abi;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// Path in the repository and text of each file, as JSON; `build.rs` makes the list.
const SOURCES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/sdk_sources.json.gz"));

/// Return the sources of the SDK that this runtime was built with, as paths in the repository and texts.
#[pyfunction]
pub(crate) fn sdk_sources(py: Python<'_>) -> PyResult<Vec<(String, String)>> {
    py.detach(|| serde_json::from_reader(GzDecoder::new(SOURCES)))
        .map_err(|error| PyRuntimeError::new_err(format!("the SDK's sources are damaged: {error}")))
}

/// Return major and minor version of the ABI between extensions and this runtime.
#[pyfunction]
pub(crate) fn abi_version() -> (u32, u32) {
    (abi::MAJOR, abi::MINOR)
}
