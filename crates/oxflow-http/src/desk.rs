//! Where requests wait to be done, and what is done waits to be taken.
//!
//! Those who ask are threads that wait, those who do the work are tasks on the client's thread; both meet at one lock. What is done is
//! told in batches: when there are many, when a little time is over, or when nothing more is under way. To wake a thread for each
//! response would cost more than the response.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::error::FetchError;
use crate::request::{Request, Response};

/// So many responses are told at once.
const BATCH: usize = 128;

/// A response waits so long for others.
const LINGER: Duration = Duration::from_millis(2);

/// One request that is done.
#[derive(Debug)]
pub struct Done {
    /// The number that it was given.
    pub index: usize,
    /// What was asked.
    pub request: Request,
    /// What came of it.
    pub result: Result<Response, FetchError>,
    /// How often it was tried; 0 if it could not be sent at all.
    pub attempts: u32,
    /// From the first attempt to the end of the last.
    pub elapsed: Duration,
}

/// What was done since the last time.
#[derive(Debug)]
pub struct Taken {
    /// In the order in which they were done.
    pub done: Vec<Done>,
    /// Whether nothing more will come.
    pub ended: bool,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(usize, Request)>,
    busy: usize,
    done: Vec<Done>,
    closed: bool,
    told: bool,
}

impl State {
    fn rests(&self) -> bool {
        self.waiting.is_empty() && self.busy == 0
    }
}

pub(crate) struct Desk {
    state: Mutex<State>,
    taken: Condvar,
    /// Wakes the workers: there is something to do, or nothing more.
    more: Notify,
    /// Wakes the bell: the first of a batch is done.
    first: Notify,
    /// Most requests that are waiting, under way or done and not yet taken.
    window: usize,
    wake: Option<(UnixStream, UnixStream)>,
}

impl Desk {
    pub(crate) fn new(window: usize, wake: Option<(UnixStream, UnixStream)>) -> Self {
        let (more, first) = (Notify::new(), Notify::new());
        Self { state: Mutex::default(), taken: Condvar::new(), more, first, window, wake }
    }

    // --- those who ask

    pub(crate) fn room(&self) -> usize {
        let state = self.lock();
        if state.closed { 0 } else { self.window.saturating_sub(state.waiting.len() + state.busy + state.done.len()) }
    }

    /// Takes from the front what there is room for; returns how many wait or are under way.
    pub(crate) fn submit(&self, requests: &mut VecDeque<(usize, Request)>) -> usize {
        let count = self.room().min(requests.len());
        let mut state = self.lock();
        state.waiting.extend(requests.drain(..count));
        let all = state.waiting.len() + state.busy;
        drop(state);
        self.more.notify_waiters();
        all
    }

    /// Nothing more will be asked.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        if state.rests() {
            self.ring(state);
        }
        self.more.notify_waiters();
    }

    /// Gives up what waits. What is under way is given up by whoever ends the workers.
    pub(crate) fn give_up(&self) {
        let mut state = self.lock();
        let waiting = std::mem::take(&mut state.waiting);
        let lost = waiting.into_iter().map(|(index, request)| Done {
            index,
            request,
            result: Err(FetchError::Cancelled),
            attempts: 0,
            elapsed: Duration::ZERO,
        });
        state.done.extend(lost);
        state.closed = true;
        self.ring(state);
        self.more.notify_waiters();
    }

    pub(crate) fn take(&self, wait: Duration) -> Taken {
        if let Some((reader, _)) = &self.wake {
            let mut bytes = [0; 64];
            while matches!((&*reader).read(&mut bytes), Ok(count) if count == bytes.len()) {}
        }
        let state = self.lock();
        // What ended while nobody waited is told once; whoever asks again after the last of it would wait in vain.
        let is_wanting = |state: &mut State| !(state.told || state.closed && state.rests());
        let waited = self.taken.wait_timeout_while(state, wait, is_wanting);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.told = false;
        let done = std::mem::take(&mut state.done);
        Taken { done, ended: state.closed && state.rests() }
    }

    /// Becomes readable when there is something to take.
    pub(crate) fn wakes(&self) -> Option<RawFd> {
        self.wake.as_ref().map(|(reader, _)| reader.as_raw_fd())
    }

    // --- those who do it

    /// The next request, or none when there will be none.
    pub(crate) async fn next(&self) -> Option<(usize, Request)> {
        loop {
            let mut more = std::pin::pin!(self.more.notified());
            more.as_mut().enable();
            {
                let mut state = self.lock();
                if let Some(request) = state.waiting.pop_front() {
                    state.busy += 1;
                    return Some(request);
                }
                if state.closed {
                    return None;
                }
            }
            more.await;
        }
    }

    /// Tells of the first of each batch after a little time.
    pub(crate) async fn linger(&self) {
        loop {
            self.first.notified().await;
            tokio::time::sleep(LINGER).await;
            let state = self.lock();
            if !state.done.is_empty() {
                self.ring(state);
            }
        }
    }

    fn hand_in(&self, done: Done) {
        let mut state = self.lock();
        state.busy -= 1;
        state.done.push(done);
        if state.rests() || state.done.len() == BATCH {
            self.ring(state);
        } else if state.done.len() == 1 {
            self.first.notify_one();
        }
    }

    fn ring(&self, mut state: MutexGuard<'_, State>) {
        state.told = true;
        drop(state);
        self.taken.notify_all();
        if let Some((_, writer)) = &self.wake {
            // What is full wakes all the same.
            let _ = (&*writer).write(&[1]);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request under way. However its task ends, somebody is told.
pub(crate) struct Seat<'a> {
    desk: &'a Desk,
    index: usize,
    request: Request,
    begun: Instant,
    outcome: Option<(u32, Result<Response, FetchError>)>,
}

impl<'a> Seat<'a> {
    pub(crate) fn new(desk: &'a Desk, (index, request): (usize, Request)) -> Self {
        Self { desk, index, request, begun: Instant::now(), outcome: None }
    }

    /// What is asked here, and its number.
    pub(crate) fn asked(&self) -> (usize, &Request) {
        (self.index, &self.request)
    }

    pub(crate) fn done(mut self, outcome: (u32, Result<Response, FetchError>)) {
        self.outcome = Some(outcome);
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let (attempts, result) = self.outcome.take().unwrap_or((1, Err(FetchError::Cancelled)));
        let request = std::mem::replace(&mut self.request, Request::get(""));
        self.desk.hand_in(Done { index: self.index, request, result, attempts, elapsed: self.begun.elapsed() });
    }
}
