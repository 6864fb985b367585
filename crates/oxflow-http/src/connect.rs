//! From a server's name to a connection that speaks HTTP.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::error::FetchError;
use crate::limits::Addresses;
use crate::pool::Connection;
use crate::target::Origin;

/// How long an address may be silent before the next one is tried beside it.
const STAGGER: Duration = Duration::from_millis(250);

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
    let all: Vec<SocketAddr> = all.into_iter().filter(|address| allowed.allow(address.ip())).collect();
    if all.is_empty() {
        return Err(FetchError::Private { host: host.clone() });
    }
    let unreached = |source| FetchError::Connect { host: format!("{host}:{}", origin.port), source };
    first(all).await.map_err(unreached)
}

/// Connects to the address that answers first. While one is silent the next one is tried, too, as RFC 8305 has it.
async fn first(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let (mut left, mut tried) = (addresses.into_iter(), JoinSet::new());
    let mut last = io::Error::other("there is no address");
    loop {
        match left.next() {
            Some(address) => drop(tried.spawn(TcpStream::connect(address))),
            None if tried.is_empty() => return Err(last),
            None => {}
        }
        let patience = if left.len() == 0 { Duration::MAX } else { STAGGER };
        match timeout(patience, tried.join_next()).await {
            Ok(Some(Ok(Ok(stream)))) => return Ok(stream),
            Ok(Some(Ok(Err(error)))) => last = error,
            // It is silent, or its task is gone.
            _ => {}
        }
    }
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

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    use super::first;

    /// A listener whose queue of connections is full, so that the next one hears nothing.
    fn silent() -> (TcpListener, Vec<TcpStream>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let patience = Duration::from_millis(100);
        let queued = std::iter::from_fn(|| TcpStream::connect_timeout(&address, patience).ok()).collect();
        (listener, queued)
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(future)
    }

    #[test]
    fn an_address_that_is_silent_or_refuses_keeps_nobody_from_the_next_one() {
        let (silent, _queued) = silent();
        let refusing = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
        let listening = TcpListener::bind("127.0.0.1:0").expect("a port");
        let expected = listening.local_addr().expect("an address");
        let all = vec![silent.local_addr().expect("an address"), refusing, expected];
        // The system would try the first one for two minutes.
        let reached = run(async { tokio::time::timeout(Duration::from_secs(60), first(all)).await }).expect("in time");
        assert_eq!(expected, reached.expect("a connection").peer_addr().expect("an address"));
    }

    #[test]
    fn where_nobody_answers_the_last_reason_is_told() {
        let refusing = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
        let error = run(first(vec![refusing])).expect_err("nobody listens");
        assert_eq!(std::io::ErrorKind::ConnectionRefused, error.kind());
    }
}
