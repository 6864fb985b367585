//! Documents of tasks as flat lists.

use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};

use super::failure::raise;

/// A document, which stays where it is: to copy a large one would hold the interpreter.
#[derive(FromPyObject)]
pub(crate) enum Document {
    Text(PyBackedStr),
    Bytes(PyBackedBytes),
}

/// Return the tasks of a nested document as a JSON list.
#[pyfunction]
#[pyo3(signature = (document: "str | bytes", depth))]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it extracted")]
pub(crate) fn flatten_tasks(py: Python<'_>, document: Document, depth: usize) -> PyResult<String> {
    let bytes: &[u8] = match &document {
        Document::Text(text) => text.as_bytes(),
        Document::Bytes(bytes) => bytes,
    };
    let flat = py.detach(|| oxflow_scheduler::flatten(bytes, depth).map(|tasks| serde_json::json!(tasks).to_string()));
    flat.map_err(|error| raise(py, &error))
}
