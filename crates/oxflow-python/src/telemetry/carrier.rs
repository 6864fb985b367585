//! Contexts in headers.

use std::sync::{Mutex, MutexGuard, PoisonError};

use oxflow_telemetry::{SpanContext, propagate};
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyMapping, PyString};

use super::context::{self, Token};
use super::span::Span;

/// Where a request came from. It is current inside of `with`.
#[pyclass(frozen, module = "oxflow._oxflow")]
pub(crate) struct Extracted {
    span: Option<Py<Span>>,
    baggage: Option<Py<PyDict>>,
    /// It changes the baggage of whatever is current.
    is_inside: bool,
    token: Mutex<Option<Token>>,
}

/// What of the headers is known here, by its name in small letters.
struct Headers(Vec<(String, String)>);

impl Headers {
    /// Reads a mapping, or pairs; names and values are text or bytes.
    fn read(carrier: &Bound<'_, PyAny>) -> PyResult<Self> {
        let pairs = match carrier.cast::<PyMapping>() {
            Ok(mapping) => mapping.items()?.into_any(),
            Err(_) => carrier.clone(),
        };
        let wrong = || PyTypeError::new_err("headers are a mapping of names and values, or pairs of them");
        let mut headers = Vec::new();
        for pair in pairs.try_iter().map_err(|_| wrong())? {
            let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair?.extract().map_err(|_| wrong())?;
            let Some(name) = text(&name) else { continue };
            let name = name.to_ascii_lowercase().replace('_', "-");
            let is_known =
                matches!(name.as_str(), "traceparent" | "tracestate" | "baggage" | "b3") || name.starts_with("x-b3-");
            if is_known && let Some(value) = first(&value) {
                headers.push((name, value));
            }
        }
        Ok(Self(headers))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of a header that may be there more than once.
    fn joined(&self, name: &str) -> Option<String> {
        let all: Vec<_> = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect();
        (!all.is_empty()).then(|| all.join(","))
    }

    fn context(&self, formats: &[String]) -> Option<SpanContext> {
        let has = |format: &str| formats.iter().any(|known| known == format);
        let w3c = || propagate::read_traceparent(self.get("traceparent")?, self.joined("tracestate").as_deref());
        let single = || propagate::read_b3(self.get("b3")?);
        let multi = || {
            let sampled = self.get("x-b3-sampled").or_else(|| self.get("x-b3-flags"));
            propagate::read_b3_headers(self.get("x-b3-traceid")?, self.get("x-b3-spanid")?, sampled)
        };
        let found = has("tracecontext").then(w3c).flatten();
        let has_b3 = has("b3") || has("b3multi");
        found.or_else(|| has_b3.then(single).flatten()).or_else(|| has_b3.then(multi).flatten())
    }
}

fn text(value: &Bound<'_, PyAny>) -> Option<String> {
    if let Ok(text) = value.cast::<PyString>() {
        return Some(text.to_string_lossy().into_owned());
    }
    // Servers of ASGI give bytes.
    value.cast::<PyBytes>().ok().map(|bytes| bytes.as_bytes().iter().copied().map(char::from).collect())
}

/// A value, or the first of a list of them.
fn first(value: &Bound<'_, PyAny>) -> Option<String> {
    text(value).or_else(|| text(&value.get_item(0).ok()?))
}

/// Read where a request came from; `formats` are `tracecontext`, `baggage`, `b3` and `b3multi`.
#[pyfunction]
#[pyo3(signature = (headers: "Mapping[Any, Any] | Iterable[tuple[Any, Any]]", formats))]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it extracted")]
pub(crate) fn extract_headers(headers: &Bound<'_, PyAny>, formats: Vec<String>) -> PyResult<Extracted> {
    let py = headers.py();
    let headers = Headers::read(headers)?;
    let span = headers.context(&formats).map(|context| Py::new(py, Span::remote(py, context))).transpose()?;
    let read = if formats.iter().any(|format| format == "baggage") { headers.joined("baggage") } else { None };
    let entries = read.map(|header| propagate::read_baggage(&header)).filter(|entries| !entries.is_empty());
    let baggage = entries.map(|entries| {
        let baggage = PyDict::new(py);
        entries.into_iter().try_for_each(|(name, value)| baggage.set_item(name, value))?;
        Ok::<_, PyErr>(baggage.unbind())
    });
    Ok(Extracted { span, baggage: baggage.transpose()?, is_inside: false, token: Mutex::default() })
}

/// Write where this request comes from into a dictionary, or append pairs to a list.
#[pyfunction]
#[pyo3(signature = (headers: "MutableMapping[Any, Any] | list[Any]", formats))]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it extracted")]
pub(crate) fn inject_headers(headers: &Bound<'_, PyAny>, formats: Vec<String>) -> PyResult<()> {
    let py = headers.py();
    let append = headers.getattr("append").ok().filter(|_| headers.cast::<PyMapping>().is_err());
    let put = |name: &str, value: &str| match &append {
        Some(append) => append.call1(((name, value),)).map(drop),
        None => headers.set_item(name, value),
    };
    let context =
        context::with_current(py, |context: Option<&SpanContext>| context.filter(|found| found.is_valid()).cloned());
    for format in &formats {
        match (format.as_str(), &context) {
            ("tracecontext", Some(context)) => {
                put("traceparent", &propagate::traceparent(context))?;
                context.state.as_deref().map(|state| put("tracestate", state)).transpose()?;
            }
            ("b3", Some(context)) => put("b3", &propagate::b3_header(context))?,
            ("b3multi", Some(context)) => {
                put("x-b3-traceid", &format!("{:032x}", context.trace_id))?;
                put("x-b3-spanid", &format!("{:016x}", context.span_id))?;
                put("x-b3-sampled", if context.is_sampled() { "1" } else { "0" })?;
            }
            ("baggage", _) => {
                let entries: Vec<(String, String)> =
                    get_baggage(py).iter().map(|(name, value)| (text_of(&name), text_of(&value))).collect();
                let header = propagate::baggage(entries.iter().map(|(name, value)| (name.as_str(), value.as_str())));
                header.map(|header| put("baggage", &header)).transpose()?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn text_of(value: &Bound<'_, PyAny>) -> String {
    super::value::text(value)
}

/// Names and values that came with the request and go on with those that are made for it.
#[pyfunction]
#[pyo3(signature = () -> "dict[str, str]")]
pub(crate) fn get_baggage(py: Python<'_>) -> Bound<'_, PyDict> {
    context::baggage(py).unwrap_or_else(|| PyDict::new(py))
}

/// Have these names and values go on with the requests that are made inside of `with`, besides those that do already.
#[pyfunction]
#[pyo3(signature = (entries: "Mapping[str, str]") -> "Extracted")]
pub(crate) fn set_baggage(py: Python<'_>, entries: &Bound<'_, PyMapping>) -> PyResult<Extracted> {
    let baggage = get_baggage(py);
    baggage.update(entries)?;
    Ok(Extracted { span: None, baggage: Some(baggage.unbind()), is_inside: true, token: Mutex::default() })
}

impl Extracted {
    /// Not held while Python runs.
    fn token(&self) -> MutexGuard<'_, Option<Token>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Extracted {
    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        let py = slf.py();
        let this = slf.get();
        if this.token().is_some() {
            return Err(PyRuntimeError::new_err("these headers are current already"));
        }
        let baggage = this.baggage.as_ref().map(|baggage| baggage.bind(py));
        let current = if this.is_inside { context::current(py) } else { None };
        let span = match (current, &this.span) {
            (Some(current), _) => current,
            (None, Some(span)) => span.bind(py).as_any().clone(),
            // Whoever sends no parent begins a trace, whatever this task was in.
            (None, None) => Bound::new(py, Span::remote(py, SpanContext::none()))?.into_any(),
        };
        let token = context::enter(&span, baggage)?;
        *this.token() = Some(token);
        Ok(slf)
    }

    #[pyo3(signature = (kind: "type[BaseException] | None", error: "BaseException | None", traceback: "TracebackType | None"))]
    fn __exit__(
        &self,
        py: Python<'_>,
        kind: &Bound<'_, PyAny>,
        error: &Bound<'_, PyAny>,
        traceback: &Bound<'_, PyAny>,
    ) {
        let _ = (kind, error, traceback);
        self.restore(py);
    }

    /// Go back to what was current before.
    fn restore(&self, py: Python<'_>) {
        let token = self.token().take();
        if let Some(token) = token {
            context::leave(py, &token);
        }
    }

    /// The span that the request was made in, `None` if it names none.
    #[getter]
    fn span(&self, py: Python<'_>) -> Option<Py<Span>> {
        self.span.as_ref().map(|span| span.clone_ref(py))
    }

    /// Names and values that came along.
    #[getter]
    fn baggage<'py>(&self, py: Python<'py>) -> Bound<'py, PyDict> {
        self.baggage.as_ref().map_or_else(|| PyDict::new(py), |baggage| baggage.bind(py).clone())
    }
}
