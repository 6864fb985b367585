//! Who takes records: what is sent there, and what the answers mean.

use std::time::{Duration, SystemTime};

use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;

use super::answer::Answer;
use super::client::{Client, Reply};
use super::otlp::{OtlpConfig, Protocol};
use super::retry::RetryLimits;
use super::sls::SlsConfig;
use super::{grpc, http};
use crate::batch::Batch;
use crate::scope::Resource;
use crate::signal::Signal;

/// Who takes records.
#[derive(Clone, Debug)]
pub enum Backend {
    /// An OpenTelemetry Collector, or whoever else speaks OTLP.
    Otlp(Box<OtlpConfig>),
    /// A logstore of Alibaba Cloud's Simple Log Service. It takes log records.
    Sls(Box<SlsConfig>),
}

/// What a batch is to be sent as.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) bytes: Bytes,
    /// How much it was before it was made smaller.
    pub(crate) raw_len: usize,
}

impl Backend {
    pub(crate) fn client(&self) -> Client {
        match self {
            Self::Otlp(config) => {
                Client::new(config.endpoint.clone(), config.tls.clone(), config.protocol == Protocol::Grpc)
            }
            Self::Sls(config) => Client::new(config.endpoint.clone(), config.tls.clone(), false),
        }
    }

    pub(crate) fn timeout(&self) -> Duration {
        match self {
            Self::Otlp(config) => config.timeout,
            Self::Sls(config) => config.timeout,
        }
    }

    pub(crate) fn retry(&self) -> RetryLimits {
        match self {
            Self::Otlp(config) => config.retry,
            Self::Sls(config) => config.retry,
        }
    }

    /// For people.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Otlp(config) => config.endpoint.shown(),
            Self::Sls(config) => config.shown(),
        }
    }

    pub(crate) fn body(&self, batch: &Batch, resource: &Resource) -> std::io::Result<Body> {
        match self {
            Self::Otlp(config) => config.body(batch.request(resource)),
            Self::Sls(config) => config.body(batch, resource),
        }
    }

    /// A request with this body, of this moment: some are signed with the time.
    pub(crate) fn request(
        &self,
        signal: Signal,
        body: &Body,
        now: SystemTime,
    ) -> std::io::Result<Request<Full<Bytes>>> {
        match self {
            Self::Otlp(config) => config.request(signal, body),
            Self::Sls(config) => config.request(body, now),
        }
    }

    pub(crate) fn answer(&self, reply: &Reply, now: SystemTime) -> Answer {
        match self {
            Self::Otlp(config) if config.protocol == Protocol::Grpc => grpc::answer(reply),
            Self::Otlp(_) => http::answer(reply, now),
            Self::Sls(_) => super::sls::answer(reply),
        }
    }
}
