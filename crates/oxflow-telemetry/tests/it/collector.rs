//! A collector for tests: HTTP on a port of its own, which keeps what it is sent and answers what it is told.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use oxflow_telemetry::{
    AttributeLimits, Backend, BatchLimits, Compression, Config, Endpoint, OtlpConfig, Protocol, Resource, RetryLimits,
    SignalConfig, SinkConfig, TlsFiles,
};

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    pub(crate) at: Instant,
}

/// What a request is answered with.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// This status, these headers and this body.
    Plain(u16, &'static str, Vec<u8>),
    /// The connection is closed without an answer.
    Hang,
    /// An answer after that time.
    Slow(Duration),
}

#[derive(Debug, Default)]
struct Kept {
    requests: Vec<Request>,
    replies: VecDeque<Reply>,
}

/// The collector; listens until the process ends.
#[derive(Clone, Debug)]
pub(crate) struct Collector {
    pub(crate) address: String,
    kept: Arc<(Mutex<Kept>, Condvar)>,
}

impl Collector {
    pub(crate) fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let kept = Arc::new((Mutex::new(Kept { requests: Vec::new(), replies: replies.into() }), Condvar::new()));
        let serving = Arc::clone(&kept);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&serving);
                thread::spawn(move || serve(&stream, &kept));
            }
        });
        Self { address, kept }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.kept.0.lock().expect("no panic").requests.clone()
    }

    /// Waits until there are so many requests.
    pub(crate) fn wait_for(&self, count: usize) -> Vec<Request> {
        let kept = self.kept.0.lock().expect("no panic");
        let few = |kept: &mut Kept| kept.requests.len() < count;
        let (kept, waited) = self.kept.1.wait_timeout_while(kept, Duration::from_secs(20), few).expect("no panic");
        assert!(!waited.timed_out(), "{} of {count} requests", kept.requests.len());
        kept.requests.clone()
    }

    pub(crate) fn otlp(&self) -> OtlpConfig {
        otlp(&format!("http://{}/v1/any", self.address), Protocol::HttpProtobuf)
    }

    /// All that this sink takes, sent at once.
    pub(crate) fn config(&self, signal: SignalConfig) -> Config {
        config(signal, self.otlp())
    }
}

pub(crate) fn otlp(endpoint: &str, protocol: Protocol) -> OtlpConfig {
    OtlpConfig {
        endpoint: Endpoint::parse(endpoint, false).expect("an endpoint"),
        protocol,
        headers: Vec::new(),
        compression: Compression::None,
        timeout: Duration::from_secs(10),
        retry: RetryLimits {
            first: Duration::from_millis(20),
            most: Duration::from_millis(50),
            total: Duration::from_secs(10),
        },
        tls: TlsFiles::default(),
    }
}

pub(crate) fn config(signal: SignalConfig, otlp: OtlpConfig) -> Config {
    let mut resource = Resource::default();
    resource.attributes.set("service.name", &"shop".into(), &AttributeLimits::default());
    let batch = BatchLimits { delay: Duration::from_secs(3600), ..BatchLimits::default() };
    Config {
        resource,
        sinks: vec![SinkConfig { signal, backend: Backend::Otlp(Box::new(otlp)), batch }],
        ..Config::default()
    }
}

fn serve(stream: &TcpStream, kept: &(Mutex<Kept>, Condvar)) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        let reply = {
            let mut kept = kept.0.lock().expect("no panic");
            kept.requests.push(request);
            kept.replies.pop_front().unwrap_or(Reply::Plain(200, "", Vec::new()))
        };
        kept.1.notify_all();
        let (status, headers, body) = match reply {
            Reply::Plain(status, headers, body) => (status, headers, body),
            Reply::Hang => return,
            Reply::Slow(time) => {
                thread::sleep(time);
                (200, "", Vec::new())
            }
        };
        let head = format!("HTTP/1.1 {status} Said\r\n{headers}content-length: {}\r\n\r\n", body.len());
        let mut stream = stream;
        if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)).is_err() {
            return;
        }
    }
}

fn read(reader: &mut impl BufRead) -> Option<Request> {
    let mut head = String::new();
    loop {
        let before = head.len();
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
        if head.get(before..)?.trim().is_empty() {
            break;
        }
    }
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(Request { head: head.to_lowercase(), body, at: Instant::now() })
}
