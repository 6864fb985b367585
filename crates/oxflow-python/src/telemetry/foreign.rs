//! The context of OpenTelemetry's own API, as soon as the program has loaded that: spans of both then nest in one another.
//!
//! Its context is a dictionary in one `ContextVar`, with the current span under a key. Nothing here imports the API, but of one that is loaded the module of baggage.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString};

use oxflow_telemetry::{Kind, SpanContext};

use super::span::Span;

/// How its context is reached.
pub(super) struct Foreign {
    /// Gives the context, a dictionary that is never changed.
    get: Py<PyAny>,
    set: Py<PyAny>,
    reset: Py<PyAny>,
    context: Py<PyAny>,
    span_key: Py<PyString>,
    /// Known once its module is loaded, which who has no baggage never does.
    baggage_key: PyOnceLock<Py<PyString>>,
    shown: Shown,
    /// `SpanKind`, in the order of [`KINDS`].
    kinds: [Py<PyAny>; 5],
}

/// What a span's context is made of.
struct Shown {
    context: Py<PyAny>,
    flags: Py<PyAny>,
    state: Py<PyAny>,
    no_state: Py<PyAny>,
}

const KINDS: [(&str, Kind); 5] = [
    ("INTERNAL", Kind::Internal),
    ("SERVER", Kind::Server),
    ("CLIENT", Kind::Client),
    ("PRODUCER", Kind::Producer),
    ("CONSUMER", Kind::Consumer),
];

static FOREIGN: PyOnceLock<Foreign> = PyOnceLock::new();
static MODULES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();

/// Its context, if the API is loaded.
pub(super) fn foreign(py: Python<'_>) -> Option<&'static Foreign> {
    if let Some(foreign) = FOREIGN.get(py) {
        return Some(foreign);
    }
    let modules = MODULES.get_or_try_init(py, || {
        let modules = py.import("sys")?.getattr("modules")?;
        Ok::<_, PyErr>(modules.cast_into::<PyDict>()?.unbind())
    });
    let modules = modules.ok()?.bind(py);
    let trace = modules.get_item(intern!(py, "opentelemetry.trace")).ok().flatten()?;
    // While it is being imported it isn't whole.
    FOREIGN.get_or_try_init(py, || Foreign::new(py, modules, &trace)).ok()
}

impl Foreign {
    fn new(py: Python<'_>, modules: &Bound<'_, PyDict>, trace: &Bound<'_, PyAny>) -> PyResult<Self> {
        let module = |name: &str| modules.as_any().get_item(name);
        let (api, propagation) = (module("opentelemetry.context")?, module("opentelemetry.trace.propagation")?);
        // Another runtime than that of `contextvars` is reached by the functions of the API.
        let variable = api.getattr("_RUNTIME_CONTEXT").and_then(|runtime| runtime.getattr("_current_context")).ok();
        let names = if variable.is_some() { ["get", "set", "reset"] } else { ["get_current", "attach", "detach"] };
        let home = variable.unwrap_or_else(|| api.clone());
        let [get, set, reset] = names.map(|name| home.getattr(name).map(Bound::unbind));
        // Its functions ask whether what they find is one of its spans.
        trace.getattr("Span")?.call_method1("register", (py.get_type::<Span>(),))?;
        let kinds = trace.getattr("SpanKind")?;
        let [internal, server, client, producer, consumer] =
            KINDS.map(|(name, _)| kinds.getattr(name).map(Bound::unbind));
        Ok(Self {
            get: get?,
            set: set?,
            reset: reset?,
            context: module("opentelemetry.context.context")?.getattr("Context")?.unbind(),
            span_key: key(&propagation, "_SPAN_KEY")?,
            baggage_key: PyOnceLock::new(),
            shown: Shown::new(trace)?,
            kinds: [internal?, server?, client?, producer?, consumer?],
        })
    }

    /// The span in its context.
    pub(super) fn span<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.span_in(&self.get.bind(py).call0().ok()?)
    }

    /// The span in one of its contexts.
    pub(super) fn span_in<'py>(&self, context: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
        context.cast::<PyDict>().ok()?.get_item(&self.span_key).ok().flatten()
    }

    /// A kind of its, `INTERNAL` if there is none: what it means, and what a span shows.
    pub(super) fn kind(&self, kind: Option<&Bound<'_, PyAny>>) -> (Kind, &Py<PyAny>) {
        let pairs = KINDS.iter().map(|(_, known)| *known).zip(&self.kinds);
        let [internal, ..] = &self.kinds;
        let mut found = pairs.filter(|(_, shown)| kind.is_some_and(|kind| kind.is(*shown)));
        found.next().unwrap_or((Kind::Internal, internal))
    }

    /// The baggage in its context.
    pub(super) fn baggage<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let context = self.get.bind(py).call0().ok()?;
        context.cast_into::<PyDict>().ok()?.get_item(self.baggage_key(py).ok()?).ok().flatten()
    }

    fn baggage_key(&self, py: Python<'_>) -> PyResult<&Py<PyString>> {
        self.baggage_key.get_or_try_init(py, || {
            let module = py.import("opentelemetry.baggage")?;
            key(&module, "_BAGGAGE_KEY")
        })
    }

    /// Makes a span, and perhaps baggage, current; returns what `leave` takes.
    pub(super) fn enter(
        &self,
        py: Python<'_>,
        span: &Bound<'_, PyAny>,
        baggage: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<PyAny>> {
        let current = self.get.bind(py).call0()?;
        let context = self.context.bind(py).call1((current,))?;
        // It refuses to be changed, as Python sees it; nobody has this one yet.
        let changed = context.cast::<PyDict>()?;
        changed.set_item(&self.span_key, span)?;
        if let Some(baggage) = baggage {
            changed.set_item(self.baggage_key(py)?, baggage)?;
        }
        Ok(self.set.bind(py).call1((context,))?.unbind())
    }

    /// Goes back to what was current before `enter`; an error where that is another context's.
    pub(super) fn leave(&self, py: Python<'_>, token: &Py<PyAny>) -> PyResult<()> {
        self.reset.bind(py).call1((token,)).map(drop)
    }

    /// The context of a span of its, or of another library's.
    pub(super) fn read(span: &Bound<'_, PyAny>) -> Option<SpanContext> {
        let py = span.py();
        let has_context = span.hasattr(intern!(py, "get_span_context")).unwrap_or(false);
        let context = if has_context { span.call_method0(intern!(py, "get_span_context")).ok()? } else { span.clone() };
        let number = |name| context.getattr(name).ok();
        let (trace_id, span_id): (u128, u64) =
            (number("trace_id")?.extract().ok()?, number("span_id")?.extract().ok()?);
        let flags: u8 = number("trace_flags")?.extract().ok()?;
        let is_remote = number("is_remote").is_some_and(|remote| remote.is_truthy().unwrap_or(false));
        let state =
            number("trace_state").and_then(|state| state.call_method0("to_header").ok()?.extract::<String>().ok());
        let state = state.filter(|state| !state.is_empty()).map(Into::into);
        let context = SpanContext::new(trace_id, span_id, flags, is_remote, state);
        context.is_valid().then_some(context)
    }

    /// A context as its API has it.
    pub(super) fn made<'py>(&self, py: Python<'py>, context: &SpanContext) -> PyResult<Bound<'py, PyAny>> {
        self.shown.made(py, context)
    }
}

impl Shown {
    fn new(trace: &Bound<'_, PyAny>) -> PyResult<Self> {
        let part = |name: &str| trace.getattr(name);
        let states = part("TraceState")?;
        let no_state = states.call0()?.unbind();
        let (context, flags) = (part("SpanContext")?.unbind(), part("TraceFlags")?.unbind());
        Ok(Self { context, flags, state: states.unbind(), no_state })
    }

    fn made<'py>(&self, py: Python<'py>, context: &SpanContext) -> PyResult<Bound<'py, PyAny>> {
        let flags = self.flags.bind(py).call1((context.flags,))?;
        let state = match &context.state {
            Some(state) => self.state.bind(py).call_method1("from_header", ((&**state,),))?,
            None => self.no_state.bind(py).clone(),
        };
        self.context.bind(py).call1((context.trace_id, context.span_id, context.is_remote, flags, state))
    }
}

/// The key of a context that a module has.
fn key(module: &Bound<'_, PyAny>, name: &str) -> PyResult<Py<PyString>> {
    Ok(module.getattr(name)?.cast_into::<PyString>()?.unbind())
}
