//! Python exceptions as the engine's faults.

use oxflow_engine::fault::{Cause, Fault, FaultKind};
use pyo3::prelude::*;

/// What went wrong with a message, before it is known which.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) step: usize,
    kind: FaultKind,
    class: String,
    text: String,
    detail: Option<String>,
    cause: Option<Py<PyAny>>,
}

impl Trouble {
    /// A function, codec or iterator raised.
    pub(super) fn raised(py: Python<'_>, step: usize, kind: FaultKind, error: &PyErr) -> Self {
        let value = error.value(py);
        let class = error.get_type(py).qualname().map_or_else(|_| "Exception".to_owned(), |name| name.to_string());
        let text = value.str().map_or_else(|_| "its text could not be made".to_owned(), |text| text.to_string());
        let cause = Some(value.clone().into_any().unbind());
        Self { step, kind, class, text, detail: traceback(py, error), cause }
    }

    /// A function returned something that its step can't use.
    pub(super) fn wrong_value(step: usize, value: &Bound<'_, PyAny>, wanted: &str) -> Self {
        let given = value.get_type().qualname().map_or_else(|_| "an object".to_owned(), |name| name.to_string());
        Self {
            step,
            kind: FaultKind::WrongValue,
            class: "TypeError".to_owned(),
            text: format!("it returned `{given}`, but {wanted}"),
            detail: None,
            cause: None,
        }
    }

    /// The fault of message `row` of the batch.
    pub(super) fn at(self, row: u32) -> Fault {
        Fault {
            step: self.step,
            row,
            kind: self.kind,
            class: self.class,
            text: self.text,
            detail: self.detail,
            cause: self.cause.map(|cause| Cause(Box::new(cause))),
        }
    }
}

fn traceback(py: Python<'_>, error: &PyErr) -> Option<String> {
    let lines = py.import("traceback").and_then(|module| module.call_method1("format_exception", (error.value(py),)));
    lines.and_then(|lines| lines.extract::<Vec<String>>()).ok().map(|lines| lines.concat())
}
