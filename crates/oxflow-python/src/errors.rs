//! Raises the engine's errors as the exceptions of `oxflow.errors`.

use std::any::Any;

use oxflow_engine::diagnostic::Diagnostic;
use oxflow_engine::fault::{FaultKind, StepError};
use oxflow_engine::job::JobError;
use pyo3::prelude::*;
use serde_json::json;

use crate::runtime::Exception;

/// Which exception an error becomes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ErrorKind {
    Plan,
    Config,
    Stream,
    Step,
    Panic,
    Limit,
    Extension,
    Schema,
    Scheduler,
    Fetch,
    Internal,
}

impl ErrorKind {
    fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Config => "config",
            Self::Stream => "stream",
            Self::Step => "step",
            Self::Panic => "panic",
            Self::Limit => "limit",
            Self::Extension => "extension",
            Self::Schema => "schema",
            Self::Scheduler => "scheduler",
            Self::Fetch => "fetch",
            Self::Internal => "internal",
        }
    }

    fn of(error: &JobError) -> Self {
        match error {
            JobError::Plan(findings) if findings.iter().all(|finding| finding.code.id().starts_with("OXF04")) => {
                Self::Stream
            }
            JobError::Plan(findings) if findings.iter().all(|finding| finding.code.id().starts_with("OXF03")) => {
                Self::Config
            }
            JobError::Plan(_) => Self::Plan,
            JobError::Connect(_) | JobError::Checkpoint(_) => Self::Stream,
            JobError::Step(error) if error.fault.kind == FaultKind::Panicked => Self::Panic,
            JobError::Step(_) => Self::Step,
            JobError::TooManyFailed(_) => Self::Limit,
            JobError::Internal(_) => Self::Internal,
        }
    }
}

/// Diagnostics with their rendered text, as the package reads them.
pub(crate) fn to_json(diagnostics: &[Diagnostic]) -> serde_json::Value {
    let with_text = |diagnostic: &Diagnostic| {
        let mut value = json!(diagnostic);
        if let Some(fields) = value.as_object_mut() {
            fields.insert("text".to_owned(), json!(diagnostic.render()));
        }
        value
    };
    diagnostics.iter().map(with_text).collect()
}

/// The exception for diagnostics.
pub(crate) fn exception(py: Python<'_>, kind: ErrorKind, diagnostics: &[Diagnostic]) -> PyErr {
    let report = json!({"kind": kind.name(), "diagnostics": to_json(diagnostics)}).to_string();
    let made = py.import("oxflow.errors").and_then(|errors| errors.call_method1("from_report", (report,)));
    made.map_or_else(|error| error, PyErr::from_value)
}

/// The exception for what ended a run; the exception of a Python step becomes its cause.
pub(crate) fn job_exception(py: Python<'_>, error: JobError) -> PyErr {
    let raised = exception(py, ErrorKind::of(&error), &error.diagnostics());
    match error {
        JobError::Step(error) => raised.set_cause(py, cause(py, *error)),
        JobError::TooManyFailed(error) => raised.set_cause(py, cause(py, error.last)),
        _ => {}
    }
    raised
}

fn cause(py: Python<'_>, error: StepError) -> Option<PyErr> {
    let raised: Box<dyn Any> = error.fault.cause?.0;
    let object = raised.downcast::<Exception>().ok()?.0;
    Some(PyErr::from_value(object.into_bound(py)))
}
