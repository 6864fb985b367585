//! Who records: a name, and perhaps a version.

use std::sync::{Arc, OnceLock};

use oxflow_telemetry::{AttributeLimits, Attributes, Scope};
use pyo3::prelude::*;

use super::value;

/// What spans are made in that nobody gave a library.
pub(super) fn own() -> &'static Arc<Scope> {
    static OWN: OnceLock<Arc<Scope>> = OnceLock::new();
    OWN.get_or_init(|| Arc::new(Scope::named("oxflow.telemetry")))
}

/// One out of what Python says.
pub(super) fn scope(
    name: &str,
    version: Option<&str>,
    schema_url: Option<&str>,
    attributes: Option<&Bound<'_, PyAny>>,
) -> PyResult<Arc<Scope>> {
    let mut kept = Attributes::new();
    value::fill(&mut kept, attributes, &AttributeLimits::default(), true)?;
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let (version, schema_url) = (text(version), text(schema_url));
    Ok(Arc::new(Scope { name: name.to_owned(), version, schema_url, attributes: kept }))
}
