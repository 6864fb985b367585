//! Loggers.

use std::sync::Arc;

use oxflow_telemetry::{Attributes, LogRecord, Scope, Severity, SpanContext, Value, now_ns};
use pyo3::prelude::*;

use super::{context, process, scope, value};

/// Makes log records under a name. `oxflow.telemetry.Logger` is its face.
#[pyclass(frozen, subclass, module = "oxflow._oxflow")]
pub(crate) struct Logger {
    scope: Arc<Scope>,
}

#[pymethods]
impl Logger {
    #[new]
    #[pyo3(signature = (name, version = None, schema_url = None, attributes: "Mapping[str, Any] | None" = None))]
    fn new(
        name: &str,
        version: Option<&str>,
        schema_url: Option<&str>,
        attributes: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        Ok(Self { scope: scope::scope(name, version, schema_url, attributes)? })
    }

    /// Whether anybody takes records of this severity, from 1 to 24, or of none, 0.
    #[expect(clippy::unused_self, reason = "to Python it is a method of the logger")]
    fn is_enabled(&self, severity: u8) -> bool {
        let least = process::current().and_then(oxflow_telemetry::Telemetry::least_severity);
        least.is_some_and(|least| Severity(severity).reaches(least))
    }

    /// Make a record.
    ///
    /// Args:
    ///     severity: from 1 to 24, in groups of four from trace to fatal; 0 if nobody gave it one.
    ///     body: what it says.
    ///     attributes: names and values.
    ///     `severity_text`: the severity in the words of who made it.
    ///     `time_ns`: when it was, in nanoseconds since 1970, if that isn't now.
    ///     `observed_ns`: when it was seen, if that isn't now.
    ///     `event_name`: the kind of event that it is.
    ///     span: the one that it was made in, if that isn't the current one; whatever has the fields of OpenTelemetry's `SpanContext` will do.
    #[pyo3(signature = (severity, body: "Any", attributes: "Mapping[str, Any] | None" = None, *, severity_text = None, time_ns = None, observed_ns = None, event_name = None, span: "Any" = None))]
    #[expect(clippy::too_many_arguments, reason = "each is a field of a record")]
    fn emit(
        &self,
        py: Python<'_>,
        severity: u8,
        body: &Bound<'_, PyAny>,
        attributes: Option<&Bound<'_, PyAny>>,
        severity_text: Option<&str>,
        time_ns: Option<u64>,
        observed_ns: Option<u64>,
        event_name: Option<&str>,
        span: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let severity = Severity(severity.min(24));
        let Some(telemetry) = process::current() else { return Ok(()) };
        if telemetry.least_severity().is_none_or(|least| !severity.reaches(least)) {
            return Ok(());
        }
        let mut kept = Attributes::new();
        value::fill(&mut kept, attributes, telemetry.log_limits(), false)?;
        let copied = |context: Option<&SpanContext>| context.cloned();
        let context = match span {
            Some(span) => context::with_context(span, copied),
            None => context::with_current(py, copied),
        };
        let now_ns = now_ns();
        value::with_value(body, |body| {
            let record = LogRecord {
                time_ns: time_ns.unwrap_or(now_ns),
                observed_ns: observed_ns.unwrap_or(now_ns),
                severity,
                severity_text: severity_text.unwrap_or(severity.name()),
                body: lent(body),
                attributes: kept,
                context,
                event_name: event_name.unwrap_or_default(),
            };
            telemetry.log(&self.scope, &record);
        });
        Ok(())
    }

    /// Everything.
    #[pyo3(signature = (message: "Any", *, attributes: "Mapping[str, Any] | None" = None))]
    fn trace(&self, message: &Bound<'_, PyAny>, attributes: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        self.log(Severity::TRACE, message, attributes)
    }

    /// For who looks for a fault.
    #[pyo3(signature = (message: "Any", *, attributes: "Mapping[str, Any] | None" = None))]
    fn debug(&self, message: &Bound<'_, PyAny>, attributes: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        self.log(Severity::DEBUG, message, attributes)
    }

    /// Something worth knowing happened.
    #[pyo3(signature = (message: "Any", *, attributes: "Mapping[str, Any] | None" = None))]
    fn info(&self, message: &Bound<'_, PyAny>, attributes: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        self.log(Severity::INFO, message, attributes)
    }

    /// Something is wrong, and work goes on.
    #[pyo3(signature = (message: "Any", *, attributes: "Mapping[str, Any] | None" = None))]
    fn warn(&self, message: &Bound<'_, PyAny>, attributes: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        self.log(Severity::WARN, message, attributes)
    }

    /// Something failed.
    #[pyo3(signature = (message: "Any", *, attributes: "Mapping[str, Any] | None" = None))]
    fn error(&self, message: &Bound<'_, PyAny>, attributes: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        self.log(Severity::ERROR, message, attributes)
    }

    /// Nothing goes on.
    #[pyo3(signature = (message: "Any", *, attributes: "Mapping[str, Any] | None" = None))]
    fn fatal(&self, message: &Bound<'_, PyAny>, attributes: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        self.log(Severity::FATAL, message, attributes)
    }

    /// Its name.
    #[getter]
    fn name(&self) -> &str {
        &self.scope.name
    }
}

impl Logger {
    fn log(
        &self,
        severity: Severity,
        message: &Bound<'_, PyAny>,
        attributes: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        self.emit(message.py(), severity.0, message, attributes, None, None, None, None, None)
    }
}

/// The same value, without a copy of its text.
fn lent<'a>(value: &'a Value<'_>) -> Value<'a> {
    match value {
        Value::Text(text) => Value::Text(text.as_ref().into()),
        other => other.clone(),
    }
}
