//! Spans.

use std::sync::{Mutex, MutexGuard, PoisonError};

use oxflow_telemetry::{Attributes, Kind, SpanContext, Status};
use pyo3::exceptions::{PyException, PyRuntimeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString};

use super::begin::{Draft, kind_name};
use super::context::{self, Token};
use super::exception::Raised;
use super::foreign::foreign;
use super::{link, value};

/// A stretch of time in a trace, from `start_span` to `end()`, or to the end of its `with`.
///
/// Inside of `with` it is the current one: spans and log records that are made there are in it. It may end in any thread or task, and in any
/// order with others: it ends once, and takes nothing more then.
#[pyclass(frozen, subclass, module = "oxflow._oxflow")]
pub(crate) struct Span {
    recorded: oxflow_telemetry::Span,
    /// What it was made of, for use as a decorator.
    draft: Draft,
    current: Mutex<Current>,
    /// Its context as OpenTelemetry's API has it, once somebody asked.
    shown: PyOnceLock<Py<PyAny>>,
}

/// Whether it is current in a task or thread.
#[derive(Default)]
struct Current {
    /// The way back.
    token: Option<Token>,
    /// It was left while a span inside of it was current still, or in another task.
    is_left: bool,
}

/// The span that this task or thread is in, `None` if it is in none. It may be one of OpenTelemetry's own SDK.
#[pyfunction]
#[pyo3(signature = () -> "Span | None")]
pub(crate) fn current_span(py: Python<'_>) -> Option<Bound<'_, PyAny>> {
    context::current(py)
}

impl Span {
    /// One that stands for a span of another process.
    pub(super) fn remote(py: Python<'_>, context: SpanContext) -> Self {
        let draft = Draft::named(intern!(py, "remote").clone(), Kind::Internal);
        Self::new(oxflow_telemetry::Span::unrecorded(context, None), draft)
    }

    pub(super) fn new(recorded: oxflow_telemetry::Span, draft: Draft) -> Self {
        Self { recorded, draft, current: Mutex::default(), shown: PyOnceLock::new() }
    }

    pub(super) fn recorded(&self) -> &oxflow_telemetry::Span {
        &self.recorded
    }

    /// The links that it was made of.
    pub(super) fn links<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.draft.links.as_ref().map(|links| links.bind(py).clone())
    }

    pub(super) fn context(&self) -> &SpanContext {
        self.recorded.context()
    }

    fn state(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// No longer current, if it is.
    pub(super) fn leave(slf: &Bound<'_, Self>) {
        let py = slf.py();
        let is_current = context::raw(py).is_some_and(|current| current.is(slf));
        let Some(token) = slf.get().state().token.take() else { return };
        if !is_current || !context::leave(py, &token) {
            // A span inside of it is current still, or this is another task, perhaps with a copy of the context: whoever finds it
            // there passes it over.
            let mut state = slf.get().state();
            (state.token, state.is_left) = (Some(token), true);
        }
    }

    /// Whether it was left where it could not be taken away.
    pub(super) fn is_left(&self) -> bool {
        self.state().is_left
    }

    /// What was current before it.
    pub(super) fn before<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let token = self.state().token.as_ref()?.clone_ref(py);
        token.before(py)
    }

    /// What ends it: an exception is recorded, unless it is one that stops a task or the program.
    fn failed(&self, error: &Bound<'_, PyAny>) -> PyResult<()> {
        if !error.is_instance_of::<PyException>() {
            return Ok(());
        }
        let raised = Raised::now(error);
        raised.record(&self.recorded)?;
        self.recorded.set_status(raised.status()?);
        Ok(())
    }

    /// Makes it current until `leave`.
    pub(super) fn make_current(slf: &Bound<'_, Self>) -> PyResult<()> {
        let token = context::enter(slf.as_any(), None)?;
        let mut state = slf.get().state();
        if state.token.is_some() {
            drop(state);
            context::leave(slf.py(), &token);
            return Err(PyRuntimeError::new_err("this span is current already: begin another one"));
        }
        (state.token, state.is_left) = (Some(token), false);
        Ok(())
    }
}

#[pymethods]
impl Span {
    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        Self::make_current(&slf)?;
        Ok(slf)
    }

    #[pyo3(signature = (kind: "type[BaseException] | None", error: "BaseException | None", traceback: "TracebackType | None"))]
    fn __exit__(
        slf: &Bound<'_, Self>,
        kind: &Bound<'_, PyAny>,
        error: &Bound<'_, PyAny>,
        traceback: &Bound<'_, PyAny>,
    ) {
        let _ = (kind, traceback);
        Self::leave(slf);
        if !error.is_none() {
            // What can't be recorded must not take the place of what the program raised.
            let _ = slf.get().failed(error);
        }
        slf.get().recorded.end(None);
    }

    #[pyo3(signature = () -> "Awaitable[Span]")]
    fn __aenter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, PyAny>> {
        // Here and not when it is awaited: the task is the same.
        let slf = Self::__enter__(slf)?;
        done(slf.as_any())
    }

    #[pyo3(signature = (kind: "type[BaseException] | None", error: "BaseException | None", traceback: "TracebackType | None") -> "Awaitable[None]")]
    fn __aexit__<'py>(
        slf: &Bound<'py, Self>,
        kind: &Bound<'py, PyAny>,
        error: &Bound<'py, PyAny>,
        traceback: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Self::__exit__(slf, kind, error, traceback);
        done(&slf.py().None().into_bound(slf.py()))
    }

    /// As a decorator: each call of the function is a span of this name, kind and these attributes.
    #[pyo3(signature = (function: "_F") -> "_F")]
    fn __call__<'py>(&self, function: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = function.py();
        let options = PyDict::new(py);
        options.set_item("kind", kind_name(self.draft.kind))?;
        options.set_item("attributes", &self.draft.attributes)?;
        options.set_item("links", &self.draft.links)?;
        py.import("oxflow.telemetry._decorate")?.call_method1("decorate", (function, &self.draft.name, options))
    }

    /// Set an attribute, in place of what has this name.
    #[pyo3(signature = (key, value: "Any"))]
    fn set_attribute(&self, key: &Bound<'_, PyString>, value: &Bound<'_, PyAny>) {
        if !value.is_none() {
            value::with_value(value, |value| self.recorded.set_attribute(&key.to_string_lossy(), value));
        }
    }

    /// Set some attributes.
    #[pyo3(signature = (attributes: "Mapping[str, Any]"))]
    fn set_attributes(&self, attributes: &Bound<'_, PyAny>) -> PyResult<()> {
        let Some(limits) = self.recorded.limits() else { return Ok(()) };
        let mut kept = Attributes::new();
        value::fill(&mut kept, Some(attributes), &limits.attributes, true)?;
        for (name, value) in kept.iter() {
            self.recorded.set_attribute(&name, &value);
        }
        Ok(())
    }

    /// Say how it ends: `ok`, which is final, `error` with a reason, or `unset`; or what OpenTelemetry's API has for it.
    #[pyo3(signature = (status: "Any", description = None))]
    fn set_status(&self, status: &Bound<'_, PyAny>, description: Option<String>) -> PyResult<()> {
        self.recorded.set_status(status_of(status, description)?);
        Ok(())
    }

    /// Give it another name.
    fn update_name(&self, name: &str) {
        self.recorded.update_name(name);
    }

    /// Add something that happened, now or at `timestamp`, in nanoseconds since 1970.
    #[pyo3(signature = (name, attributes: "Mapping[str, Any] | None" = None, timestamp = None))]
    fn add_event(&self, name: &str, attributes: Option<&Bound<'_, PyAny>>, timestamp: Option<u64>) -> PyResult<()> {
        let mut filled = Ok(());
        self.recorded.add_event(name, timestamp, |kept, limits| {
            filled = value::fill(kept, attributes, &limits.event_attributes, true);
        });
        filled
    }

    /// Link it to another span, or to the text of a `traceparent`.
    #[pyo3(signature = (context: "Any", attributes: "Mapping[str, Any] | None" = None))]
    fn add_link(&self, context: &Bound<'_, PyAny>, attributes: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        link::add(&self.recorded, context, attributes)
    }

    /// Add an exception as an event, with its stack.
    #[pyo3(signature = (exception: "BaseException", attributes: "Mapping[str, Any] | None" = None, timestamp = None, escaped = false))]
    fn record_exception(
        &self,
        exception: &Bound<'_, PyAny>,
        attributes: Option<&Bound<'_, PyAny>>,
        timestamp: Option<u64>,
        escaped: bool,
    ) -> PyResult<()> {
        let raised = Raised { error: exception, has_escaped: escaped, attributes, time_ns: timestamp };
        raised.record(&self.recorded)
    }

    /// End it, now or at `end_time`, in nanoseconds since 1970. The first call counts.
    #[pyo3(signature = (end_time = None))]
    fn end(slf: &Bound<'_, Self>, end_time: Option<u64>) {
        Self::leave(slf);
        slf.get().recorded.end(end_time);
    }

    /// Identity of the trace, 32 hexadecimal digits.
    fn trace_id(&self) -> String {
        format!("{:032x}", self.context().trace_id)
    }

    /// Identity of the span, 16 hexadecimal digits.
    fn span_id(&self) -> String {
        format!("{:016x}", self.context().span_id)
    }

    /// Identity of the span that it is in, `None` if it begins a trace.
    fn parent_id(&self) -> Option<String> {
        self.recorded.parent().map(|parent| format!("{:016x}", parent.span_id))
    }

    /// What a header `traceparent` says of it.
    fn traceparent(&self) -> String {
        oxflow_telemetry::propagate::traceparent(self.context())
    }

    /// Whether it takes attributes and events: it is sampled, and hasn't ended.
    fn is_recording(&self) -> bool {
        self.recorded.is_recording()
    }

    /// Its context as `opentelemetry.trace.SpanContext`.
    ///
    /// Raises:
    ///     `RuntimeError`: the program hasn't loaded OpenTelemetry's API.
    #[pyo3(signature = () -> "Any")]
    fn get_span_context<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let unloaded =
            || PyRuntimeError::new_err("`opentelemetry.trace` isn't loaded: see `trace_id()` and `span_id()`");
        let made = || Ok(foreign(py).ok_or_else(unloaded)?.made(py, self.context())?.unbind());
        self.shown.get_or_try_init(py, made).map(|shown| shown.bind(py).clone())
    }

    /// Its name; empty if it isn't sampled.
    #[getter]
    fn name(&self) -> String {
        self.recorded.name()
    }

    /// Its kind.
    #[getter]
    fn kind(&self) -> &'static str {
        kind_name(self.draft.kind)
    }

    /// A copy of its attributes; empty if it isn't sampled.
    #[getter]
    fn attributes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let attributes = self.recorded.attributes();
        let pairs: Vec<_> = attributes.iter().collect();
        value::dictionary(py, pairs.iter().map(|(name, value)| (&**name, value)))
    }

    /// A copy of its events, each time, name and attributes.
    #[getter]
    fn events<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let (events, mut added) = (PyList::empty(py), Ok(()));
        self.recorded.events(|event| {
            let pairs = event.attributes.iter().map(|(name, value)| (&**name, value));
            let item = value::dictionary(py, pairs).map(|attributes| (event.time_ns, &*event.name, attributes));
            if let Err(error) = item.and_then(|item| events.append(item)) {
                added = Err(error);
            }
        });
        added.map(|()| events)
    }

    fn __repr__(&self) -> String {
        let name = self.draft.name.to_string();
        format!("<Span {name:?} {}>", self.traceparent())
    }
}

/// A status out of its name, or out of a `Status` or `StatusCode` of OpenTelemetry's API.
fn status_of(status: &Bound<'_, PyAny>, description: Option<String>) -> PyResult<Status> {
    if let Ok(code) = status.getattr(intern!(status.py(), "status_code")) {
        let described: Option<String> = status.getattr(intern!(status.py(), "description"))?.extract()?;
        return status_of(&code, described);
    }
    let name = match status.cast::<PyString>() {
        Ok(name) => name.to_string_lossy().into_owned(),
        Err(_) => {
            status.getattr(intern!(status.py(), "name")).map_or_else(|_| value::text(status), |name| value::text(&name))
        }
    };
    match name.to_ascii_lowercase().as_str() {
        "ok" => Ok(Status::Ok),
        "error" => Ok(Status::Error(description.unwrap_or_default())),
        "unset" => Ok(Status::Unset),
        _ => Err(PyValueError::new_err(format!("`{name}` is no status: there are `ok`, `error` and `unset`"))),
    }
}

/// An awaitable that is done.
fn done<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    static DONE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    DONE.import(value.py(), "oxflow.telemetry._decorate", "done")?.call1((value,))
}
