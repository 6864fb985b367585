//! Signals, also while no Python code can run.
//!
//! Python runs the handlers of signals in its main thread, which needs the interpreter for that. A step that holds the
//! interpreter in one long call, such as a regular expression, keeps them all waiting. But what Python itself installs with
//! the system runs at once and writes the number of the signal into a descriptor that can be chosen. A thread reads from it
//! here, and needs no interpreter: the first signal drains the run, the second ends the process.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::io::{PipeReader, PipeWriter, Read as _, Write as _, pipe};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use crate::job::Run;

/// Signals that come so close together are one: whoever starts us may pass on what the terminal sends to us as well.
const AT_ONCE: Duration = Duration::from_millis(100);

/// The number of no signal: nobody needs the watch any more.
const ENOUGH: u8 = 0;

// SAFETY: this is the declaration of POSIX. It is sound to call at any time: nothing of the process goes on after it.
unsafe extern "C" {
    /// Ends the process without calling anything that somebody registered, which may wait for a thread of ours.
    safe fn _exit(status: c_int) -> !;
}

/// Watches the signals of a process while a run goes on.
#[pyclass(frozen, module = "oxflow._oxflow")]
pub(crate) struct SignalWatch {
    /// Where the numbers are written, and who reads them.
    open: Mutex<Option<(PipeWriter, JoinHandle<Py<Run>>)>>,
}

#[pymethods]
impl SignalWatch {
    /// Let the first of the signals `numbers` drain `run`, and the second end the process with `exit_code`.
    #[new]
    fn new(run: Py<Run>, numbers: Vec<u8>, exit_code: i32) -> PyResult<Self> {
        let (reader, writer) = pipe()?;
        let read = move || {
            watch(reader, run.get(), &numbers, exit_code);
            run
        };
        let thread = thread::Builder::new().name("oxflow-signals".to_owned()).spawn(read)?;
        Ok(Self { open: Mutex::new(Some((writer, thread))) })
    }

    /// Return the descriptor for `signal.set_wakeup_fd`; `None` where that takes none of a pipe.
    fn fileno(&self) -> Option<i32> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.as_ref().and_then(|(writer, _)| descriptor(writer))
    }

    /// Watch no longer. The descriptor must not be in use any more.
    fn close(&self, py: Python<'_>) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
        let run = py.detach(|| {
            let (mut writer, thread) = open?;
            // To end the pipe is not enough: a child of the process may hold its end open for as long as it lives.
            writer.write_all(&[ENOUGH]).ok()?;
            thread.join().ok()
        });
        // Here, where the interpreter is held.
        drop(run);
    }
}

/// Reads numbers of signals until nobody wants them.
fn watch(mut signals: PipeReader, run: &Run, numbers: &[u8], exit_code: c_int) {
    let mut first: Option<Instant> = None;
    let mut number = [0];
    while signals.read_exact(&mut number).is_ok() {
        match first {
            _ if number == [ENOUGH] => return,
            _ if !number.iter().all(|number| numbers.contains(number)) => {}
            None => {
                first = Some(Instant::now());
                run.drain();
            }
            Some(first) if first.elapsed() < AT_ONCE => {}
            Some(_) => _exit(exit_code),
        }
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere there is none")]
fn descriptor(writer: &PipeWriter) -> Option<i32> {
    use std::os::fd::AsRawFd as _;
    Some(writer.as_raw_fd())
}

#[cfg(not(unix))]
fn descriptor(_writer: &PipeWriter) -> Option<i32> {
    None
}
