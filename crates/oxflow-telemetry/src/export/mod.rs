//! Batches on their way out: the request, the connection, what the answer means and whether to try again.

pub(crate) mod answer;
pub(crate) mod backend;
pub(crate) mod client;
pub(crate) mod compress;
pub(crate) mod endpoint;
pub(crate) mod exporter;
pub(crate) mod grpc;
pub(crate) mod http;
pub(crate) mod otlp;
pub(crate) mod retry;
pub(crate) mod sign;
pub(crate) mod sls;
pub(crate) mod tls;

pub use backend::Backend;
pub use compress::Compression;
pub use endpoint::{Endpoint, EndpointError};
pub use otlp::{OtlpConfig, Protocol};
pub use retry::RetryLimits;
pub use sign::{Credentials, SlsSignature};
pub use sls::{SlsCompression, SlsConfig};
pub use tls::{TlsError, TlsFiles};
