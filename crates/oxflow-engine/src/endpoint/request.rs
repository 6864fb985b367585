//! As much of HTTP/1.1 as probes and scrapers speak.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde::Serialize;

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

    /// For programs and people.
    pub(super) fn json(status: u16, value: &impl Serialize) -> Self {
        // What is shown here can be JSON.
        let body = serde_json::to_string_pretty(value).unwrap_or_default() + "\n";
        Self { status, kind: "application/json", body }
    }

    /// In the format that Prometheus reads.
    pub(super) fn metrics(body: String) -> Self {
        Self { status: 200, kind: "text/plain; version=0.0.4; charset=utf-8", body }
    }

    /// Writes it until `deadline`.
    pub(super) fn write(&self, client: &mut TcpStream, deadline: Instant) -> io::Result<()> {
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
        write_all(client, head.as_bytes(), deadline)?;
        write_all(client, body.as_bytes(), deadline)
    }
}

/// As that of the standard library, but who takes a byte now and then doesn't hold the thread, and with it the end of the run.
fn write_all(client: &mut TcpStream, mut bytes: &[u8], deadline: Instant) -> io::Result<()> {
    while !bytes.is_empty() {
        client.set_write_timeout(Some(left(deadline)?))?;
        let written = client.write(bytes)?;
        bytes = bytes.get(written..).filter(|_| written > 0).ok_or(io::ErrorKind::WriteZero)?;
    }
    Ok(())
}

/// How long it is to `deadline`.
fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// Reads a request until `deadline`; gives its path, or what to answer.
pub(super) fn read(client: &mut TcpStream, deadline: Instant) -> io::Result<Result<String, Response>> {
    let mut head = Vec::new();
    let mut chunk = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        client.set_read_timeout(Some(left(deadline)?))?;
        let length = client.read(&mut chunk)?;
        head.extend(chunk.iter().take(length));
        if length == 0 || head.len() > HEAD_BYTES {
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
    use std::net::TcpListener;

    use super::*;

    /// Both ends of a connection.
    fn connected() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let client = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
        (client, listener.accept().expect("a connection").0)
    }

    #[test]
    fn who_takes_nothing_of_an_answer_is_left() {
        let (client, mut server) = connected();
        let started = Instant::now();
        let written = Response::metrics("x".repeat(64 << 20)).write(&mut server, started + Duration::from_millis(50));
        assert!(written.is_err());
        assert!(started.elapsed() < Duration::from_secs(10));
        drop(client);
    }

    #[test]
    fn who_trickles_an_answer_out_is_left_at_the_deadline() {
        let (mut client, mut server) = connected();
        let taking = std::thread::spawn(move || {
            let mut some = [0; 64];
            // Each piece makes room for the next, so no single write comes to its end.
            while client.read(&mut some).is_ok_and(|length| length > 0) {
                std::thread::yield_now();
            }
        });
        let written =
            Response::metrics("x".repeat(64 << 20)).write(&mut server, Instant::now() + Duration::from_millis(50));
        drop(server);
        taking.join().expect("a client that ends");
        assert_eq!(
            Some(true),
            written.err().map(|error| matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock))
        );
    }

    #[test]
    fn a_path_is_that_of_the_first_line() {
        assert_eq!(Ok("/health".to_owned()), path(b"GET /health?x=1 HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(Err(405), path(b"POST /health HTTP/1.1\r\n\r\n").map_err(|refused| refused.status));
        for strange in [b"\x16\x03\x01".as_slice(), b"GET /health", b""] {
            assert_eq!(Err(400), path(strange).map_err(|refused| refused.status));
        }
    }
}
