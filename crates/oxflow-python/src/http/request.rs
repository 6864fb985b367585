//! What is asked.

use oxflow_http::shown;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyMapping, PyString};

/// One request of `fetch_all`.
///
/// It is checked when it is sent: what is wrong with it is the error of its own result.
#[pyclass(frozen, module = "oxflow.scheduler")]
pub(crate) struct Request {
    pub(super) inner: oxflow_http::Request,
}

#[pymethods]
impl Request {
    /// Say what to ask.
    ///
    /// Args:
    ///     url: `http://` or `https://`.
    ///     method: `GET`, `POST`, ...
    ///     headers: names and values. The length is added; `user-agent` and `accept` where they are not given.
    ///     body: the body; text is UTF-8.
    ///     json: the body as an object, in place of `body`; adds `content-type: application/json`.
    #[new]
    #[pyo3(signature = (url, *, method = "GET", headers: "Mapping[str, str] | None" = None, body: "bytes | str | None" = None, json: "Any" = None))]
    fn new(
        url: String,
        method: &str,
        headers: Option<&Bound<'_, PyMapping>>,
        body: Option<&Bound<'_, PyAny>>,
        json: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut inner = oxflow_http::Request::get(url);
        method.clone_into(&mut inner.method);
        if let Some(headers) = headers {
            inner.headers = headers.items()?.extract()?;
        }
        match (body, json) {
            (Some(_), Some(_)) => return Err(PyTypeError::new_err("give `body` or `json`, not both")),
            (Some(body), None) => inner.body = bytes(body)?.into(),
            (None, Some(value)) => {
                let text = value.py().import("json")?.call_method1("dumps", (value,))?;
                inner.body = text.extract::<String>()?.into();
                if !inner.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                    inner.headers.push(("content-type".to_owned(), "application/json".to_owned()));
                }
            }
            (None, None) => {}
        }
        Ok(Self { inner })
    }

    /// Where it goes.
    #[getter]
    fn url(&self) -> &str {
        &self.inner.url
    }

    /// What is asked.
    #[getter]
    fn method(&self) -> &str {
        &self.inner.method
    }

    /// Headers may be secrets, and so may a query.
    fn __repr__(&self) -> String {
        format!("Request({:?}, method={:?})", shown(&self.inner.url), self.inner.method)
    }
}

fn bytes(body: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    if let Ok(text) = body.cast::<PyString>() {
        return Ok(text.to_str()?.as_bytes().to_vec());
    }
    match body.cast::<PyBytes>() {
        Ok(bytes) => Ok(bytes.as_bytes().to_vec()),
        Err(_) => Err(PyTypeError::new_err("`body` is neither bytes nor text")),
    }
}

/// A request that is given as a `Request`, a URL, or a dictionary of what a `Request` takes.
pub(super) fn taken(given: &Bound<'_, PyAny>) -> PyResult<oxflow_http::Request> {
    if let Ok(request) = given.cast::<Request>() {
        return Ok(request.get().inner.clone());
    }
    if let Ok(url) = given.cast::<PyString>() {
        return Ok(oxflow_http::Request::get(url.to_str()?));
    }
    if let Ok(fields) = given.cast::<PyDict>() {
        let made = given.py().get_type::<Request>().call((), Some(fields))?;
        return Ok(made.cast::<Request>()?.get().inner.clone());
    }
    Err(PyTypeError::new_err("a request is a URL, a `Request` or a dictionary"))
}
