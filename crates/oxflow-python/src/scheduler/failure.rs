//! Raises the scheduler's errors as exceptions.

use oxflow_engine::diagnostic::{Code, Diagnostic};
use oxflow_scheduler::SchedulerError;
use pyo3::prelude::*;

use crate::errors::{ErrorKind, exception};

/// What goes wrong while objects are read: the scheduler's error, or an exception of Python's own.
pub(super) enum Failure {
    Scheduler(SchedulerError),
    Python(PyErr),
}

impl From<SchedulerError> for Failure {
    fn from(error: SchedulerError) -> Self {
        Self::Scheduler(error)
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
            Self::Scheduler(error) => raise(py, &error),
            Self::Python(error) => error,
        }
    }
}

/// The exception for an error.
pub(super) fn raise(py: Python<'_>, error: &SchedulerError) -> PyErr {
    let (code, fix) = advice(error);
    exception(py, ErrorKind::Scheduler, &[Diagnostic::new(code, error.to_string()).fix(fix)])
}

fn advice(error: &SchedulerError) -> (Code, &'static str) {
    match error {
        SchedulerError::Amount { .. } => (Code::BadAmount, "give a finite number from 0 on"),
        SchedulerError::Quantity { .. } => {
            (Code::BadAmount, "give a number, or a text with a unit: `500m`, `2`, `200GiB`")
        }
        SchedulerError::Field { .. } => (Code::BadField, "add the field, or say with `fields` where it is"),
        SchedulerError::UnknownResource { .. } => (Code::BadField, "name it in `resources` of the matcher"),
        SchedulerError::Duplicate(_) => (Code::DuplicateName, "give each its own name"),
        SchedulerError::Constraint { .. } => (
            Code::BadConstraint,
            "write it as `(attribute, operator, value)`; `oxflow explain OXF1004` lists the operators",
        ),
        SchedulerError::Setting(_) => (Code::BadMatcher, "make the matcher with other settings"),
        SchedulerError::UnknownOffer(_) => {
            (Code::UnknownOffer, "add it first; an offer that was taken is there no more")
        }
        SchedulerError::NotLeftOver(_) => (Code::UnknownOffer, "ask about a task in `unplaced`"),
        SchedulerError::Score { .. } | SchedulerError::ScoreFailed { .. } => {
            (Code::ScoreFailed, "return a number for every task and offer; infinity forbids the offer")
        }
        SchedulerError::Document(_) => (Code::BadTaskDocument, "mend the document"),
    }
}
