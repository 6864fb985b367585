//! What is asked, and what is answered.

use bytes::Bytes;
use http::{HeaderMap, Method};

use crate::error::FetchError;
use crate::target::Target;

/// What is asked. It is checked when it is fetched, so that a wrong one is an error of its own among many.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `POST`, ...
    pub method: String,
    /// `http://` or `https://`.
    pub url: String,
    /// Names and values. `host`, `user-agent`, `accept` and the length are added where they are not given.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Bytes,
}

impl Request {
    /// A `GET` without headers of its own.
    pub fn get(url: impl Into<String>) -> Self {
        Self { method: "GET".to_owned(), url: url.into(), headers: Vec::new(), body: Bytes::new() }
    }
}

/// What was answered.
#[derive(Clone, Debug)]
pub struct Response {
    /// 200, 404, ...
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, whole and as it came.
    pub body: Bytes,
    /// Where it came from in the end, after redirects.
    pub url: String,
}

impl Response {
    /// The first header of this name, if it is text. Names are compared without regard to case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A request that can be sent.
pub(crate) struct Prepared {
    pub(crate) method: Method,
    pub(crate) target: Target,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What HTTP itself writes, by the body and the connection.
const OURS: [&str; 6] = ["connection", "content-length", "keep-alive", "transfer-encoding", "upgrade", "te"];

impl Prepared {
    pub(crate) fn new(request: &Request) -> Result<Self, FetchError> {
        let Request { method, url, headers: given, body } = request;
        let known = Method::from_bytes(method.as_bytes());
        let method = known.map_err(|_| FetchError::invalid(format!("`{method}` is no method")))?;
        if method == Method::CONNECT {
            return Err(FetchError::invalid("`CONNECT` asks for no response"));
        }
        let target = Target::parse(url)?;
        let mut headers = HeaderMap::with_capacity(given.len() + 3);
        for (name, value) in given {
            if OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours)) {
                return Err(FetchError::invalid(format!("the header `{name}` is written by the client")));
            }
            let (Ok(name), Ok(value)) = (name.parse::<http::HeaderName>(), value.parse::<http::HeaderValue>()) else {
                // The value may be a secret.
                return Err(FetchError::invalid(format!("`{name}` is no name of a header, or its value no value")));
            };
            headers.append(name, value);
        }
        Ok(Self { method, target, headers, body: body.clone() })
    }
}
