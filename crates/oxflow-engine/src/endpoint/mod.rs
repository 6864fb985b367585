//! Tells other programs over HTTP how a run goes: `/health`, `/ready` and `/metrics`.
//!
//! One thread of its own answers, one request at a time, so it does while a step holds the interpreter or a sink hangs. What it
//! answers with is a [`Report`](crate::report::Report), made when somebody asks: nobody pays for an endpoint that nobody asks.
//! It reads no more of a request than its first line, takes no body and knows no other method than GET, so there is little that
//! a stranger could do; still it belongs on an address that strangers don't reach.

mod metrics;
mod progress;
mod request;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use self::progress::Progress;
use self::request::Response;
use crate::config::EndpointConfig;
use crate::report::{Report, Status};

/// How a run goes, if it still does; true if it was asked to drain.
type Look = Box<dyn Fn() -> Option<(Report, bool)> + Send + Sync>;

/// How long a client may take for its request, and again for its answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// When a connection that couldn't be taken is tried again.
const AGAIN: Duration = Duration::from_millis(100);
/// What is answered; a report is made for nothing else.
const PATHS: [&str; 3] = ["/health", "/ready", "/metrics"];

/// Answers until it is dropped.
#[derive(Debug)]
pub(crate) struct Endpoint {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    /// Absent while the run is starting.
    look: OnceLock<Look>,
    stop: AtomicBool,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Shared").field("stop", &self.stop).finish_non_exhaustive()
    }
}

impl Endpoint {
    /// Opens it: from now on it answers, and says that the run isn't ready.
    pub(crate) fn open(config: &EndpointConfig) -> io::Result<Self> {
        let listener = TcpListener::bind(config.address)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { look: OnceLock::new(), stop: AtomicBool::new(false) });
        let progress = Progress::new(Duration::from_secs(u64::from(config.stalled_s.0.get())));
        let served = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("oxflow-endpoint".to_owned())
            .spawn(move || serve(&listener, &served, progress))?;
        Ok(Self { address, shared, thread: Some(thread) })
    }

    /// Shows a run that has started.
    pub(crate) fn show(&self, look: impl Fn() -> Option<(Report, bool)> + Send + Sync + 'static) {
        // There is one run.
        let _ = self.shared.look.set(Box::new(look));
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        // The thread waits for somebody to come.
        let mut address = self.address;
        if address.ip().is_unspecified() {
            let loopback = match address.ip() {
                IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
                IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
            };
            address.set_ip(loopback);
        }
        let woken = TcpStream::connect_timeout(&address, PATIENCE);
        // A thread that nothing wakes ends with the process.
        if woken.is_ok() {
            drop(self.thread.take().map(JoinHandle::join));
        }
    }
}

fn serve(listener: &TcpListener, shared: &Shared, mut progress: Progress) {
    for client in listener.incoming() {
        if shared.stop.load(Ordering::Acquire) {
            return;
        }
        // A client that doesn't listen to its answer is no matter of the run.
        let Ok(mut client) = client else {
            // Where there is no file descriptor left, the next call fails at once, too.
            thread::sleep(AGAIN);
            continue;
        };
        let _ = request::read(&mut client, Instant::now() + PATIENCE).and_then(|path| {
            let answer = path.map_or_else(|refused| refused, |path| respond(&path, shared, &mut progress));
            answer.write(&mut client, Instant::now() + PATIENCE)
        });
    }
}

fn respond(path: &str, shared: &Shared, progress: &mut Progress) -> Response {
    if !PATHS.contains(&path) {
        return Response::text(404, "there are /health, /ready and /metrics\n");
    }
    let look = shared.look.get().and_then(|look| look());
    match (path, &look) {
        // To start may take long, and to end a process for that would not make it quicker.
        ("/health", None) => Response::text(200, "starting\n"),
        ("/health", Some((report, _))) => {
            let moves = progress.moves(report, Instant::now());
            match report.status {
                Status::Failed => Response::text(503, "failed\n"),
                _ if !moves => Response::text(503, "stalled\n"),
                _ => Response::text(200, "ok\n"),
            }
        }
        ("/ready", Some((report, false))) if report.status == Status::Running => Response::text(200, "ready\n"),
        ("/ready", None) => Response::text(503, "starting\n"),
        ("/ready", Some(_)) => Response::text(503, "stopping\n"),
        (_, look) => Response::metrics(look.as_ref().map(|(report, _)| metrics::text(report)).unwrap_or_default()),
    }
}
