//! Which span a task or thread is in.
//!
//! It stands in a `ContextVar`, of ours until OpenTelemetry's own API is loaded ([`super::foreign`]), and then of its.

use std::sync::Arc;

use oxflow_engine::telemetry::Export;
use oxflow_engine::telemetry::otlp::innermost;
use oxflow_telemetry::SpanContext;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

use super::foreign::{Foreign, foreign};
use super::process;
use super::span::Span;

/// A `ContextVar`, as its three methods.
pub(super) struct Variable {
    get: Py<PyAny>,
    set: Py<PyAny>,
    reset: Py<PyAny>,
}

static SPAN: PyOnceLock<Variable> = PyOnceLock::new();
static BAGGAGE: PyOnceLock<Variable> = PyOnceLock::new();

impl Variable {
    fn new(py: Python<'_>, name: &str) -> PyResult<Self> {
        let options = PyDict::new(py);
        options.set_item("default", py.None())?;
        let made = py.import("contextvars")?.getattr("ContextVar")?.call((name,), Some(&options))?;
        let [get, set, reset] = ["get", "set", "reset"].map(|method| made.getattr(method).map(Bound::unbind));
        Ok(Self { get: get?, set: set?, reset: reset? })
    }

    fn get<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.get.bind(py).call0().ok().filter(|found| !found.is_none())
    }

    fn set(&self, value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Ok(self.set.bind(value.py()).call1((value,))?.unbind())
    }

    fn reset(&self, py: Python<'_>, token: &Py<PyAny>) -> PyResult<()> {
        self.reset.bind(py).call1((token,)).map(drop)
    }
}

fn own_span(py: Python<'_>) -> PyResult<&'static Variable> {
    SPAN.get_or_try_init(py, || Variable::new(py, "oxflow.telemetry.span"))
}

fn own_baggage(py: Python<'_>) -> PyResult<&'static Variable> {
    BAGGAGE.get_or_try_init(py, || Variable::new(py, "oxflow.telemetry.baggage"))
}

/// The way back to what was current.
pub(super) struct Token {
    /// A `Token` of `contextvars`.
    span: Py<PyAny>,
    baggage: Option<Py<PyAny>>,
    is_foreign: bool,
}

impl Token {
    pub(super) fn clone_ref(&self, py: Python<'_>) -> Self {
        let baggage = self.baggage.as_ref().map(|baggage| baggage.clone_ref(py));
        Self { span: self.span.clone_ref(py), baggage, is_foreign: self.is_foreign }
    }

    /// The span that was current before. The token knows it: to look for each span costs more than a token that nobody asks.
    pub(super) fn before<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let value = self.span.bind(py).getattr(intern!(py, "old_value")).ok()?;
        if self.is_foreign {
            return foreign(py).and_then(|foreign| foreign.span_in(&value)).or_else(|| own_span(py).ok()?.get(py));
        }
        let is_missing = || {
            let missing = self.span.bind(py).get_type().getattr(intern!(py, "MISSING"));
            missing.is_ok_and(|missing| missing.is(&value))
        };
        (!value.is_none() && !is_missing()).then_some(value)
    }
}

/// The span that this task or thread is in, of whatever library.
pub(super) fn current(py: Python<'_>) -> Option<Bound<'_, PyAny>> {
    let mut found = raw(py)?;
    // One that ended in another order or task is nobody's parent.
    while let Some(span) = found.cast::<Span>().ok().filter(|span| span.get().is_left()) {
        found = span.get().before(py)?;
    }
    Some(found)
}

/// The same, also if it was left already.
pub(super) fn raw(py: Python<'_>) -> Option<Bound<'_, PyAny>> {
    let theirs = foreign(py).and_then(|foreign| foreign.span(py));
    // One that was begun before the API was loaded stands in our variable.
    theirs.or_else(|| own_span(py).ok()?.get(py))
}

/// Calls `take` with the context of the current span: one of Python's, or of the extension or run that called this code.
pub(super) fn with_current<R>(py: Python<'_>, take: impl FnOnce(Option<&SpanContext>) -> R) -> R {
    let take = |python: Option<&SpanContext>| match innermost(python) {
        Some(rust) => take(Some(&rust)),
        None => take(python),
    };
    match current(py) {
        Some(span) => with_context(&span, take),
        None => take(None),
    }
}

/// Takes what an extension records that is called here; none if nobody takes anything.
pub(crate) fn export(py: Python<'_>) -> Option<Arc<dyn Export>> {
    process::outside().is_some().then(|| with_current(py, |span| process::export(span.cloned()))).flatten()
}

/// Calls `take` with the context of a span of whatever library.
pub(super) fn with_context<R>(span: &Bound<'_, PyAny>, take: impl FnOnce(Option<&SpanContext>) -> R) -> R {
    match span.cast::<Span>() {
        Ok(span) => take(Some(span.get().context())),
        Err(_) => take(Foreign::read(span).as_ref()),
    }
}

/// Makes a span, and perhaps baggage, current.
pub(super) fn enter(span: &Bound<'_, PyAny>, baggage: Option<&Bound<'_, PyDict>>) -> PyResult<Token> {
    let py = span.py();
    if let Some(foreign) = foreign(py) {
        return Ok(Token { span: foreign.enter(py, span, baggage)?, baggage: None, is_foreign: true });
    }
    let span = own_span(py)?.set(span)?;
    let baggage = baggage.map(|baggage| own_baggage(py)?.set(baggage)).transpose()?;
    Ok(Token { span, baggage, is_foreign: false })
}

/// Goes back; whether it did: nothing happens where `token` is of another task or thread, which has a context of its own.
pub(super) fn leave(py: Python<'_>, token: &Token) -> bool {
    if token.is_foreign {
        return foreign(py).is_some_and(|foreign| foreign.leave(py, &token.span).is_ok());
    }
    let left = own_span(py).and_then(|variable| variable.reset(py, &token.span));
    if let (Ok(()), Some(baggage)) = (&left, &token.baggage) {
        let _ = own_baggage(py).and_then(|variable| variable.reset(py, baggage));
    }
    left.is_ok()
}

/// The baggage of this task or thread, a dictionary.
pub(super) fn baggage(py: Python<'_>) -> Option<Bound<'_, PyDict>> {
    let theirs = foreign(py).and_then(|foreign| foreign.baggage(py));
    let found = theirs.or_else(|| own_baggage(py).ok()?.get(py))?;
    // Theirs is a view of one.
    let copy = PyDict::new(py);
    copy.update(found.cast().ok()?).ok()?;
    Some(copy)
}
