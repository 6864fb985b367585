//! Exceptions, as events of spans.

use oxflow_telemetry::{Span as Recorded, Status};
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::value;

/// An exception, and what its event says.
pub(super) struct Raised<'a, 'py> {
    pub(super) error: &'a Bound<'py, PyAny>,
    /// It left the span.
    pub(super) has_escaped: bool,
    /// What else is known of it.
    pub(super) attributes: Option<&'a Bound<'py, PyAny>>,
    /// When it was, if that isn't now.
    pub(super) time_ns: Option<u64>,
}

impl<'a, 'py> Raised<'a, 'py> {
    pub(super) fn now(error: &'a Bound<'py, PyAny>) -> Self {
        Self { error, has_escaped: false, attributes: None, time_ns: None }
    }

    /// Adds it to a span, with its stack.
    pub(super) fn record(&self, span: &Recorded) -> PyResult<()> {
        if !span.is_recording() {
            return Ok(());
        }
        let error = self.error;
        let py = error.py();
        let kind = error.get_type();
        let (module, name) = (kind.module()?.to_string(), kind.qualname()?.to_string());
        let full = if module == "builtins" { name } else { format!("{module}.{name}") };
        let lines = py
            .import("traceback")?
            .call_method1("format_exception", (&kind, error, error.getattr("__traceback__")?))?;
        let stack: String = PyString::new(py, "").call_method1("join", (lines,))?.extract()?;
        let message = value::text(error);
        let mut filled = Ok(());
        span.add_event("exception", self.time_ns, |kept, limits| {
            let limits = &limits.event_attributes;
            kept.set("exception.type", &full.as_str().into(), limits);
            kept.set("exception.message", &message.as_str().into(), limits);
            kept.set("exception.stacktrace", &stack.as_str().into(), limits);
            kept.set("exception.escaped", &(if self.has_escaped { "True" } else { "False" }).into(), limits);
            filled = value::fill(kept, self.attributes, limits, true);
        });
        filled
    }

    /// The status of a span that it ended.
    pub(super) fn status(&self) -> PyResult<Status> {
        let kind = self.error.get_type().name()?;
        Ok(Status::Error(format!("{kind}: {}", value::text(self.error))))
    }
}
