//! One request and its response: connections, redirects, limits, repetitions.

use std::hash::{BuildHasher, RandomState};

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, AUTHORIZATION, COOKIE, HOST, PROXY_AUTHORIZATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};

use crate::connect::Connector;
use crate::error::FetchError;
use crate::limits::Limits;
use crate::pool::{Connection, Pool};
use crate::request::{Prepared, Request, Response};
use crate::retry;
use crate::target::Target;

const OURSELVES: HeaderValue = HeaderValue::from_static(concat!("oxflow/", env!("CARGO_PKG_VERSION")));

/// The connections of a client, and how others are made.
#[derive(Default)]
pub(crate) struct Net {
    pub(crate) pool: Pool,
    connector: Connector,
    /// Spreads repetitions, differently in each client.
    spread: RandomState,
}

impl Net {
    pub(crate) fn new(connector: Connector) -> Self {
        Self { connector, ..Self::default() }
    }

    /// The response, and how many attempts there were.
    pub(crate) async fn fetch(
        &self,
        index: usize,
        request: &Request,
        limits: &Limits,
    ) -> (u32, Result<Response, FetchError>) {
        let prepared = match Prepared::new(request) {
            Ok(prepared) => prepared,
            Err(error) => return (0, Err(error)),
        };
        let idempotent = retry::is_idempotent(&prepared.method, &prepared.headers);
        let mut attempt = 1;
        loop {
            let timed = tokio::time::timeout(limits.timeout, self.follow(&prepared, limits, idempotent)).await;
            let outcome = timed.unwrap_or(Err(FetchError::Timeout { after: limits.timeout }));
            let part = f64::from(u32::try_from(self.spread.hash_one((index, attempt)) >> 32).unwrap_or(0))
                / f64::from(u32::MAX);
            match retry::wait(limits, attempt, idempotent, &outcome, part) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return (attempt, outcome),
            }
            attempt += 1;
        }
    }

    async fn follow(&self, prepared: &Prepared, limits: &Limits, idempotent: bool) -> Result<Response, FetchError> {
        let mut sent = Sent {
            method: &prepared.method,
            target: prepared.target.clone(),
            headers: prepared.headers.clone(),
            body: &prepared.body,
            idempotent,
        };
        let may_follow = limits.redirects > 0 && matches!(prepared.method, Method::GET | Method::HEAD);
        for _ in 0..=limits.redirects {
            let response = self.once(&sent, limits).await?;
            let location = response.header("location").filter(|_| matches!(response.status, 301..=303 | 307 | 308));
            match location {
                Some(location) if may_follow => sent.go(location)?,
                _ => return Ok(response),
            }
        }
        Err(FetchError::Redirects { limit: limits.redirects })
    }

    async fn once(&self, sent: &Sent<'_>, limits: &Limits) -> Result<Response, FetchError> {
        let key = (sent.target.origin.clone(), limits.addresses);
        let protocol = |source| FetchError::Protocol { host: sent.target.origin.host.clone(), source };
        loop {
            let rested = self.pool.take(&key);
            let reused = rested.is_some();
            let mut connection = match rested {
                Some(connection) => connection,
                None => self.connector.connect(&sent.target.origin, limits.addresses).await?,
            };
            let response = match send(&mut connection, sent).await {
                Ok(response) => response,
                // A server may close a connection that rests just when it is used again.
                Err(failure) if reused && (failure.unsent || sent.idempotent) => continue,
                Err(failure) => return Err(protocol(failure.error)),
            };
            let (head, body) = response.into_parts();
            let body = whole(body, limits.body_bytes, protocol).await?;
            self.pool.put(&key, connection);
            return Ok(Response { status: head.status.as_u16(), headers: head.headers, body, url: sent.target.url() });
        }
    }
}

/// What is sent, after some redirects.
struct Sent<'a> {
    method: &'a Method,
    target: Target,
    headers: HeaderMap,
    body: &'a Bytes,
    idempotent: bool,
}

impl Sent<'_> {
    /// Another server must not learn what was meant for this one.
    fn go(&mut self, location: &str) -> Result<(), FetchError> {
        let next = self.target.join(location)?;
        if next.origin != self.target.origin {
            for secret in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, HOST] {
                self.headers.remove(secret);
            }
        }
        self.target = next;
        Ok(())
    }

    fn message(&self) -> http::Request<Full<Bytes>> {
        let mut message = http::Request::new(Full::new(self.body.clone()));
        message.method_mut().clone_from(self.method);
        *message.uri_mut() = Uri::from(self.target.path.clone());
        let headers = message.headers_mut();
        headers.clone_from(&self.headers);
        headers.entry(HOST).or_insert_with(|| self.target.authority.clone());
        headers.entry(USER_AGENT).or_insert(OURSELVES);
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        message
    }
}

struct Failure {
    unsent: bool,
    error: hyper::Error,
}

async fn send(connection: &mut Connection, sent: &Sent<'_>) -> Result<http::Response<Incoming>, Failure> {
    connection.ready().await.map_err(|error| Failure { unsent: true, error })?;
    connection.try_send_request(sent.message()).await.map_err(|mut error| {
        let unsent = error.take_message().is_some();
        Failure { unsent, error: error.into_error() }
    })
}

/// The whole body, if it is not larger than it may be. Most bodies come in one piece, which is not copied.
async fn whole(
    mut body: Incoming,
    limit: u64,
    protocol: impl Fn(hyper::Error) -> FetchError,
) -> Result<Bytes, FetchError> {
    if body.size_hint().lower() > limit {
        return Err(FetchError::TooLarge { limit });
    }
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame.map_err(&protocol)?.into_data() else { continue };
        if (first.len() + all.len() + piece.len()) as u64 > limit {
            return Err(FetchError::TooLarge { limit });
        }
        if first.is_empty() && all.is_empty() {
            first = piece;
        } else {
            all.extend_from_slice(&std::mem::take(&mut first));
            all.extend_from_slice(&piece);
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}
