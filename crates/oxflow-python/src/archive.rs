//! Streams outside of any run: dead letters are read, and sent again.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use oxflow_engine::config::Stream;
use oxflow_engine::connect::{Archive, ConnectError, Outlet, StreamUrl, shown};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::errors::{ErrorKind, exception};
use crate::job::memory_item;

/// How long a signal waits.
const SIGNALS: Duration = Duration::from_millis(100);

/// What lies in a stream, read from its beginning to where it ends now.
#[pyclass(frozen, module = "oxflow._oxflow")]
pub(crate) struct StreamReader {
    archive: Mutex<Archive>,
    url: StreamUrl,
    /// Path of each file, `topic[3]` of each partition.
    #[pyo3(get)]
    partitions: Vec<String>,
    /// What it is, for people.
    #[pyo3(get)]
    place: String,
}

#[pymethods]
impl StreamReader {
    /// `place` is a stream of a normalised configuration, as JSON.
    #[new]
    fn new(py: Python<'_>, stream: &str, place: &str) -> PyResult<Self> {
        let place = located(py, stream, place)?;
        let archive = py.detach(|| Archive::open(stream, &place)).map_err(|error| failed(py, &error))?;
        let partitions = archive.partitions().to_vec();
        Ok(Self { archive: Mutex::new(archive), partitions, place: shown(&place), url: place })
    }

    /// Whether what a writer sends comes to lie here: in one of the files, however its path is written, or in the topic, of
    /// which at least one broker is named the same.
    fn holds(&self, writer: &StreamWriter) -> bool {
        match (&self.url, &writer.url) {
            (StreamUrl::File { .. }, StreamUrl::File { path, .. }) => {
                let file = identity(path);
                file.is_some() && self.partitions.iter().any(|partition| identity(partition) == file)
            }
            (StreamUrl::Kafka(read), StreamUrl::Kafka(written)) => {
                let topic = |partition: &String| partition.rsplit_once('[').is_some_and(|(it, _)| it == written.topic);
                read.shares_broker_with(written) && self.partitions.iter().any(topic)
            }
            _ => false,
        }
    }

    /// Return the next messages, each its partition, offset and payload, perhaps none yet; `None` at the end.
    #[pyo3(signature = () -> "list[tuple[int, int, bytes]] | None")]
    fn read<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyList>>> {
        let read = py.detach(|| lock(&self.archive).read()).map_err(|error| failed(py, &error))?;
        let entry = |(partition, offset, payload): (u32, i64, Vec<u8>)| (partition, offset, PyBytes::new(py, &payload));
        let entries = read.map(|entries| {
            entries.into_iter().map(|found| entry((found.partition, found.offset, found.payload))).collect::<Vec<_>>()
        });
        entries.map(|entries| PyList::new(py, entries)).transpose()
    }
}

/// Sends messages to a stream, and waits until they are there.
#[pyclass(frozen, module = "oxflow._oxflow")]
pub(crate) struct StreamWriter {
    outlet: Mutex<Outlet>,
    url: StreamUrl,
    /// What it is, for people.
    #[pyo3(get)]
    place: String,
}

#[pymethods]
impl StreamWriter {
    /// `place` is a stream of a normalised configuration, as JSON; `topic` another one of the same brokers. What is in a file
    /// stays. `pinned`: messages go to the partition that they are sent with. `dry_run`: no file is touched; `refuses` alone
    /// may be called.
    #[new]
    #[pyo3(signature = (stream, place, *, topic = None, pinned = false, dry_run = false))]
    fn new(
        py: Python<'_>,
        stream: &str,
        place: &str,
        topic: Option<String>,
        pinned: bool,
        dry_run: bool,
    ) -> PyResult<Self> {
        let mut url = located(py, stream, place)?;
        if let (StreamUrl::Kafka(settings), Some(topic)) = (&mut url, topic) {
            settings.topic = topic;
        }
        let open = || if dry_run { Outlet::trial(stream, &url) } else { Outlet::open(stream, &url, pinned) };
        let outlet = py.detach(open).map_err(|error| failed(py, &error))?;
        let place = outlet.place().to_owned();
        Ok(Self { outlet: Mutex::new(outlet), url, place })
    }

    /// Return why a message can't be sent there, or `None` if it can.
    #[pyo3(signature = (message: "Message[bytes]") -> "str | None")]
    fn refuses(&self, message: &Bound<'_, PyAny>) -> PyResult<Option<&'static str>> {
        Ok(lock(&self.outlet).refuses(&memory_item(message)?))
    }

    /// Send messages; returns when all of them are where a crash can't reach them. `deletions` are the indices of those that
    /// a topic is to have without a payload.
    #[pyo3(signature = (messages: "list[Message[bytes]]", partition = 0, deletions: "list[int] | None" = None))]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it extracted")]
    fn send(
        &self,
        py: Python<'_>,
        messages: Vec<Bound<'_, PyAny>>,
        partition: u32,
        deletions: Option<Vec<usize>>,
    ) -> PyResult<()> {
        let deletions = deletions.unwrap_or_default();
        let items = messages.iter().map(memory_item).collect::<PyResult<Vec<_>>>()?;
        py.detach(|| lock(&self.outlet).send(&items, &deletions, partition)).map_err(|error| failed(py, &error))?;
        while !py.detach(|| lock(&self.outlet).arrived(SIGNALS)).map_err(|error| failed(py, &error))? {
            py.check_signals()?;
        }
        Ok(())
    }
}

/// Tells a file from all others.
fn identity(path: &str) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(py: Python<'_>, error: &ConnectError) -> PyErr {
    exception(py, ErrorKind::Stream, &[error.diagnostic()])
}

/// What a stream of the configuration is.
fn located(py: Python<'_>, stream: &str, place: &str) -> PyResult<StreamUrl> {
    let parsed: Result<Stream, _> = serde_json::from_str(place);
    let parsed = parsed.map_err(|error| PyValueError::new_err(format!("malformed stream: {error}")))?;
    let place = parsed.place().map_err(|error| exception(py, ErrorKind::Stream, &[error.diagnostic(stream)]))?;
    if let StreamUrl::Kafka(settings) = &place {
        let wrong = settings.check(stream, false);
        if !wrong.is_empty() {
            return Err(exception(py, ErrorKind::Config, &wrong));
        }
    }
    Ok(place)
}
