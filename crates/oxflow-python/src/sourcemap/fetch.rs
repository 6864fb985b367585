//! One document over HTTP, with limits.

use std::time::Duration;

use oxflow_http::{Addresses, FetchError, Limits, Request, Response, shown};
use oxflow_sourcemap::Error;
use pyo3::exceptions::{PyConnectionError, PyTimeoutError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::errors::map_error;
use crate::http::client;

/// Status, headers, body, the URL that it came from in the end.
type Document<'py> = (u16, Vec<(String, String)>, Bound<'py, PyBytes>, String);

/// Get a document over HTTP: its status, headers, body, and the URL that it came from after redirects.
///
/// With `public` only addresses of the public network are asked. Raises `ValueError` for a URL that is none of HTTP, `LimitExceeded` for
/// too many bytes or redirects, `TimeoutError`, and `ConnectionError` for what else goes wrong.
#[pyfunction]
pub(crate) fn fetch_document<'py>(
    py: Python<'py>,
    url: &str,
    max_bytes: u64,
    max_redirects: u32,
    timeout_s: f64,
    public: bool,
) -> PyResult<Document<'py>> {
    let timeout = Duration::try_from_secs_f64(timeout_s);
    let timeout = timeout.map_err(|error| PyValueError::new_err(format!("`timeout_s`: {error}")))?;
    let addresses = if public { Addresses::Public } else { Addresses::Any };
    let limits = Limits { timeout, body_bytes: max_bytes, redirects: max_redirects, addresses, ..Limits::default() };
    let client = client(py).map_err(|error| PyConnectionError::new_err(format!("no thread for HTTP: {error}")))?;
    let response = py.detach(|| client.fetch(Request::get(url), limits)).map_err(|error| raised(py, url, &error))?;
    let Response { status, headers, body, url } = response;
    let text = headers.iter().filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
    Ok((status, text.collect(), PyBytes::new(py, &body), url))
}

fn raised(py: Python<'_>, url: &str, error: &FetchError) -> PyErr {
    let text = format!("`{}`: {error}", shown(url));
    match error {
        FetchError::Invalid { .. } => PyValueError::new_err(text),
        FetchError::Timeout { .. } => PyTimeoutError::new_err(text),
        FetchError::TooLarge { limit } => {
            map_error(py, &Error::Limit { what: "the size of what was fetched in bytes", limit: *limit })
        }
        FetchError::Redirects { limit } => {
            map_error(py, &Error::Limit { what: "the number of redirects", limit: u64::from(*limit) })
        }
        _ => {
            let source = std::error::Error::source(error).map(|source| format!(" ({source})"));
            PyConnectionError::new_err(text + &source.unwrap_or_default())
        }
    }
}
