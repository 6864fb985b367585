//! How spans begin.

use std::sync::Arc;

use oxflow_telemetry::{Begin, Kind, Scope, SpanContext};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::link::{self, context_of};
use super::span::Span;
use super::{context, process, scope, value};

/// What a span is made of, for use as a decorator.
pub(super) struct Draft {
    pub(super) name: Py<PyString>,
    pub(super) attributes: Option<Py<PyAny>>,
    pub(super) kind: Kind,
    pub(super) links: Option<Py<PyAny>>,
}

impl Draft {
    /// One of which no other span is made.
    pub(super) fn named(name: Bound<'_, PyString>, kind: Kind) -> Self {
        Self { name: name.unbind(), attributes: None, kind, links: None }
    }
}

/// Begin a span in the current one, or in `parent`.
///
/// Args:
///     name: what it is called; few names are best, with what differs in `attributes`.
///     attributes: names and values.
///     kind: `internal`, `server`, `client`, `producer` or `consumer`.
///     links: other spans, each as a span, the text of a `traceparent`, or a pair of one and a dictionary of attributes.
///     `start_time`: when it began, in nanoseconds since 1970, if that isn't now.
///     parent: a span, or the text of a `traceparent`, if that isn't the current one.
///
/// Raises:
///     `ValueError`: there is no such kind, or a text is no `traceparent`.
#[pyfunction]
#[pyo3(signature = (name, attributes: "Mapping[str, Any] | None" = None, kind = "internal", *, links: "Iterable[Any] | None" = None, start_time = None, parent: "Span | str | None" = None))]
pub(crate) fn start_span(
    py: Python<'_>,
    name: Bound<'_, PyString>,
    attributes: Option<Bound<'_, PyAny>>,
    kind: &str,
    links: Option<Bound<'_, PyAny>>,
    start_time: Option<u64>,
    parent: Option<Bound<'_, PyAny>>,
) -> PyResult<Span> {
    let kind = kind_of(kind)?;
    let parent = parent.filter(|parent| !parent.is_none());
    let begun = Begun { scope: scope::own(), name: &name, attributes: attributes.as_ref(), kind, start_ns: start_time };
    let span = match parent {
        Some(parent) => begun.within(Some(&context_of(&parent)?))?,
        None => context::with_current(py, |parent| begun.within(parent))?,
    };
    let draft =
        Draft { name: name.unbind(), attributes: attributes.map(Bound::unbind), kind, links: links.map(Bound::unbind) };
    let made = Span::new(span, draft);
    if let Some(links) = made.links(py) {
        link::add_all(made.recorded(), &links)?;
    }
    Ok(made)
}

/// A span that begins.
pub(super) struct Begun<'a, 'py> {
    pub(super) scope: &'a Arc<Scope>,
    pub(super) name: &'a Bound<'py, PyString>,
    pub(super) attributes: Option<&'a Bound<'py, PyAny>>,
    pub(super) kind: Kind,
    pub(super) start_ns: Option<u64>,
}

impl Begun<'_, '_> {
    /// Begins it in `parent`, or as a trace of its own.
    pub(super) fn within(self, parent: Option<&SpanContext>) -> PyResult<oxflow_telemetry::Span> {
        let Some(telemetry) = process::current() else {
            // Whoever is asked before `init` passes on what it was given.
            let context = parent.cloned().unwrap_or_else(SpanContext::none);
            return Ok(oxflow_telemetry::Span::unrecorded(context, None));
        };
        let name = self.name.to_string_lossy();
        let begin = Begin { name: &name, kind: self.kind, parent, start_ns: self.start_ns };
        let mut filled = Ok(());
        let span = telemetry.start(self.scope, begin, |kept, limits| {
            filled = value::fill(kept, self.attributes, limits, true);
        });
        filled.map(|()| span)
    }
}

fn kind_of(kind: &str) -> PyResult<Kind> {
    Ok(match kind {
        "internal" => Kind::Internal,
        "server" => Kind::Server,
        "client" => Kind::Client,
        "producer" => Kind::Producer,
        "consumer" => Kind::Consumer,
        _ => {
            let known = "`internal`, `server`, `client`, `producer` and `consumer`";
            return Err(PyValueError::new_err(format!("there is no kind `{kind}` of span: there are {known}")));
        }
    })
}

pub(super) fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Internal => "internal",
        Kind::Server => "server",
        Kind::Client => "client",
        Kind::Producer => "producer",
        Kind::Consumer => "consumer",
    }
}
