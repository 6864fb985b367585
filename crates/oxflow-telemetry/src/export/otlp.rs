//! Requests to a collector.

use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderName, HeaderValue, TE, USER_AGENT};
use hyper::{HeaderMap, Method, Request, Version};

use super::backend::Body;
use super::compress::Compression;
use super::endpoint::Endpoint;
use super::grpc;
use super::retry::RetryLimits;
use super::tls::TlsFiles;
use crate::signal::Signal;

/// How a collector is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// gRPC.
    #[default]
    Grpc,
    /// Protocol Buffers over HTTP/1.1.
    HttpProtobuf,
}

/// A collector.
#[derive(Clone, Debug)]
pub struct OtlpConfig {
    /// Where it is, used as it is given.
    pub endpoint: Endpoint,
    /// How it is spoken to.
    pub protocol: Protocol,
    /// Headers of each request.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// How requests are made smaller.
    pub compression: Compression,
    /// How long a request may take.
    pub timeout: Duration,
    /// How patient the sink is.
    pub retry: RetryLimits,
    /// Certificates.
    pub tls: TlsFiles,
}

const AGENT: &str = concat!("OTel-OTLP-Exporter-oxflow/", env!("CARGO_PKG_VERSION"));

impl OtlpConfig {
    /// What a request of OTLP is to be sent as.
    pub(crate) fn body(&self, request: Vec<u8>) -> std::io::Result<Body> {
        let raw_len = request.len();
        let body = self.compression.compress(request)?;
        let is_compressed = self.compression.name().is_some();
        let bytes = if self.protocol == Protocol::Grpc { grpc::framed(&body, is_compressed) } else { body };
        Ok(Body { bytes: bytes.into(), raw_len })
    }

    pub(crate) fn request(&self, signal: Signal, body: &Body) -> std::io::Result<Request<Full<Bytes>>> {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        for (name, value) in &self.headers {
            headers.append(name.clone(), value.clone());
        }
        let encoding = self.compression.name().map(HeaderValue::from_static);
        let (uri, version) = match self.protocol {
            Protocol::Grpc => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
                headers.insert(TE, HeaderValue::from_static("trailers"));
                encoding.map(|encoding| headers.insert("grpc-encoding", encoding));
                let scheme = if self.endpoint.is_secure { "https" } else { "http" };
                let uri = format!("{scheme}://{}{}", self.endpoint.authority(), signal.grpc_path());
                (uri, Version::HTTP_2)
            }
            Protocol::HttpProtobuf => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
                encoding.map(|encoding| headers.insert(CONTENT_ENCODING, encoding));
                if let Ok(host) = self.endpoint.authority().parse() {
                    headers.insert(HOST, host);
                }
                (self.endpoint.path.clone(), Version::HTTP_11)
            }
        };
        let body = Full::new(body.bytes.clone());
        let request = Request::builder().method(Method::POST).uri(uri).version(version).body(body);
        let mut request = request.map_err(std::io::Error::other)?;
        *request.headers_mut() = headers;
        Ok(request)
    }
}
