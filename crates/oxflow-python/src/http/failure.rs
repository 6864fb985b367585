//! Why a request has no response, as an exception.

use std::error::Error;
use std::fmt::Write as _;

use oxflow_engine::diagnostic::{Code, Diagnostic};
use oxflow_http::FetchError;
use pyo3::prelude::*;

use crate::errors::{ErrorKind, exception};

/// A failure in words, before anybody asks for the exception.
pub(super) struct Failure {
    pub(super) kind: &'static str,
    text: String,
}

impl Failure {
    /// `subject` says which request it was.
    pub(super) fn new(subject: &str, error: &FetchError) -> Self {
        let mut text = format!("{subject}: {error}");
        let mut cause = error.source();
        while let Some(error) = cause {
            let _ = write!(text, ": {error}");
            cause = error.source();
        }
        Self { kind: error.kind(), text }
    }

    pub(super) fn status(subject: &str, status: u16) -> Self {
        Self { kind: "status", text: format!("{subject}: the response has status {status}") }
    }

    pub(super) fn raise(&self, py: Python<'_>) -> PyErr {
        let (code, fix) = advice(self.kind);
        let raised = exception(py, ErrorKind::Fetch, &[Diagnostic::new(code, self.text.clone()).fix(fix)]);
        let told = raised.value(py).setattr("kind", self.kind);
        told.map_or_else(|error| error, |()| raised)
    }
}

/// The exception for a call that can't be made.
pub(super) fn raise(py: Python<'_>, subject: &str, error: &FetchError) -> PyErr {
    Failure::new(subject, error).raise(py)
}

fn advice(kind: &str) -> (Code, &'static str) {
    match kind {
        "invalid" => (Code::BadRequest, "correct the request"),
        "timeout" => (Code::NoResponse, "give a longer `timeout`, or `retries`"),
        "too large" => (Code::NoResponse, "raise `max_body_bytes` if you trust the server"),
        "forked" => (Code::NoResponse, "make the call anew in this process"),
        "cancelled" => (Code::NoResponse, "make the call again"),
        "status" => (Code::NoResponse, "see what the body says; `retries` repeats 429 and 502 to 504"),
        _ => (Code::NoResponse, "see whether the server is there, and try again; `retries` does so by itself"),
    }
}
