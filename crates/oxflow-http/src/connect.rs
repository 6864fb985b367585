//! From a server's name to a connection that speaks HTTP.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;

use crate::error::FetchError;
use crate::limits::Addresses;
use crate::pool::Connection;
use crate::target::Origin;

/// Opens connections; what TLS needs is made for the first secure one.
#[derive(Default)]
pub(crate) struct Connector {
    roots: Option<RootCertStore>,
    tls: OnceLock<Arc<ClientConfig>>,
}

impl Connector {
    pub(crate) fn trusting(roots: RootCertStore) -> Self {
        Self { roots: Some(roots), tls: OnceLock::new() }
    }

    pub(crate) async fn connect(&self, origin: &Origin, allowed: Addresses) -> Result<Connection, FetchError> {
        let stream = open(origin, allowed).await?;
        // What is sent in two pieces must not wait for an answer to the first.
        let _ = stream.set_nodelay(true);
        if !origin.secure {
            return speak(origin, stream).await;
        }
        let host = &origin.host;
        let tls = |source| FetchError::Tls { host: host.clone(), source };
        let name = ServerName::try_from(host.clone()).map_err(|error| tls(io::Error::other(error)))?;
        let config = Arc::clone(self.tls.get_or_init(|| configured(self.roots.clone().unwrap_or_else(roots))));
        speak(origin, TlsConnector::from(config).connect(name, stream).await.map_err(tls)?).await
    }
}

/// Those of the system, by `SSL_CERT_FILE` too; where it has none, Mozilla's.
fn roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}

fn configured(roots: RootCertStore) -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(rustls::DEFAULT_VERSIONS);
    #[expect(clippy::expect_used, reason = "ring has suites for the default versions; the tests of TLS come by here")]
    let builder = builder.expect("ring knows TLS 1.2 and 1.3");
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

/// The first address that answers.
async fn open(origin: &Origin, allowed: Addresses) -> Result<TcpStream, FetchError> {
    let host = &origin.host;
    let resolve = |source| FetchError::Resolve { host: host.clone(), source };
    let all: Vec<SocketAddr> = lookup_host((host.as_str(), origin.port)).await.map_err(resolve)?.collect();
    if all.is_empty() {
        return Err(resolve(io::Error::other("an empty answer")));
    }
    let mut last = None;
    for address in all.into_iter().filter(|address| allowed.allow(address.ip())) {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    Err(match last {
        Some(source) => FetchError::Connect { host: format!("{host}:{}", origin.port), source },
        None => FetchError::Private { host: host.clone() },
    })
}

async fn speak<S>(origin: &Origin, stream: S) -> Result<Connection, FetchError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let protocol = |source| FetchError::Protocol { host: origin.host.clone(), source };
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(protocol)?;
    // What goes wrong on the connection is told to the request on it.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}
