//! What came of one request.

use std::time::Duration;

use oxflow_http::{Done, Response};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::failure::Failure;
use oxflow_http::shown;

/// What came of one request: a response of any status, or an error.
#[pyclass(frozen, module = "oxflow.scheduler")]
pub(crate) struct Fetched {
    index: usize,
    method: String,
    url: String,
    attempts: u32,
    elapsed: Duration,
    outcome: Result<Response, Failure>,
}

impl Fetched {
    pub(super) fn new(done: Done) -> Self {
        let oxflow_http::Request { method, url, .. } = done.request;
        let outcome = done.result.map_err(|error| Failure::new(&subject(&method, &url), &error));
        Self { index: done.index, method, url, attempts: done.attempts, elapsed: done.elapsed, outcome }
    }

    fn response(&self) -> Option<&Response> {
        self.outcome.as_ref().ok()
    }
}

fn subject(method: &str, url: &str) -> String {
    format!("{method} {}", shown(url))
}

#[pymethods]
impl Fetched {
    /// Its place among the requests.
    #[getter]
    fn index(&self) -> usize {
        self.index
    }

    /// Where the response came from in the end, after redirects; what was asked if there is none.
    #[getter]
    fn url(&self) -> &str {
        self.response().map_or(&self.url, |response| &response.url)
    }

    /// 200, 404, ...; `None` if there is no response.
    #[getter]
    fn status(&self) -> Option<u16> {
        self.response().map(|response| response.status)
    }

    /// Whether there is a response, with a status below 400.
    #[getter]
    fn ok(&self) -> bool {
        self.response().is_some_and(|response| response.status < 400)
    }

    /// The headers of the response by their names in small letters; those that came several times joined by commas.
    #[getter]
    fn headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let all = PyDict::new(py);
        let Some(response) = self.response() else { return Ok(all) };
        for name in response.headers.keys() {
            let values = response.headers.get_all(name).iter();
            // Latin 1, as HTTP once had it.
            let values: Vec<String> =
                values.map(|value| value.as_bytes().iter().map(|byte| char::from(*byte)).collect()).collect();
            all.set_item(name.as_str(), values.join(", "))?;
        }
        Ok(all)
    }

    /// The body of the response as it came; empty if there is none.
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.response().map_or(&[], |response| &response.body))
    }

    /// Why there is no response, an `oxflow.FetchError`; `None` if there is one, whatever its status.
    #[getter]
    fn error<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.outcome.as_ref().err().map(|failure| failure.raise(py).into_value(py).into_bound(py).into_any())
    }

    /// How often it was tried; 0 if it could not be sent at all.
    #[getter]
    fn attempts(&self) -> u32 {
        self.attempts
    }

    /// From the first attempt to the end of the last, in seconds.
    #[getter]
    fn elapsed_s(&self) -> f64 {
        self.elapsed.as_secs_f64()
    }

    /// Read the body as JSON.
    ///
    /// Raises:
    ///     `ValueError`: it is none.
    #[pyo3(signature = () -> "Any")]
    fn json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("json")?.call_method1("loads", (self.body(py),))
    }

    /// Return this result if it is `ok`.
    ///
    /// Raises:
    ///     `FetchError`: there is no response, or one with a status of 400 or more.
    fn raise_for_status(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        let this = slf.get();
        match &this.outcome {
            Ok(response) if response.status < 400 => Ok(slf),
            Ok(response) => Err(Failure::status(&subject(&this.method, &this.url), response.status).raise(slf.py())),
            Err(failure) => Err(failure.raise(slf.py())),
        }
    }

    fn __repr__(&self) -> String {
        let outcome = match &self.outcome {
            Ok(response) => response.status.to_string(),
            Err(failure) => format!("error={:?}", failure.kind),
        };
        format!("Fetched({} {}, {outcome})", self.method, shown(&self.url))
    }
}
