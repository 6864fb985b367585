//! Where records are sent.

use hyper::Uri;

/// An address of the other side, as the user wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) path: String,
    pub(crate) is_secure: bool,
}

/// An address that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{address}` is no address of a collector: {why}")]
pub struct EndpointError {
    /// What was given, without a password.
    pub address: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Endpoint {
    /// Reads `http://host:4318/v1/traces`. Without `http://` or `https://` in front, `insecure` says whether to go without TLS.
    pub fn parse(address: &str, insecure: bool) -> Result<Self, EndpointError> {
        let error = |why| EndpointError { address: without_password(address), why };
        let address = address.trim();
        let whole = match (address.contains("://"), insecure) {
            (true, _) => address.to_owned(),
            (false, true) => format!("http://{address}"),
            (false, false) => format!("https://{address}"),
        };
        let uri: Uri = whole.parse().map_err(|_| error("write `http://host:port` or `https://host:port`"))?;
        let is_secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(error("it begins with neither `http://` nor `https://`")),
        };
        let authority = uri.authority().ok_or_else(|| error("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(error("a name and a password belong into `headers`"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(error("it names no host"));
        }
        let port = if authority.as_str() == authority.host() {
            if is_secure { 443 } else { 80 }
        } else {
            authority.port_u16().ok_or_else(|| error("its port is no number up to 65535"))?
        };
        let path = uri.path_and_query().map_or("/", hyper::http::uri::PathAndQuery::as_str).to_owned();
        Ok(Self { host, port, path, is_secure })
    }

    /// Whether it is spoken to by TLS.
    pub fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// Host and port as a request names them.
    pub(crate) fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// For people.
    pub(crate) fn shown(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        format!("{}://{}{path}", if self.is_secure { "https" } else { "http" }, self.authority())
    }
}

fn without_password(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((before, host)) => {
            let scheme = before.split_once("://").map_or("", |(scheme, _)| scheme);
            format!("{scheme}://...@{host}")
        }
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, expected: (&str, u16, &str, bool)) {
        let found = Endpoint::parse(address, false).expect("it is one");
        assert_eq!(expected, (found.host.as_str(), found.port, found.path.as_str(), found.is_secure));
    }

    #[test]
    fn an_address_is_used_as_given() {
        check("http://localhost:4318/v1/traces", ("localhost", 4318, "/v1/traces", false));
        check("https://collector.example/a?b=c", ("collector.example", 443, "/a?b=c", true));
        check("http://[::1]:4317", ("::1", 4317, "/", false));
        check("collector:4317", ("collector", 4317, "/", true));
        assert_eq!(Ok(false), Endpoint::parse("collector:4317", true).map(|found| found.is_secure));
    }

    #[test]
    fn what_is_none_is_an_error_without_the_password() {
        for address in ["", "ftp://host", "http://", "not an address", "unix:///tmp/x", "http://host:99999"] {
            assert!(Endpoint::parse(address, false).is_err(), "{address}");
        }
        let error = Endpoint::parse("https://me:secret@host:1", false).expect_err("it has a password");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
