//! Raises what is wrong with a source map.

use oxflow_engine::diagnostic::{Code, Diagnostic};
use oxflow_sourcemap::Error;
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use serde_json::{Value, json};

use crate::errors::to_json;

/// The exception for a fault.
pub(crate) fn map_error(py: Python<'_>, error: &Error) -> PyErr {
    if let Error::Write { .. } | Error::File { .. } = error {
        return PyOSError::new_err(error.to_string());
    }
    let (class, code, fields) = parts(error);
    let diagnostic = Diagnostic::new(code, error.to_string()).fix(fix(error));
    let report = json!({"class": class, "fields": fields, "diagnostics": to_json(&[diagnostic])}).to_string();
    let made = py.import("oxflow.errors").and_then(|errors| errors.call_method1("from_source_map", (report,)));
    made.map_or_else(|error| error, PyErr::from_value)
}

fn parts(error: &Error) -> (&'static str, Code, Value) {
    match error {
        Error::Json { line, column, .. } => ("InvalidJson", Code::MapJson, json!({"line": line, "column": column})),
        Error::Version { found } => ("UnsupportedVersion", Code::MapVersion, json!({"found": found})),
        Error::Mappings { offset, line, segment, reason } => (
            "InvalidMappings",
            Code::MapMappings,
            json!({"offset": offset, "line": line, "segment": segment, "reason": reason.to_string()}),
        ),
        Error::Reference { kind, index, limit } => {
            ("BadReference", Code::MapReference, json!({"kind": kind.to_string(), "index": index, "limit": limit}))
        }
        Error::Section { index, .. } => ("InvalidSection", Code::MapSection, json!({"index": index})),
        Error::IndexVersion { found } => ("IndexVersion", Code::IndexVersion, json!({"found": found})),
        Error::IndexCorrupt { what } => ("IndexCorrupt", Code::IndexCorrupt, json!({"what": what})),
        Error::Field { field, offset, .. } => {
            ("InvalidField", Code::MapField, json!({"field": field, "offset": offset}))
        }
        Error::Bundle { .. } => ("InvalidBundle", Code::MapBundle, json!({})),
        Error::Write { .. } | Error::File { .. } => ("InvalidIndex", Code::IndexCorrupt, json!({})),
        Error::Of { error, .. } => parts(error),
        Error::Limit { what, limit } => ("LimitExceeded", Code::MapLimit, json!({"what": what, "limit": limit})),
    }
}

fn fix(error: &Error) -> &'static str {
    match error {
        Error::Json { .. } => "see whether this is a source map, and whole",
        Error::Version { .. } => "have the tool that wrote the map write version 3",
        Error::Mappings { .. } => "build the map anew",
        Error::Reference { .. } | Error::Field { .. } => "build the map anew, or read it without `strict`",
        Error::Section { .. } => "correct the tool that put the maps together",
        Error::IndexVersion { .. } => "build the index anew with this version of oxflow",
        Error::Bundle { .. } => "see whether this is a RAM bundle, and whole",
        Error::IndexCorrupt { .. } | Error::Write { .. } | Error::File { .. } => "build the index anew",
        Error::Of { error, .. } => fix(error),
        Error::Limit { .. } => "raise the limit if you trust where the map comes from",
    }
}

/// What goes wrong where Python code is asked for maps: a fault of a map, or an exception of Python's own.
pub(super) enum Failure {
    Map(Error),
    Python(PyErr),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Map(error)
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl Failure {
    pub(super) fn raise(self, py: Python<'_>) -> PyErr {
        match self {
            Self::Map(error) => map_error(py, &error),
            Self::Python(error) => error,
        }
    }
}
