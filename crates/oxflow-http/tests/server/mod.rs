//! A server that answers as the path says.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{sleep, spawn};
use std::time::Duration;

use rustls::pki_types::PrivateKeyDer;

pub(crate) struct Server {
    address: SocketAddr,
    all: Arc<AtomicUsize>,
    pub(crate) open: Arc<AtomicUsize>,
    pub(crate) most: Arc<AtomicUsize>,
}

#[derive(Clone, Default)]
struct Shared {
    busy: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    failed: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (all, open, shared) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default(), Shared::default());
        let server = Self { address, all: all.clone(), open: open.clone(), most: shared.most.clone() };
        spawn(move || {
            for stream in listener.incoming() {
                let (stream, shared, open) = (stream.unwrap(), shared.clone(), open.clone());
                all.fetch_add(1, Ordering::SeqCst);
                open.fetch_add(1, Ordering::SeqCst);
                spawn(move || {
                    serve(stream, &shared);
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        server
    }

    pub(crate) fn authority(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.all.load(Ordering::SeqCst)
    }
}

/// The whole of the next request as it came.
fn read(reader: &mut impl BufRead) -> Option<String> {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let start = head.len();
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
        let line = head[start..].to_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(head + &String::from_utf8(body).unwrap())
}

fn answer(status: &str, more: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} x\r\ncontent-type: text/plain\r\n{more}content-length: {}\r\n\r\n{body}", body.len())
}

fn serve(stream: TcpStream, shared: &Shared) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Some(request) = read(&mut reader) {
        let busy = shared.busy.fetch_add(1, Ordering::SeqCst) + 1;
        shared.most.fetch_max(busy, Ordering::SeqCst);
        if !reply(&request, &mut stream, shared) {
            return;
        }
    }
}

/// Whether the connection stays.
fn reply(request: &str, stream: &mut TcpStream, shared: &Shared) -> bool {
    let path = request.split(' ').nth(1).unwrap().to_owned();
    let (plain, query) = path.split_once('?').unwrap_or((&path, ""));
    let parts: Vec<&str> = plain.split('/').skip(1).collect();
    let mut send = |text: String| {
        // Whoever is answered may ask again at once.
        shared.busy.fetch_sub(1, Ordering::SeqCst);
        stream.write_all(text.as_bytes()).is_ok()
    };
    match parts.as_slice() {
        ["echo"] => send(answer("200", "", request)),
        ["status", status] => send(answer(status, "", "")),
        ["slow", milliseconds] => {
            sleep(Duration::from_millis(milliseconds.parse().unwrap()));
            send(answer("200", "", "late"))
        }
        ["drip"] => {
            let _ = send("HTTP/1.1 200 x\r\ncontent-length: 1000\r\n\r\n".to_owned());
            (0..100).all(|_| {
                sleep(Duration::from_millis(10));
                stream.write_all(b"x").is_ok()
            })
        }
        ["large", size] => send(answer("200", "", &"x".repeat(size.parse().unwrap()))),
        ["chunked", size] => {
            let half = size.parse::<usize>().unwrap() / 2;
            let chunk = format!("{half:x}\r\n{}\r\n", "x".repeat(half));
            send(format!("HTTP/1.1 200 x\r\ntransfer-encoding: chunked\r\n\r\n{chunk}{chunk}0\r\n\r\n"))
        }
        ["garbage"] => last(send("what?\r\n\r\n".to_owned())),
        ["cut"] => last(send("HTTP/1.1 200 x\r\ncontent-length: 1000\r\n\r\nxxx".to_owned())),
        ["to"] => send(answer("302", &format!("location: {query}\r\n"), "")),
        ["loop"] => send(answer("302", "location: /loop\r\n", "")),
        ["then-close"] => last(send(answer("200", "", "bye"))),
        ["fails", times, _] => {
            let mut failed = shared.failed.lock().unwrap();
            let before = failed.iter().filter(|seen| **seen == path).count();
            failed.push(path.clone());
            send(answer(if before < times.parse().unwrap() { "503" } else { "200" }, "", ""))
        }
        _ => send(answer("404", "", "")),
    }
}

/// Whatever came of it, the connection ends.
fn last(_sent: bool) -> bool {
    false
}

/// Answers `secure` to everybody.
pub(crate) fn serve_tls(listener: TcpListener, key: &rcgen::CertifiedKey<rcgen::KeyPair>) {
    let private = PrivateKeyDer::Pkcs8(key.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], private)
        .unwrap();
    let config = Arc::new(config);
    spawn(move || {
        for stream in listener.incoming() {
            let connection = rustls::ServerConnection::new(config.clone()).unwrap();
            let stream = rustls::StreamOwned::new(connection, stream.unwrap());
            let mut reader = BufReader::new(stream);
            if read(&mut reader).is_some() {
                let _ = reader.get_mut().write_all(answer("200", "connection: close\r\n", "secure").as_bytes());
            }
        }
    });
}
