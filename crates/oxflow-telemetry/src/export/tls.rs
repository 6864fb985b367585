//! TLS, by rustls: the one stack of all that leaves the process.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

/// Files of certificates, in PEM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// Whom to trust, in place of whom the system trusts.
    pub trusted: Option<PathBuf>,
    /// Who we are.
    pub certificate: Option<PathBuf>,
    /// The key of `certificate`.
    pub key: Option<PathBuf>,
}

/// Certificates that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read, or isn't what it should be.
    #[error("{} can't be used as {what}: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What it should be.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// Certificate and key need each other.
    #[error("a client has a certificate and a key: one of them is missing")]
    Half,
    /// Nothing is known of whom to trust.
    #[error("the system has no certificates of authorities: name a file of them")]
    Untrusting,
    /// They don't fit.
    #[error("certificate and key can't be used: {0}")]
    Unfit(#[from] rustls::Error),
}

impl TlsFiles {
    /// Whether they can be used, before anything is sent.
    pub fn check(&self) -> Result<(), TlsError> {
        let is_named = self.trusted.is_some() || self.certificate.is_some() || self.key.is_some();
        if is_named { client(self, b"h2").map(drop) } else { Ok(()) }
    }
}

fn unusable(path: &Path, what: &'static str, why: &dyn fmt::Display) -> TlsError {
    TlsError::File { path: path.to_owned(), what, why: why.to_string() }
}

fn certificates(path: &Path, what: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let found = found.map_err(|error| unusable(path, what, &error))?;
    if found.is_empty() { Err(unusable(path, what, &"there is no certificate in it")) } else { Ok(found) }
}

fn trusted(files: &TlsFiles) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    if let Some(path) = &files.trusted {
        let what = "the certificates of authorities";
        for certificate in certificates(path, what)? {
            store.add(certificate).map_err(|error| unusable(path, what, &error))?;
        }
    } else {
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if store.is_empty() {
            return Err(TlsError::Untrusting);
        }
    }
    Ok(store)
}

/// What a connection needs; `protocol` is what is to be spoken over it.
pub(crate) fn client(files: &TlsFiles, protocol: &[u8]) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = builder.with_root_certificates(trusted(files)?);
    let mut config = match (&files.certificate, &files.key) {
        (None, None) => builder.with_no_client_auth(),
        (Some(certificate), Some(key)) => {
            let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, "a key", &error))?;
            builder.with_client_auth_cert(certificates(certificate, "a certificate")?, secret)?
        }
        _ => return Err(TlsError::Half),
    };
    config.alpn_protocols = vec![protocol.to_vec()];
    Ok(Arc::new(config))
}
