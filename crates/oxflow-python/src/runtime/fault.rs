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
        // Up to Python 3.11 the value alone doesn't know its traceback; this puts it there.
        let value = error.clone_ref(py).into_value(py).into_bound(py);
        let class = error.get_type(py).qualname().map_or_else(|_| "Exception".to_owned(), |name| name.to_string());
        let text = value.str().map_or_else(|_| "its text could not be made".to_owned(), |text| text.to_string());
        let detail = traceback(py, value.as_any());
        Self { step, kind, class, text, detail, cause: Some(value.into_any().unbind()) }
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

fn traceback(py: Python<'_>, error: &Bound<'_, PyAny>) -> Option<String> {
    let lines = py.import("traceback").and_then(|module| module.call_method1("format_exception", (error,)));
    lines.and_then(|lines| lines.extract::<Vec<String>>()).ok().map(|lines| lines.concat())
}
