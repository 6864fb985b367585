//! The SDK that goes with this runtime: its sources, and the ABI that both speak.

use oxflow::abi;
use pyo3::prelude::*;

/// Path in the repository and text of each file; `build.rs` makes the list.
const SOURCES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sdk_sources.rs"));

/// Return the sources of the SDK that this runtime was built with, as paths in the repository and texts.
#[pyfunction]
pub(crate) fn sdk_sources() -> Vec<(&'static str, &'static str)> {
    SOURCES.to_vec()
}

/// Return major and minor version of the ABI between extensions and this runtime.
#[pyfunction]
pub(crate) fn abi_version() -> (u32, u32) {
    (abi::MAJOR, abi::MINOR)
}
