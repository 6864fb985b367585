//! Why a request has no response.

use std::io;
use std::time::Duration;

/// What came instead of a response.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The request can't be sent as it is.
    #[error("{reason}")]
    Invalid {
        /// What is wrong with it.
        reason: String,
    },
    /// The name of the host has no address.
    #[error("`{host}` has no address")]
    Resolve {
        /// The host.
        host: String,
        /// What the resolver said.
        #[source]
        source: io::Error,
    },
    /// All addresses of the host are ones that [`Addresses::Public`](crate::Addresses::Public) excludes.
    #[error("`{host}` is not in the public network")]
    Private {
        /// The host.
        host: String,
    },
    /// Nobody answers at the host's addresses.
    #[error("no connection to `{host}`")]
    Connect {
        /// Host and port.
        host: String,
        /// What the last address said.
        #[source]
        source: io::Error,
    },
    /// The host is not who it should be, or does not speak TLS.
    #[error("no secure connection to `{host}`")]
    Tls {
        /// The host.
        host: String,
        /// What TLS said.
        #[source]
        source: io::Error,
    },
    /// It took too long, from the connection to the last byte.
    #[error("no whole response within {} s", .after.as_secs_f64())]
    Timeout {
        /// What was allowed.
        after: Duration,
    },
    /// The body is larger than it may be.
    #[error("the body has more than {limit} bytes")]
    TooLarge {
        /// What was allowed, in bytes.
        limit: u64,
    },
    /// One redirect led to another too often.
    #[error("more than {limit} redirects")]
    Redirects {
        /// What was allowed.
        limit: u32,
    },
    /// The connection broke off, or what came is no HTTP.
    #[error("no whole response of HTTP from `{host}`")]
    Protocol {
        /// The host.
        host: String,
        /// What was wrong.
        #[source]
        source: hyper::Error,
    },
    /// It was given up before it was done.
    #[error("cancelled before it was done")]
    Cancelled,
    /// The client was made by a parent of this process.
    #[error("the client belongs to the process that made it")]
    Forked,
}

impl FetchError {
    /// The kind of it as one word, for programs: `connect`, `timeout`, ...
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid",
            Self::Resolve { .. } => "resolve",
            Self::Private { .. } => "private",
            Self::Connect { .. } => "connect",
            Self::Tls { .. } => "tls",
            Self::Timeout { .. } => "timeout",
            Self::TooLarge { .. } => "too large",
            Self::Redirects { .. } => "redirects",
            Self::Protocol { .. } => "protocol",
            Self::Cancelled => "cancelled",
            Self::Forked => "forked",
        }
    }

    pub(crate) fn invalid(reason: impl Into<String>) -> Self {
        Self::Invalid { reason: reason.into() }
    }
}
