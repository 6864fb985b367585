//! Many requests under way: takes them from an iterator as there is room, gives back what is done in batches.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use oxflow_http::{FetchError, Limits, Taken};
use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyList};

use super::client::client;
use super::failure::raise;
use super::fetched::Fetched;
use super::request::taken;
use crate::turns::Turns;

/// After so long a thread that waits looks for signals.
const LOOK: Duration = Duration::from_millis(50);

/// Requests under way. `oxflow.scheduler.fetch_all` is its face.
#[pyclass(frozen, module = "oxflow._oxflow")]
pub(crate) struct Fetching {
    requests: oxflow_http::Fetching,
    headers: Vec<(String, String)>,
    asked: Mutex<Asked>,
}

/// What is still to be asked, and how much was.
struct Asked {
    requests: Option<Py<PyIterator>>,
    count: usize,
}

#[pymethods]
impl Fetching {
    #[new]
    #[expect(clippy::too_many_arguments, reason = "its face in Python makes one of them")]
    #[pyo3(signature = (requests: "Iterable[Any]", *, concurrency, timeout_s, retries, backoff_s, body_bytes, headers, wakes))]
    fn new(
        requests: &Bound<'_, PyAny>,
        concurrency: usize,
        timeout_s: f64,
        retries: u32,
        backoff_s: f64,
        body_bytes: u64,
        headers: Vec<(String, String)>,
        wakes: bool,
    ) -> PyResult<Self> {
        let py = requests.py();
        let (timeout, backoff) = (Duration::from_secs_f64(timeout_s), Duration::from_secs_f64(backoff_s));
        let limits = Limits { timeout, body_bytes, retries, backoff, ..Limits::default() };
        let client = client(py)?;
        let started =
            if wakes { client.start_with_wake(concurrency, limits) } else { client.start(concurrency, limits) };
        let fetching = started.map_err(|error| raise(py, "fetch_all", &error))?;
        let requests = Some(requests.try_iter()?.unbind());
        let asked = Mutex::new(Asked { requests, count: 0 });
        Ok(Self { requests: fetching, headers, asked })
    }

    /// Hand in what there is room for, and return what is done; wait for some of it at most `wait_s`. `None` when all is done.
    #[pyo3(signature = (wait_s) -> "list[Fetched] | None")]
    fn step<'py>(&self, py: Python<'py>, wait_s: f64) -> PyResult<Option<Bound<'py, PyList>>> {
        self.hand_in(py)?;
        let taken = self.take(py, Duration::from_secs_f64(wait_s))?;
        if taken.ended && taken.done.is_empty() {
            return Ok(None);
        }
        let all = PyList::empty(py);
        let mut turns = Turns::new(py)?;
        for done in taken.done {
            all.append(Fetched::new(done))?;
            turns.next()?;
        }
        Ok(Some(all))
    }

    /// The descriptor that becomes readable when there is something to take.
    fn fileno(&self) -> i32 {
        self.requests.wakes().unwrap_or(-1)
    }

    /// Give up what is not done.
    fn cancel(&self, py: Python<'_>) {
        py.detach(|| self.requests.cancel());
    }
}

impl Fetching {
    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hand_in(&self, py: Python<'_>) -> PyResult<()> {
        let Some(iterator) = self.asked().requests.take() else { return Ok(()) };
        let mut requests = VecDeque::new();
        let mut turns = Turns::new(py)?;
        let mut iterator_left = Some(iterator);
        for _ in 0..self.requests.room() {
            let Some(iterator) = &iterator_left else { break };
            match iterator.bind(py).clone().next() {
                Some(given) => requests.push_back(self.read(&given?)?),
                None => iterator_left = None,
            }
            turns.next()?;
        }
        let over = iterator_left.is_none();
        self.asked().requests = iterator_left;
        py.detach(|| {
            self.requests.submit(&mut requests)?;
            if over { self.requests.close() } else { Ok(()) }
        })
        .map_err(|error: FetchError| raise(py, "fetch_all", &error))
    }

    fn read(&self, given: &Bound<'_, PyAny>) -> PyResult<(usize, oxflow_http::Request)> {
        let mut request = taken(given)?;
        for (name, value) in &self.headers {
            if !request.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name)) {
                request.headers.push((name.clone(), value.clone()));
            }
        }
        let mut asked = self.asked();
        let index = asked.count;
        asked.count += 1;
        Ok((index, request))
    }

    fn take(&self, py: Python<'_>, wait: Duration) -> PyResult<Taken> {
        let mut left = wait;
        loop {
            let taken = py.detach(|| self.requests.take(left.min(LOOK)));
            let taken = taken.map_err(|error| raise(py, "fetch_all", &error))?;
            left = left.saturating_sub(LOOK);
            if taken.ended || !taken.done.is_empty() || left.is_zero() {
                return Ok(taken);
            }
            py.check_signals()?;
        }
    }
}
