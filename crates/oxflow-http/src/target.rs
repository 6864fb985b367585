//! Where a request goes: as much of a URL as HTTP needs.

use std::fmt::Write;

use http::HeaderValue;
use http::Uri;
use http::uri::PathAndQuery;

use crate::error::FetchError;

/// A server: requests to the same one share connections.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    pub(crate) secure: bool,
    /// Without the brackets of an address of IPv6.
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// A server and what is wanted from it.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) origin: Origin,
    /// `host` or `host:port`, as the header `host` has it.
    pub(crate) authority: HeaderValue,
    /// Path and query.
    pub(crate) path: PathAndQuery,
}

impl Target {
    pub(crate) fn parse(url: &str) -> Result<Self, FetchError> {
        // What comes after `#` is the client's own affair.
        let sent = escaped(url.split('#').next().unwrap_or_default());
        let wrong = |why: &str| FetchError::invalid(format!("`{}` is no URL that can be fetched: {why}", shown(url)));
        if !has_scheme(&sent) {
            return Err(wrong("it has no `http://` or `https://`"));
        }
        let uri: Uri = sent.parse().map_err(|error: http::uri::InvalidUri| wrong(&error.to_string()))?;
        let secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong("it is neither `http` nor `https`")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("a name and password belong into the header `authorization`"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        if host.is_empty() {
            return Err(wrong("it has no host"));
        }
        let port = match authority.as_str().strip_prefix(authority.host()).unwrap_or_default() {
            "" if secure => 443,
            "" => 80,
            port => port.trim_start_matches(':').parse().map_err(|_| wrong("its port is no number up to 65535"))?,
        };
        let path = match uri.path_and_query() {
            Some(path) if path.as_str().starts_with('/') => path.clone(),
            path => {
                format!("/{}", path.map_or("", PathAndQuery::as_str)).parse().map_err(|_| wrong("its path is none"))?
            }
        };
        let authority = authority.as_str().parse().map_err(|_| wrong("its host is none"))?;
        Ok(Self { origin: Origin { secure, host, port }, authority, path })
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://{}{}", self.scheme(), self.authority(), self.path)
    }

    fn authority(&self) -> &str {
        // It was made of text.
        self.authority.to_str().unwrap_or_default()
    }

    fn scheme(&self) -> &'static str {
        if self.origin.secure { "https" } else { "http" }
    }

    /// Where a header `location` leads. Source: RFC 3986, section 5.2.
    pub(crate) fn join(&self, location: &str) -> Result<Self, FetchError> {
        let location = location.trim();
        if has_scheme(location) {
            return Self::parse(location);
        }
        if location.starts_with("//") {
            return Self::parse(&format!("{}:{location}", self.scheme()));
        }
        let base = self.path.path();
        let path = match location.chars().next() {
            Some('/') => location.to_owned(),
            Some('?') => format!("{base}{location}"),
            None | Some('#') => self.path.as_str().to_owned(),
            Some(_) => format!("{}/{location}", base.rsplit_once('/').map_or("", |(folder, _)| folder)),
        };
        Self::parse(&format!("{}://{}{}", self.scheme(), self.authority(), without_dots(&path)))
    }
}

/// Letters beyond ASCII and spaces as HTTP takes them. Hosts of such letters have another form, which is not made here.
fn escaped(url: &str) -> String {
    let mut text = String::with_capacity(url.len());
    let path = url.find("://").and_then(|scheme| Some(scheme + 3 + url[scheme + 3..].find(['/', '?'])?));
    let (server, path) = url.split_at(path.unwrap_or(url.len()));
    text.push_str(server);
    for byte in path.bytes() {
        match byte {
            b' ' | 0x80.. => drop(write!(text, "%{byte:02X}")),
            _ => text.push(char::from(byte)),
        }
    }
    text
}

/// A scheme ends with a colon that comes before any other mark.
fn has_scheme(location: &str) -> bool {
    let end = location.find([':', '/', '?', '#']);
    end.is_some_and(|end| end > 0 && location[end..].starts_with(':'))
}

/// A path without `.` and `..`.
fn without_dots(path: &str) -> String {
    let (path, query) = path.find('?').map_or((path, ""), |at| path.split_at(at));
    let mut kept: Vec<&str> = Vec::new();
    let mut open = false;
    for segment in path.split('/').skip(1) {
        open = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            _ => kept.push(segment),
        }
    }
    let end = if open && !kept.is_empty() { "/" } else { "" };
    format!("/{}{end}{query}", kept.join("/"))
}

/// A URL as errors and reports show it: without a name and password of a user and without its query, which may hold secrets, and not
/// for ever.
pub fn shown(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = url.find("://").map_or(("", url), |at| url.split_at(at + 3));
    let (server, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let host = server.rfind('@').map_or(server, |at| server.split_at(at + 1).1);
    [scheme, host, path].concat().chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::{Target, shown};

    #[test]
    fn secrets_do_not_show() {
        for (url, expected) in [
            ("https://me:pass@word@host:1/a@b?token=x#y", "https://host:1/a@b"),
            ("http://host?token=x", "http://host"),
            ("me@host/x", "host/x"),
            ("", ""),
        ] {
            assert_eq!(expected, shown(url));
        }
    }

    #[track_caller]
    fn check(base: &str, location: &str, expected: &str) {
        assert_eq!(expected, Target::parse(base).unwrap().join(location).unwrap().url());
    }

    #[test]
    fn a_redirect_leads_where_rfc_3986_says() {
        let base = "http://a/b/c/d?q";
        check(base, "https://x/y", "https://x/y");
        check(base, "//g", "http://g/");
        check(base, "/g", "http://a/g");
        check(base, "g", "http://a/b/c/g");
        check(base, "./g/", "http://a/b/c/g/");
        check(base, "g?y#s", "http://a/b/c/g?y");
        check(base, "?y", "http://a/b/c/d?y");
        check(base, "", "http://a/b/c/d?q");
        check(base, "#s", "http://a/b/c/d?q");
        check(base, "..", "http://a/b/");
        check(base, "../..", "http://a/");
        check(base, "../../../g", "http://a/g");
        check(base, "g;x=1/../y", "http://a/b/c/y");
        check(base, "?url=http://b/../c", "http://a/b/c/d?url=http://b/../c");
    }

    #[test]
    fn a_url_says_server_and_path() {
        let target = Target::parse("https://[::1]:8443/a?b#c").unwrap();
        assert_eq!(("::1", 8443, true), (target.origin.host.as_str(), target.origin.port, target.origin.secure));
        assert_eq!(("[::1]:8443", "/a?b"), (target.authority(), target.path.as_str()));
        assert_eq!("/K%C3%B6ln%20West?%C3%9F", Target::parse("http://a/Köln West?ß").unwrap().path.as_str());
        assert_eq!(80, Target::parse("http://Example.com").unwrap().origin.port);
        assert_eq!("/?x", Target::parse("http://example.com?x").unwrap().path.as_str());
    }

    #[test]
    fn what_cannot_be_fetched_says_why_and_tells_no_password() {
        for url in [
            "",
            "example.com/x",
            "ftp://a/b",
            "http://",
            "http:///x",
            "http://a:99999/",
            "http://a b/",
            "file:///etc/passwd",
        ] {
            assert!(Target::parse(url).unwrap_err().to_string().contains("is no URL that can be fetched"), "{url}");
        }
        let error = Target::parse("http://me:secret@a/").unwrap_err().to_string();
        assert!(!error.contains("secret") && error.contains("`authorization`"), "{error}");
    }
}
