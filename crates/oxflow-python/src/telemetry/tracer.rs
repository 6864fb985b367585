//! Tracers, as OpenTelemetry's API has them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use oxflow_telemetry::Scope;
use pyo3::exceptions::{PyException, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyString;

use super::begin::{Begun, Draft};
use super::exception::Raised;
use super::foreign::foreign;
use super::span::Span;
use super::{context, link, scope};

/// Makes spans under a name, for OpenTelemetry's API.
#[pyclass(frozen, module = "oxflow._oxflow")]
pub(crate) struct Tracer {
    scope: Arc<Scope>,
}

/// A span that OpenTelemetry's API made. `with` ends it, and doesn't make it current.
#[pyclass(frozen, extends = Span, module = "oxflow._oxflow")]
pub(crate) struct TracerSpan {
    /// What it is to others, as the API says it.
    kind: Py<PyAny>,
    on_error: OnError,
}

/// A span that begins with `with`, and is current inside of it; as a decorator, one for each call.
#[pyclass(frozen, module = "oxflow._oxflow")]
pub(crate) struct CurrentSpan {
    asked: Asked,
    ends: bool,
    /// The one that has begun.
    span: Mutex<Option<Py<TracerSpan>>>,
}

/// What an exception that leaves a span does to it.
#[derive(Clone, Copy)]
struct OnError {
    is_recorded: bool,
    sets_status: bool,
}

/// What was asked for.
struct Asked {
    scope: Arc<Scope>,
    name: Py<PyString>,
    context: Option<Py<PyAny>>,
    kind: Option<Py<PyAny>>,
    attributes: Option<Py<PyAny>>,
    links: Option<Py<PyAny>>,
    start_time: Option<u64>,
    on_error: OnError,
}

impl Asked {
    fn begin<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, TracerSpan>> {
        let unloaded =
            || PyRuntimeError::new_err("`opentelemetry.trace` isn't loaded: `start_span` needs nothing of it");
        let foreign = foreign(py).ok_or_else(unloaded)?;
        let (kind, shown) = foreign.kind(self.kind.as_ref().map(|kind| kind.bind(py)));
        let name = self.name.bind(py);
        let attributes = self.attributes.as_ref().map(|attributes| attributes.bind(py));
        let begun = Begun { scope: &self.scope, name, attributes, kind, start_ns: self.start_time };
        let recorded = match &self.context {
            Some(context) => match foreign.span_in(context.bind(py)) {
                Some(span) => context::with_context(&span, |parent| begun.within(parent))?,
                None => begun.within(None)?,
            },
            None => context::with_current(py, |parent| begun.within(parent))?,
        };
        if let Some(links) = &self.links {
            link::add_foreign(&recorded, links.bind(py))?;
        }
        let base = Span::new(recorded, Draft::named(name.clone(), kind));
        let made = TracerSpan { kind: shown.clone_ref(py), on_error: self.on_error };
        Bound::new(py, PyClassInitializer::from(base).add_subclass(made))
    }
}

impl Asked {
    fn copied(&self, py: Python<'_>) -> Self {
        let copied = |object: &Option<Py<PyAny>>| object.as_ref().map(|object| object.clone_ref(py));
        Self {
            scope: Arc::clone(&self.scope),
            name: self.name.clone_ref(py),
            context: copied(&self.context),
            kind: copied(&self.kind),
            attributes: copied(&self.attributes),
            links: copied(&self.links),
            start_time: self.start_time,
            on_error: self.on_error,
        }
    }
}

#[pymethods]
impl Tracer {
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

    /// Begin a span in the current one, or in that of `context`.
    #[expect(clippy::too_many_arguments, reason = "OpenTelemetry's API has them")]
    #[pyo3(signature = (name, context: "Any" = None, kind: "Any" = None, attributes: "Mapping[str, Any] | None" = None, links: "Sequence[Any] | None" = None, start_time = None, record_exception = true, set_status_on_exception = true))]
    fn start_span<'py>(
        &self,
        py: Python<'py>,
        name: Py<PyString>,
        context: Option<Py<PyAny>>,
        kind: Option<Py<PyAny>>,
        attributes: Option<Py<PyAny>>,
        links: Option<Py<PyAny>>,
        start_time: Option<u64>,
        record_exception: bool,
        set_status_on_exception: bool,
    ) -> PyResult<Bound<'py, TracerSpan>> {
        let on_error = OnError { is_recorded: record_exception, sets_status: set_status_on_exception };
        let scope = Arc::clone(&self.scope);
        Asked { scope, name, context, kind, attributes, links, start_time, on_error }.begin(py)
    }

    /// Begin a span with `with`, which makes it current, or with each call of the function that this decorates.
    #[expect(clippy::too_many_arguments, reason = "OpenTelemetry's API has them")]
    #[pyo3(signature = (name, context: "Any" = None, kind: "Any" = None, attributes: "Mapping[str, Any] | None" = None, links: "Sequence[Any] | None" = None, start_time = None, record_exception = true, set_status_on_exception = true, end_on_exit = true))]
    fn start_as_current_span(
        &self,
        name: Py<PyString>,
        context: Option<Py<PyAny>>,
        kind: Option<Py<PyAny>>,
        attributes: Option<Py<PyAny>>,
        links: Option<Py<PyAny>>,
        start_time: Option<u64>,
        record_exception: bool,
        set_status_on_exception: bool,
        end_on_exit: bool,
    ) -> CurrentSpan {
        let on_error = OnError { is_recorded: record_exception, sets_status: set_status_on_exception };
        let scope = Arc::clone(&self.scope);
        let asked = Asked { scope, name, context, kind, attributes, links, start_time, on_error };
        CurrentSpan { asked, ends: end_on_exit, span: Mutex::default() }
    }
}

impl TracerSpan {
    /// What left it; `has_escaped` as the event says it.
    fn failed(slf: &Bound<'_, Self>, error: &Bound<'_, PyAny>, has_escaped: bool) -> PyResult<()> {
        let (on_error, span) = (slf.get().on_error, slf.as_super().get().recorded());
        if !span.is_recording() {
            return Ok(());
        }
        let raised = Raised { has_escaped, ..Raised::now(error) };
        if on_error.is_recorded {
            raised.record(span)?;
        }
        if on_error.sets_status {
            span.set_status(raised.status()?);
        }
        Ok(())
    }
}

#[pymethods]
impl TracerSpan {
    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (kind: "type[BaseException] | None", error: "BaseException | None", traceback: "TracebackType | None"))]
    fn __exit__(
        slf: &Bound<'_, Self>,
        kind: &Bound<'_, PyAny>,
        error: &Bound<'_, PyAny>,
        traceback: &Bound<'_, PyAny>,
    ) {
        let _ = (kind, traceback);
        if !error.is_none() {
            // What can't be recorded must not take the place of what the program raised.
            let _ = Self::failed(slf, error, true);
        }
        slf.as_super().get().recorded().end(None);
    }

    /// End it, now or at `end_time`, in nanoseconds since 1970. It stays current where it is; the first call counts.
    #[pyo3(signature = (end_time = None))]
    fn end(slf: &Bound<'_, Self>, end_time: Option<u64>) {
        slf.as_super().get().recorded().end(end_time);
    }

    /// Link it to the context of another span.
    #[pyo3(signature = (context: "Any", attributes: "Mapping[str, Any] | None" = None))]
    fn add_link(
        slf: &Bound<'_, Self>,
        context: &Bound<'_, PyAny>,
        attributes: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        link::add_context(slf.as_super().get().recorded(), context, attributes)
    }

    /// Its kind, a `SpanKind`.
    #[getter]
    fn kind<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.kind.bind(py).clone()
    }
}

impl CurrentSpan {
    /// Not held while Python runs.
    fn span(&self) -> MutexGuard<'_, Option<Py<TracerSpan>>> {
        self.span.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl CurrentSpan {
    fn __enter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, TracerSpan>> {
        if self.span().is_some() {
            return Err(PyRuntimeError::new_err("this span has begun already: call `start_as_current_span` again"));
        }
        let span = self.asked.begin(py)?;
        Span::make_current(span.as_super())?;
        *self.span() = Some(span.clone().unbind());
        Ok(span)
    }

    #[pyo3(signature = (kind: "type[BaseException] | None", error: "BaseException | None", traceback: "TracebackType | None"))]
    fn __exit__(
        &self,
        py: Python<'_>,
        kind: &Bound<'_, PyAny>,
        error: &Bound<'_, PyAny>,
        traceback: &Bound<'_, PyAny>,
    ) {
        let _ = (kind, traceback);
        let Some(span) = self.span().take() else { return };
        let span = span.into_bound(py);
        Span::leave(span.as_super());
        if error.is_instance_of::<PyException>() {
            // As above.
            let _ = TracerSpan::failed(&span, error, false);
        }
        if self.ends {
            span.as_super().get().recorded().end(None);
        }
    }

    /// As a decorator: each call of the function is such a span.
    #[pyo3(signature = (function: "_F") -> "_F")]
    fn __call__<'py>(slf: &Bound<'py, Self>, function: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        static AROUND: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let py = slf.py();
        AROUND.import(py, "oxflow.telemetry._decorate", "around")?.call1((function, slf.getattr("_again")?))
    }

    /// Another one like it, that hasn't begun.
    fn _again(&self, py: Python<'_>) -> Self {
        let asked = self.asked.copied(py);
        Self { asked, ends: self.ends, span: Mutex::default() }
    }
}
