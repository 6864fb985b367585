//! Python exceptions as the engine's faults.

use oxflow_engine::fault::{Cause, Fault, FaultKind, Raised};
use oxflow_engine::run::Context;
use pyo3::exceptions::{PyKeyboardInterrupt, PySystemExit};
use pyo3::prelude::*;

/// What went wrong with a message, before it is known which.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The message failed.
    Fault(Fault),
    /// The function asked the process to end. That says nothing about the message, so it is left for a later run.
    Stop,
}

impl Trouble {
    /// A function, codec or iterator raised.
    pub(super) fn raised(py: Python<'_>, step: usize, kind: FaultKind, error: &PyErr) -> Self {
        if error.is_instance_of::<PySystemExit>(py) || error.is_instance_of::<PyKeyboardInterrupt>(py) {
            return Self::Stop;
        }
        let (class, text, cause) = described(py, error);
        Self::Fault(Fault { step, row: 0, kind, class, text, detail: None, cause: Some(cause) })
    }

    /// A function returned something that its step can't use.
    pub(super) fn wrong_value(step: usize, value: &Bound<'_, PyAny>, wanted: &str) -> Self {
        let given = value.get_type().qualname().map_or_else(|_| "an object".to_owned(), |name| name.to_string());
        Self::Fault(Fault {
            step,
            row: 0,
            kind: FaultKind::WrongValue,
            class: "TypeError".to_owned(),
            text: format!("it returned `{given}`, but {wanted}"),
            detail: None,
            cause: None,
        })
    }

    /// Tells the engine what happened to message `row` of the batch; true if no later message is to be handled.
    pub(super) fn tell(self, row: u32, context: &mut Context<'_>) -> bool {
        match self {
            Self::Fault(fault) => context.fail(Fault { row, ..fault }),
            Self::Stop => {
                context.stop_at(row);
                true
            }
        }
    }
}

/// Class, text and object of an exception.
pub(crate) fn described(py: Python<'_>, error: &PyErr) -> (String, String, Cause) {
    // Up to Python 3.11 the value alone doesn't know its traceback; this puts it there.
    let value = error.clone_ref(py).into_value(py).into_bound(py);
    let class = error.get_type(py).qualname().map_or_else(|_| "Exception".to_owned(), |name| name.to_string());
    let text = value.str().map_or_else(|_| "its text could not be made".to_owned(), |text| text.to_string());
    (class, text, Cause(Box::new(Exception(value.into_any().unbind()))))
}

/// The exception that a message failed with.
pub(crate) struct Exception(pub(crate) Py<PyAny>);

impl Raised for Exception {
    fn traceback(&self) -> Option<String> {
        Python::try_attach(|py| {
            let formatted = py.import("oxflow._traceback")?.call_method1("of_user_code", (&self.0,))?;
            formatted.extract::<Option<String>>()
        })?
        .ok()
        .flatten()
    }
}
