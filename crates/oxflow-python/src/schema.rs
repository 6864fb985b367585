//! Types out of schemas.

use std::error::Error;
use std::path::PathBuf;

use oxflow_engine::diagnostic::{Code, Diagnostic};
use oxflow_engine::plan::Place;
use oxflow_protobuf::ProtobufError;
use oxflow_schema::SchemaError;
use pyo3::prelude::*;

use crate::errors::{ErrorKind, exception};

/// Return the Rust source of the types of schemas, the names of those that are messages, and what the types don't say.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it extracted")]
pub(crate) fn schema_types(py: Python<'_>, files: Vec<PathBuf>) -> PyResult<(String, Vec<String>, Vec<String>)> {
    let made = py.detach(|| oxflow_schema::generate(&files));
    let types = made.map_err(|error| exception(py, ErrorKind::Schema, &[diagnostic(&error)]))?;
    let notes = types.notes.iter().map(|note| format!("{}: {}", note.place, note.text)).collect();
    Ok((types.file(), types.messages, notes))
}

/// Return the Rust source of the types of `.proto` files, and the names of those that are messages.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it extracted")]
pub(crate) fn protobuf_types(
    py: Python<'_>,
    files: Vec<PathBuf>,
    includes: Vec<PathBuf>,
) -> PyResult<(String, Vec<String>)> {
    let made = py.detach(|| oxflow_protobuf::generate(&files, &includes));
    let types = made.map_err(|error| exception(py, ErrorKind::Schema, &[protobuf_diagnostic(&error)]))?;
    Ok((types.file(), types.messages))
}

fn protobuf_diagnostic(error: &ProtobufError) -> Diagnostic {
    let place = error.file.clone().map(|file| Place { file, line: error.line, column: None, text: String::new() });
    Diagnostic::new(Code::BadSchema, &error.text)
        .at(place)
        .fix("mend the file; what it imports is looked for beside it, or in the folders of `--include`")
}

fn diagnostic(error: &SchemaError) -> Diagnostic {
    let place = Place { file: error.place.to_string(), line: 0, column: None, text: String::new() };
    let found = Diagnostic::new(Code::BadSchema, error.problem.to_string()).at(Some(place)).fix(error.problem.fix());
    match error.problem.source() {
        Some(source) => found.because(source.to_string()),
        None => found,
    }
}
