//! As much of HTTP/1.1 as probes and scrapers speak.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

/// More than this is no probe.
const HEAD_BYTES: usize = 8 << 10;

/// What is answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Response {
    status: u16,
    kind: &'static str,
    body: String,
}

impl Response {
    pub(super) fn text(status: u16, body: &str) -> Self {
        Self { status, kind: "text/plain; charset=utf-8", body: body.to_owned() }
    }

    /// In the format that Prometheus reads.
    pub(super) fn metrics(body: String) -> Self {
        Self { status: 200, kind: "text/plain; version=0.0.4; charset=utf-8", body }
    }

    pub(super) fn write(&self, client: &mut TcpStream) -> io::Result<()> {
        let reason = match self.status {
            200 => "OK",
            400 => "Bad Request",
            404 => "Not Found",
            405 => "Method Not Allowed",
            _ => "Service Unavailable",
        };
        let Self { status, kind, body } = self;
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status} {reason}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        client.write_all(head.as_bytes())?;
        client.write_all(body.as_bytes())
    }
}

/// Reads a request until `deadline`; gives its path, or what to answer.
pub(super) fn read(client: &mut TcpStream, deadline: Instant) -> io::Result<Result<String, Response>> {
    let mut head = Vec::new();
    let mut chunk = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let length = client.read(&mut chunk)?;
        head.extend(chunk.iter().take(length));
        if length == 0 || head.len() > HEAD_BYTES || Instant::now() > deadline {
            return Ok(Err(Response::text(400, "this is no request\n")));
        }
    }
    Ok(path(&head))
}

fn path(head: &[u8]) -> Result<String, Response> {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = std::str::from_utf8(line).unwrap_or_default();
    let mut words = line.split(' ');
    match (words.next(), words.next(), words.next()) {
        (Some("GET"), Some(target), Some(version)) if version.starts_with("HTTP/1.") => {
            Ok(target.split('?').next().unwrap_or_default().to_owned())
        }
        (Some(_), Some(_), Some(version)) if version.starts_with("HTTP/") => {
            Err(Response::text(405, "only GET is answered\n"))
        }
        _ => Err(Response::text(400, "this is no request\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_that_of_the_first_line() {
        assert_eq!(Ok("/health".to_owned()), path(b"GET /health?x=1 HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(Err(405), path(b"POST /health HTTP/1.1\r\n\r\n").map_err(|refused| refused.status));
        for strange in [b"\x16\x03\x01".as_slice(), b"GET /health", b""] {
            assert_eq!(Err(400), path(strange).map_err(|refused| refused.status));
        }
    }
}
