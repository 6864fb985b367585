//! One connection to the other side, made when it is needed and kept while it works.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::{http1, http2};
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::endpoint::Endpoint;
use super::tls::{self, TlsError, TlsFiles};

/// Most of an answer that is read.
const ANSWER_BYTES: usize = 256 << 10;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransportError {
    #[error("no connection: {0}")]
    Connect(#[from] std::io::Error),
    #[error("no connection: {0}")]
    Tls(#[from] TlsError),
    #[error("the connection broke: {0}")]
    Broken(#[from] hyper::Error),
    #[error("the answer can't be read: {0}")]
    Answer(Box<dyn std::error::Error + Send + Sync>),
    #[error("no answer within {} ms", .0.as_millis())]
    Slow(Duration),
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) trailers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A connection to one place, by HTTP/1.1 or HTTP/2.
#[derive(Debug)]
pub(crate) struct Client {
    endpoint: Endpoint,
    files: TlsFiles,
    is_http2: bool,
    tls: Option<Arc<ClientConfig>>,
    open: Option<Sender>,
}

#[derive(Debug)]
enum Sender {
    One(http1::SendRequest<Full<Bytes>>),
    Two(http2::SendRequest<Full<Bytes>>),
}

impl Sender {
    fn is_closed(&self) -> bool {
        match self {
            Self::One(sender) => sender.is_closed(),
            Self::Two(sender) => sender.is_closed(),
        }
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Response<hyper::body::Incoming>> {
        match self {
            Self::One(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
            Self::Two(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
        }
    }
}

impl Client {
    pub(crate) fn new(endpoint: Endpoint, files: TlsFiles, is_http2: bool) -> Self {
        Self { endpoint, files, is_http2, tls: None, open: None }
    }

    /// Sends a request and reads the whole answer. A connection that was used before and broke is made once more, since the
    /// other side may close what rests.
    pub(crate) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
        timeout: Duration,
    ) -> Result<Reply, TransportError> {
        let was_open = self.open.as_ref().is_some_and(|open| !open.is_closed());
        let tries = async {
            match self.send_once(request.clone()).await {
                Err(TransportError::Broken(_)) if was_open => self.send_once(request).await,
                other => other,
            }
        };
        let reply = tokio::time::timeout(timeout, tries).await.unwrap_or(Err(TransportError::Slow(timeout)));
        if reply.is_err() {
            self.open = None;
        }
        reply
    }

    async fn send_once(&mut self, request: Request<Full<Bytes>>) -> Result<Reply, TransportError> {
        let mut sender = match self.open.take().filter(|open| !open.is_closed()) {
            Some(open) => open,
            None => self.connect().await?,
        };
        let response = sender.send(request).await?;
        let (parts, body) = response.into_parts();
        let collected = Limited::new(body, ANSWER_BYTES).collect().await.map_err(TransportError::Answer)?;
        self.open = Some(sender);
        let trailers = collected.trailers().cloned().unwrap_or_default();
        Ok(Reply { status: parts.status, headers: parts.headers, trailers, body: collected.to_bytes() })
    }

    async fn connect(&mut self) -> Result<Sender, TransportError> {
        let stream = TcpStream::connect((self.endpoint.host.as_str(), self.endpoint.port)).await?;
        stream.set_nodelay(true)?;
        if !self.endpoint.is_secure {
            return self.speak(stream).await;
        }
        let name = ServerName::try_from(self.endpoint.host.clone());
        let name = name.map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidInput, error))?;
        let config = match &self.tls {
            Some(config) => Arc::clone(config),
            None => Arc::clone(self.tls.insert(tls::client(&self.files, self.protocol())?)),
        };
        self.speak(TlsConnector::from(config).connect(name, stream).await?).await
    }

    fn protocol(&self) -> &'static [u8] {
        if self.is_http2 { b"h2" } else { b"http/1.1" }
    }

    async fn speak(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> Result<Sender, TransportError> {
        let io = TokioIo::new(stream);
        if self.is_http2 {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
            tokio::spawn(connection);
            Ok(Sender::Two(sender))
        } else {
            let (sender, connection) = http1::handshake(io).await?;
            tokio::spawn(connection);
            Ok(Sender::One(sender))
        }
    }
}
