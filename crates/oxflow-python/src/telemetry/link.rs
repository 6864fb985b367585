//! Links to other spans, and what stands for a span.

use oxflow_telemetry::{Attributes, Span as Recorded, SpanContext};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::span::Span;
use super::{context, value};

/// The context of a span, or of the text of a `traceparent`.
pub(super) fn context_of(span: &Bound<'_, PyAny>) -> PyResult<SpanContext> {
    if let Ok(text) = span.cast::<PyString>() {
        let text = text.to_string_lossy();
        return oxflow_telemetry::propagate::read_traceparent(&text, None)
            .ok_or_else(|| PyValueError::new_err(format!("`{text}` is no `traceparent`")));
    }
    if let Ok(span) = span.cast::<Span>() {
        return Ok(span.get().context().clone());
    }
    let kind = span.get_type().qualname()?;
    let wrong = || PyTypeError::new_err(format!("a span or the text of a `traceparent` is wanted, not `{kind}`"));
    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method itself is of one lifetime")]
    let found = context::with_context(span, |context| context.cloned());
    found.ok_or_else(wrong)
}

/// Adds a link to a span, or to the text of a `traceparent`.
pub(super) fn add(from: &Recorded, span: &Bound<'_, PyAny>, attributes: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
    let Some(limits) = from.limits() else { return Ok(()) };
    let mut kept = Attributes::new();
    value::fill(&mut kept, attributes, &limits.link_attributes, true)?;
    from.add_link(&context_of(span)?, &kept);
    Ok(())
}

/// Adds links, each a span, the text of a `traceparent`, or a pair of one and a dictionary of attributes.
pub(super) fn add_all(from: &Recorded, links: &Bound<'_, PyAny>) -> PyResult<()> {
    for link in links.try_iter()? {
        let link = link?;
        let pair: Option<(Bound<'_, PyAny>, Bound<'_, PyAny>)> =
            if link.hasattr("trace_id")? { None } else { link.extract().ok() };
        match pair {
            Some((span, attributes)) => add(from, &span, Some(&attributes))?,
            None => add(from, &link, None)?,
        }
    }
    Ok(())
}

/// Adds links of OpenTelemetry's API.
pub(super) fn add_foreign(from: &Recorded, links: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = links.py();
    for link in links.try_iter()? {
        let link = link?;
        let attributes = link.getattr(intern!(py, "attributes"))?;
        add_context(from, &link.getattr(intern!(py, "context"))?, Some(&attributes))?;
    }
    Ok(())
}

/// Adds a link to a context of OpenTelemetry's API. One that identifies nothing is passed over.
pub(super) fn add_context(
    from: &Recorded,
    to: &Bound<'_, PyAny>,
    attributes: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    let Some(limits) = from.limits() else { return Ok(()) };
    let mut kept = Attributes::new();
    value::fill(&mut kept, attributes, &limits.link_attributes, true)?;
    context::with_context(to, |to| {
        if let Some(to) = to {
            from.add_link(to, &kept);
        }
    });
    Ok(())
}
