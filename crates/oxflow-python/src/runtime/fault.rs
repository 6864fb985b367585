//! Python exceptions as the engine's faults.

use oxflow_engine::fault::{Cause, ExitRequest, Fault, FaultKind, Raised};
use oxflow_engine::run::Context;
use oxflow_engine::shorten;
use pyo3::exceptions::{PyKeyboardInterrupt, PySystemExit};
use pyo3::prelude::*;
use pyo3::types::PyInt;

/// What went wrong with a message, before it is known which.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The message failed.
    Fault(Box<Fault>),
    /// The function asked the process to end. That says nothing about the message, so it is left for a later run.
    Exit(ExitRequest),
}

impl Trouble {
    /// A function, codec or iterator raised.
    pub(super) fn raised(py: Python<'_>, step: usize, kind: FaultKind, error: &PyErr) -> Self {
        if let Some(exit) = exit_request(py, step, error) {
            return Self::Exit(exit);
        }
        let (class, text, cause) = described(py, error);
        Self::Fault(Box::new(Fault { step, row: 0, kind, class, text, detail: None, cause: Some(cause), wish: None }))
    }

    /// A module could not give a payload.
    pub(super) fn of(fault: Box<Fault>) -> Self {
        Self::Fault(fault)
    }

    /// A function returned something that its step can't use.
    pub(super) fn wrong_value(step: usize, value: &Bound<'_, PyAny>, wanted: &str) -> Self {
        let given = value.get_type().qualname().map_or_else(|_| "an object".to_owned(), |name| name.to_string());
        Self::Fault(Box::new(Fault {
            step,
            row: 0,
            kind: FaultKind::WrongValue,
            class: "TypeError".to_owned(),
            text: format!("it returned `{given}`, but {wanted}"),
            detail: None,
            cause: None,
            wish: None,
        }))
    }

    /// Tells the engine what happened to message `row` of the batch; true if no later message is to be handled.
    pub(super) fn tell(self, row: u32, context: &mut Context<'_>) -> bool {
        match self {
            Self::Fault(fault) => context.fail(Fault { row, ..*fault }),
            Self::Exit(request) => {
                context.exit(ExitRequest { row, ..request });
                true
            }
        }
    }
}

/// What the process does after an interrupt, by the custom of shells: 128 and the number of the signal.
const INTERRUPTED: u8 = 130;

/// What an exception says that asks the process to end, if it is one of those.
fn exit_request(py: Python<'_>, step: usize, error: &PyErr) -> Option<ExitRequest> {
    let request = |class, passed, code| Some(ExitRequest { step, row: 0, class, passed, code });
    if error.is_instance_of::<PyKeyboardInterrupt>(py) {
        return request("KeyboardInterrupt", String::new(), INTERRUPTED);
    }
    if !error.is_instance_of::<PySystemExit>(py) {
        return None;
    }
    let code = error.value(py).getattr("code").ok().filter(|code| !code.is_none());
    let passed = code.as_ref().map_or_else(String::new, |code| {
        code.repr().map_or_else(|_| "its text could not be made".to_owned(), |text| text.to_string())
    });
    request("SystemExit", shorten::text(&passed).into_owned(), code.as_ref().map_or(0, exit_code))
}

/// The exit code that `sys.exit` with this value gives. The system would keep the lowest byte of an integer, so that some
/// failures look like success: what doesn't fit is 255.
fn exit_code(value: &Bound<'_, PyAny>) -> u8 {
    if value.is_instance_of::<PyInt>() { value.extract().unwrap_or(u8::MAX) } else { 1 }
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
