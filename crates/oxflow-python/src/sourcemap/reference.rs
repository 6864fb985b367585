//! Which map generated code refers to.

use pyo3::prelude::*;

use super::input::buffer;

/// Return the URL of the map that generated JavaScript or CSS refers to in its last comments, and its debug id.
#[pyfunction]
#[pyo3(signature = (code: "ReadableBuffer"))]
pub(crate) fn map_reference(code: &Bound<'_, PyAny>) -> PyResult<Option<(String, Option<String>)>> {
    let code_bytes = buffer(code)?;
    let found = code.py().detach(|| oxflow_sourcemap::find_reference((*code_bytes).as_ref()));
    Ok(found.map(|found| (found.url, found.debug_id)))
}
