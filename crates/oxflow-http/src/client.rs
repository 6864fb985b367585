//! The client: a thread, and what is asked of it.

use std::collections::VecDeque;
use std::io;
use std::os::fd::RawFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::RootCertStore;
use tokio::runtime::{Builder, Handle};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::connect::Connector;
use crate::desk::{Desk, Seat, Taken};
use crate::error::FetchError;
use crate::exchange::Net;
use crate::limits::Limits;
use crate::request::{Request, Response};

/// Longer than anybody waits.
const FOREVER: Duration = Duration::from_secs(1 << 30);

/// Beside those under way, so many requests may wait, or be done and not yet taken.
const AHEAD: usize = 256;

/// A thread that does requests, and its connections. It ends when the client and all that was [started](Client::start) are dropped.
#[derive(Clone)]
pub struct Client {
    inside: Arc<Inside>,
}

struct Inside {
    process: u32,
    handle: Handle,
    net: Arc<Net>,
    stop: Arc<Notify>,
}

impl Inside {
    fn here(&self) -> Result<(), FetchError> {
        if self.process == std::process::id() { Ok(()) } else { Err(FetchError::Forked) }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        if self.here().is_ok() {
            self.stop.notify_one();
        }
    }
}

impl Client {
    /// Starts the thread. Secure servers are known by the system's roots, or Mozilla's where it has none.
    pub fn new() -> io::Result<Self> {
        Self::with(Net::default())
    }

    /// Starts the thread. Secure servers are known by these roots alone.
    pub fn trusting(roots: RootCertStore) -> io::Result<Self> {
        Self::with(Net::new(Connector::trusting(roots)))
    }

    fn with(net: Net) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        let handle = runtime.handle().clone();
        let (net, stop) = (Arc::new(net), Arc::new(Notify::new()));
        let (pool, stopped) = (Arc::clone(&net), Arc::clone(&stop));
        std::thread::Builder::new().name("oxflow-http".to_owned()).spawn(move || {
            runtime.spawn(async move { pool.pool.sweep().await });
            runtime.block_on(stopped.notified());
        })?;
        Ok(Self { inside: Arc::new(Inside { process: std::process::id(), handle, net, stop }) })
    }

    /// The process that the client belongs to.
    pub fn process(&self) -> u32 {
        self.inside.process
    }

    /// Does one request; waits until it is done.
    pub fn fetch(&self, request: Request, limits: Limits) -> Result<Response, FetchError> {
        let fetching = self.start(1, limits)?;
        fetching.submit(&mut VecDeque::from([(0, request)]))?;
        fetching.close()?;
        let done = fetching.take(FOREVER)?.done;
        done.into_iter().next().map_or(Err(FetchError::Cancelled), |done| done.result)
    }

    /// Begins to do many requests, `concurrency` at a time.
    pub fn start(&self, concurrency: usize, limits: Limits) -> Result<Fetching, FetchError> {
        self.begin(concurrency, limits, None)
    }

    /// The same, for an event loop: [`Fetching::wakes`] becomes readable when there is something to take.
    pub fn start_with_wake(&self, concurrency: usize, limits: Limits) -> Result<Fetching, FetchError> {
        let failed = |error: io::Error| FetchError::invalid(format!("no pair of sockets: {error}"));
        let (reader, writer) = UnixStream::pair().map_err(failed)?;
        reader.set_nonblocking(true).and_then(|()| writer.set_nonblocking(true)).map_err(failed)?;
        self.begin(concurrency, limits, Some((reader, writer)))
    }

    fn begin(
        &self,
        concurrency: usize,
        limits: Limits,
        wake: Option<(UnixStream, UnixStream)>,
    ) -> Result<Fetching, FetchError> {
        self.inside.here()?;
        let concurrency = concurrency.max(1);
        let desk = Arc::new(Desk::new(concurrency.saturating_mul(2).saturating_add(AHEAD), wake));
        let bell = Arc::clone(&desk);
        let bell = self.inside.handle.spawn(async move { bell.linger().await }).abort_handle();
        let workers = Mutex::new(vec![bell]);
        Ok(Fetching { client: self.clone(), concurrency, limits: Arc::new(limits), desk, workers })
    }
}

/// Many requests under way. Dropping it gives up what is not done.
pub struct Fetching {
    client: Client,
    concurrency: usize,
    limits: Arc<Limits>,
    desk: Arc<Desk>,
    /// The bell, and then the workers.
    workers: Mutex<Vec<AbortHandle>>,
}

impl Fetching {
    /// How many requests may be handed in now. There is room again when some are taken.
    pub fn room(&self) -> usize {
        if self.client.inside.here().is_ok() { self.desk.room() } else { 0 }
    }

    /// Takes from the front what there is room for. Each has a number of its own, by which it is known when it is done.
    pub fn submit(&self, requests: &mut VecDeque<(usize, Request)>) -> Result<(), FetchError> {
        self.client.inside.here()?;
        let wanted = self.desk.submit(requests).min(self.concurrency);
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        while workers.len() <= wanted {
            let (net, desk, limits) =
                (Arc::clone(&self.client.inside.net), Arc::clone(&self.desk), Arc::clone(&self.limits));
            workers.push(self.client.inside.handle.spawn(work(net, desk, limits)).abort_handle());
        }
        Ok(())
    }

    /// Says that nothing more will be handed in.
    pub fn close(&self) -> Result<(), FetchError> {
        self.client.inside.here()?;
        self.desk.close();
        Ok(())
    }

    /// What was done since the last time; waits for some of it, but not longer than `wait`.
    pub fn take(&self, wait: Duration) -> Result<Taken, FetchError> {
        self.client.inside.here()?;
        Ok(self.desk.take(wait))
    }

    /// Becomes readable when there is something to take, after [`Client::start_with_wake`].
    pub fn wakes(&self) -> Option<RawFd> {
        self.desk.wakes()
    }

    /// Gives up what is not done: it is [`FetchError::Cancelled`].
    pub fn cancel(&self) {
        if self.client.inside.here().is_ok() {
            self.desk.give_up();
            let workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
            workers.iter().for_each(AbortHandle::abort);
        }
    }
}

impl Drop for Fetching {
    fn drop(&mut self) {
        self.cancel();
    }
}

async fn work(net: Arc<Net>, desk: Arc<Desk>, limits: Arc<Limits>) {
    while let Some(request) = desk.next().await {
        let seat = Seat::new(&desk, request);
        let (index, request) = seat.asked();
        let outcome = net.fetch(index, request, &limits).await;
        seat.done(outcome);
    }
}
