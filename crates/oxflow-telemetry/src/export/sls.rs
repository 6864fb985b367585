//! `PutLogs` of Alibaba Cloud's Simple Log Service.

use std::fmt;
use std::time::{Duration, SystemTime};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{HeaderValue, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use md5::{Digest, Md5};

use super::answer::Answer;
use super::backend::Body;
use super::client::Reply;
use super::endpoint::{Endpoint, EndpointError};
use super::http::beginning;
use super::retry::RetryLimits;
use super::sign::{self, Credentials, SlsSignature};
use super::tls::TlsFiles;
use crate::batch::Batch;
use crate::scope::Resource;
use crate::wire;

/// A logstore.
#[derive(Clone, Debug)]
pub struct SlsConfig {
    /// Where its project is; see [`SlsConfig::endpoint`].
    pub endpoint: Endpoint,
    /// Its name.
    pub logstore: String,
    /// A word by which logs are found there, may be empty.
    pub topic: String,
    /// The machine that they come from, may be empty.
    pub source: String,
    /// Who sends.
    pub credentials: Credentials,
    /// How requests are signed.
    pub signature: SlsSignature,
    /// How requests are made smaller.
    pub compression: SlsCompression,
    /// How long a request may take.
    pub timeout: Duration,
    /// How patient the sink is.
    pub retry: RetryLimits,
    /// Certificates.
    pub tls: TlsFiles,
}

/// How requests are made smaller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SlsCompression {
    /// By LZ4, a block without its length.
    #[default]
    Lz4,
    /// By zstd.
    Zstd,
}

impl fmt::Display for SlsCompression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        })
    }
}

const AGENT: &str = concat!("oxflow/", env!("CARGO_PKG_VERSION"));
const PROTOBUF: &str = "application/x-protobuf";

impl SlsConfig {
    /// Where a project is: under a name of its own, unless the address is an IP, which has none.
    pub fn endpoint(address: &str, project: &str) -> Result<Endpoint, EndpointError> {
        let endpoint = Endpoint::parse(address, false)?;
        let is_ip = endpoint.host.parse::<std::net::IpAddr>().is_ok();
        let host = if is_ip { endpoint.host } else { format!("{project}.{}", endpoint.host) };
        Ok(Endpoint { host, ..endpoint })
    }

    /// For people.
    pub(crate) fn shown(&self) -> String {
        format!("{}/{}", self.endpoint.shown().trim_end_matches('/'), self.logstore)
    }

    /// A `LogGroup`, made smaller. The logs stand in the batch as they are sent.
    pub(crate) fn body(&self, batch: &Batch, resource: &Resource) -> std::io::Result<Body> {
        let mut group = batch.plain();
        wire::text(&mut group, 3, &self.topic);
        wire::text(&mut group, 4, &self.source);
        for (name, value) in resource.attributes.iter() {
            wire::message(&mut group, 6, |tag| {
                wire::bytes(tag, 1, name.as_bytes());
                wire::bytes(tag, 2, crate::json::text(&value).as_bytes());
            });
        }
        let bytes = match self.compression {
            SlsCompression::Lz4 => lz4_flex::block::compress(&group),
            SlsCompression::Zstd => zstd::bulk::compress(&group, 1)?,
        };
        Ok(Body { bytes: bytes.into(), raw_len: group.len() })
    }

    /// A request that is signed for this moment.
    pub(crate) fn request(&self, body: &Body, now: SystemTime) -> std::io::Result<Request<Full<Bytes>>> {
        let resource = format!("/logstores/{}/shards/lb", self.logstore);
        let host = self.host();
        let md5 = sign::hex(&Md5::digest(&body.bytes)).to_uppercase();
        let mut headers = vec![
            ("content-md5", md5),
            ("content-type", PROTOBUF.to_owned()),
            ("host", host),
            ("x-log-apiversion", "0.6.0".to_owned()),
            ("x-log-bodyrawsize", body.raw_len.to_string()),
            ("x-log-compresstype", self.compression.to_string()),
        ];
        if let Some(token) = &self.credentials.token {
            headers.push(("x-acs-security-token", token.clone()));
        }
        sign::sign(&mut headers, &self.credentials, &self.signature, &resource, &body.bytes, now);
        let mut request = Request::builder().method(Method::POST).uri(resource);
        for (name, value) in headers {
            let mut value = HeaderValue::try_from(value).map_err(std::io::Error::other)?;
            value.set_sensitive(name == "authorization" || name == "x-acs-security-token");
            request = request.header(name, value);
        }
        request.header(USER_AGENT, AGENT).body(Full::new(body.bytes.clone())).map_err(std::io::Error::other)
    }

    /// As the request names it, without the port that everybody expects.
    fn host(&self) -> String {
        let usual = if self.endpoint.is_secure { 443 } else { 80 };
        if self.endpoint.port == usual { self.endpoint.host.clone() } else { self.endpoint.authority() }
    }
}

/// What an answer means.
pub(crate) fn answer(reply: &Reply) -> Answer {
    if reply.status.is_success() {
        return Answer::Taken { rejected: 0, why: String::new() };
    }
    let said = beginning(&reply.body);
    let why = format!("{}{}{said}", reply.status, if said.is_empty() { "" } else { ": " });
    // `WriteQuotaExceed` and `ShardWriteQuotaExceed` come as 403; a clock that went wrong may be set right.
    let is_asked_again = ["WriteQuotaExceed", "RequestTimeExpired"].iter().any(|code| said.contains(code));
    if reply.status.is_server_error() || reply.status == StatusCode::TOO_MANY_REQUESTS || is_asked_again {
        Answer::Busy { after: None, why }
    } else {
        Answer::Refused { why }
    }
}
