//! Where the Python code of a lane is, while the interpreter is held by whomever.
//!
//! `faulthandler` writes the stack of a thread in a handler of a signal, for which it needs no interpreter. So it is told one signal
//! when a run starts, and the watchdog sends this to the thread of a lane that is stuck.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::io::Read as _;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::process;
use std::ptr;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use libc::{SIG_DFL, c_int, pthread_kill, pthread_self, pthread_t, sighandler_t};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// A stack is written at once; so long whoever reads it waits for more.
const MORE: Duration = Duration::from_millis(200);
/// Far more than the hundred frames that are written.
const MOST_BYTES: usize = 64 << 10;

/// The first line of a stack.
const HEADER: &str = "Stack (";

/// Where stacks arrive, and by which signal they are asked for. One for the process: a signal has one handler.
struct Channel {
    signal: c_int,
    /// The signal's handler as `faulthandler` has set it. With another one, or none, the signal could end the process.
    handler: sighandler_t,
    /// A child that was forked shares the socket, and would take stacks away from its parent, or be given them.
    process: u32,
    reading: Mutex<UnixStream>,
    /// The handler writes there.
    _writing: UnixStream,
}

static CHANNEL: OnceLock<Option<Channel>> = OnceLock::new();

/// The threads of the lanes of a run, by number.
#[derive(Debug, Default)]
pub(super) struct Lanes(Mutex<HashMap<usize, pthread_t>>);

/// A thread is a lane as long as this lives.
pub(super) struct Inside<'a> {
    lanes: &'a Lanes,
    lane: usize,
}

impl Lanes {
    /// This thread is a lane.
    pub(super) fn enter(&self, lane: usize) -> Inside<'_> {
        // SAFETY: the call has no preconditions.
        let thread = unsafe { pthread_self() };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(lane, thread);
        Inside { lanes: self, lane }
    }

    /// The Python stack of a lane; none where there is no way to it, or no Python in it.
    pub(super) fn stack(&self, lane: usize) -> Option<String> {
        let channel = CHANNEL.get()?.as_ref()?;
        if channel.process != process::id() {
            return None;
        }
        let mut reading = channel.reading.lock().unwrap_or_else(PoisonError::into_inner);
        // What comes late is of another lane.
        reading.set_nonblocking(true).ok()?;
        let outdated = arrived(&mut reading);
        reading.set_nonblocking(false).ok()?;
        if outdated.len() >= MOST_BYTES {
            return None;
        }
        {
            let lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let thread = *lanes.get(&lane)?;
            if handler(channel.signal) != Some(channel.handler) {
                return None;
            }
            // SAFETY: the thread has not ended, since before that it leaves, for which it needs the lock. The signal's handler
            // is `faulthandler`'s, which may run at any time.
            if unsafe { pthread_kill(thread, channel.signal) } != 0 {
                return None;
            }
        }
        frames(&String::from_utf8_lossy(&arrived(&mut reading)))
    }
}

/// What the handler has written, until nothing more comes.
fn arrived(reading: &mut UnixStream) -> Vec<u8> {
    let (mut text, mut chunk) = (Vec::new(), [0; 4096]);
    while let Ok(length @ 1..) = reading.read(&mut chunk) {
        text.extend(chunk.iter().take(length));
        if text.len() >= MOST_BYTES {
            break;
        }
    }
    text
}

/// The frames of the one stack in a text; none where there are two, since nobody knows whose they are.
fn frames(text: &str) -> Option<String> {
    let mut stacks = text.split(HEADER).skip(1);
    let (stack, None) = (stacks.next()?, stacks.next()) else { return None };
    let frames: Vec<&str> = stack.lines().filter(|line| line.trim_start().starts_with("File ")).collect();
    (!frames.is_empty()).then(|| frames.join("\n"))
}

/// The handler of a signal, whoever has set it.
fn handler(signal: c_int) -> Option<sighandler_t> {
    let mut found = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: nothing is set, and there is room for what is told. All bytes of it may be zero.
    let found = unsafe { (libc::sigaction(signal, ptr::null(), found.as_mut_ptr()) == 0).then(|| found.assume_init()) };
    found.map(|found| found.sa_sigaction)
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.lanes.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.lane);
    }
}

/// Sees to it, once in a process, that stacks can be had.
pub(crate) fn prepare(py: Python<'_>) {
    CHANNEL.get_or_init(|| open(py).ok().flatten());
}

/// None where no signal is free.
fn open(py: Python<'_>) -> PyResult<Option<Channel>> {
    let Some(signal) = free_signal(py)? else { return Ok(None) };
    let (reading, writing) = UnixStream::pair()?;
    reading.set_read_timeout(Some(MORE))?;
    // A handler must not wait.
    writing.set_nonblocking(true)?;
    let settings = PyDict::new(py);
    settings.set_item("file", writing.as_raw_fd())?;
    settings.set_item("all_threads", false)?;
    py.import("faulthandler")?.call_method("register", (signal,), Some(&settings))?;
    let Some(handler) = handler(signal) else { return Ok(None) };
    Ok(Some(Channel { signal, handler, process: process::id(), reading: Mutex::new(reading), _writing: writing }))
}

/// A real-time signal that nobody handles, from the last on: those are the least used.
fn free_signal(py: Python<'_>) -> PyResult<Option<c_int>> {
    let module = py.import("signal")?;
    let (Ok(first), Ok(last)) = (module.getattr("SIGRTMIN"), module.getattr("SIGRTMAX")) else { return Ok(None) };
    let (first, last) = (first.extract::<c_int>()?, last.extract::<c_int>()?);
    // `signal.getsignal` knows nothing of handlers that C has set, as `faulthandler` does.
    Ok((first..=last).rev().find(|&signal| handler(signal) == Some(SIG_DFL)))
}
