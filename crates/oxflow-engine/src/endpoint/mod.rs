//! Tells other programs over HTTP how a run goes: `/health`, `/ready` and `/metrics`.
//!
//! Threads of its own answer, a few clients at a time, so it does while a step holds the interpreter, a sink hangs or a client reads
//! slowly. What is answered is looked at when somebody asks: nobody pays for an endpoint that nobody asks.
//! It reads no more of a request than its first line, takes no body and knows no other method than GET, so there is little that
//! a stranger could do; still it belongs on an address that strangers don't reach.

mod metrics;
mod request;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use self::request::Response;
use crate::config::EndpointConfig;
use crate::job::{Health, HealthStatus};
use crate::report::Report;

/// A run that has started.
pub(crate) trait Shown {
    /// What it did so far.
    fn report(&self) -> Report;
    /// Whether it moves.
    fn health(&self) -> Health;
}

/// The run, if it still goes on.
type Look = Box<dyn Fn() -> Option<Box<dyn Shown>> + Send + Sync>;

/// How long a client may take for its request, and again for its answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// Clients that are answered at once; one more is turned away.
const CLIENTS: usize = 32;
/// A client costs no more memory than this, and what is made for it.
const STACK_BYTES: usize = 256 << 10;
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
    clients: AtomicUsize,
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
        let (stop, clients) = (AtomicBool::new(false), AtomicUsize::new(0));
        let shared = Arc::new(Shared { look: OnceLock::new(), stop, clients });
        let served = Arc::clone(&shared);
        let thread =
            thread::Builder::new().name("oxflow-endpoint".to_owned()).spawn(move || serve(&listener, &served))?;
        Ok(Self { address, shared, thread: Some(thread) })
    }

    /// Shows a run that has started.
    pub(crate) fn show(&self, look: impl Fn() -> Option<Box<dyn Shown>> + Send + Sync + 'static) {
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

fn serve(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming() {
        if shared.stop.load(Ordering::Acquire) {
            return;
        }
        let Ok(client) = client else {
            // Where there is no file descriptor left, the next call fails at once, too.
            thread::sleep(AGAIN);
            continue;
        };
        let Some(place) = Place::take(shared) else { continue };
        let answer = move || place.answer(client);
        // Where no thread can be had the client is turned away, too.
        drop(thread::Builder::new().name("oxflow-client".to_owned()).stack_size(STACK_BYTES).spawn(answer));
    }
}

/// One of the clients that are answered.
struct Place(Arc<Shared>);

impl Place {
    /// None if there are too many already.
    fn take(shared: &Arc<Shared>) -> Option<Self> {
        let place = Self(Arc::clone(shared));
        (shared.clients.fetch_add(1, Ordering::AcqRel) < CLIENTS).then_some(place)
    }

    fn answer(self, mut client: TcpStream) {
        // A client that doesn't listen to its answer is no matter of the run.
        let _ = request::read(&mut client, Instant::now() + PATIENCE).and_then(|path| {
            let answer = path.map_or_else(|refused| refused, |path| respond(&path, &self.0));
            answer.write(&mut client, Instant::now() + PATIENCE)
        });
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.clients.fetch_sub(1, Ordering::AcqRel);
    }
}

fn respond(path: &str, shared: &Shared) -> Response {
    if !PATHS.contains(&path) {
        return Response::text(404, "there are /health, /ready and /metrics\n");
    }
    let look = shared.look.get().and_then(|look| look());
    match (path, look) {
        // To start may take long, and to end a process for that would not make it quicker.
        ("/health", None) => Response::json(200, &serde_json::json!({"status": "starting"})),
        ("/health", Some(run)) => {
            let health = run.health();
            Response::json(if health.is_well() { 200 } else { 503 }, &health)
        }
        ("/ready", None) => Response::text(503, "starting\n"),
        ("/ready", Some(run)) => ready(&run.health()),
        (_, look) => Response::metrics(look.map(|run| metrics::text(&run.report(), &run.health())).unwrap_or_default()),
    }
}

fn ready(health: &Health) -> Response {
    match health.status {
        HealthStatus::Ok if health.draining => Response::text(503, "stopping\n"),
        HealthStatus::Ok if health.is_lost() => Response::text(503, "no broker answers\n"),
        HealthStatus::Ok => Response::text(200, "ready\n"),
        HealthStatus::Stalled => Response::text(503, "stalled\n"),
        HealthStatus::Failed | HealthStatus::Drained => Response::text(503, "stopping\n"),
    }
}
