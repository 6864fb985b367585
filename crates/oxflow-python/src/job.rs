//! Runs of pipelines.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use oxflow_engine::clock::Clock;
use oxflow_engine::connect::{Binding, Item, Received, StreamUrl};
use oxflow_engine::job::{Job, JobError, Running};
use oxflow_engine::lower::Bindings;
use oxflow_engine::report::Report;
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use crate::errors::{ErrorKind, exception, job_exception};
use crate::extension::{NativeFunction, NativeType};
use crate::message::{Advance, Message, Metadata, OwnMetadata};
use crate::records::records;
use crate::runtime::{Encoders, PythonSteps, Runtime, prepare};
use crate::{config, plan, telemetry};

/// How long a signal waits while a run starts.
const SIGNALS: Duration = Duration::from_millis(100);

/// How long a run that is to be drained may go on starting.
const LAST_START: Duration = Duration::from_millis(500);

/// A run of a pipeline, in threads of its own.
#[pyclass(frozen, module = "oxflow._oxflow")]
pub(crate) struct Run {
    state: Mutex<State>,
    /// Shared with the lanes, since a signal may come before they have started.
    drain: Arc<AtomicBool>,
}

enum State {
    Ready(Box<Job>),
    Started(Arc<Running>),
    /// Drained while it was starting.
    Abandoned,
    Failed,
}

#[pymethods]
impl Run {
    /// `encoders` are those of JSON and msgpack.
    #[new]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it extracted")]
    #[pyo3(signature = (
        plan, config, functions: "dict[str, object]", decoders: "dict[str, Callable[[bytes], Any]]",
        encoders: "tuple[Callable[[Any], bytes], Callable[[Any], bytes]]", streams: "dict[str, list[Any] | str]",
        manual_clock
    ))]
    fn new(
        plan: &str,
        config: &str,
        functions: HashMap<String, Bound<'_, PyAny>>,
        decoders: HashMap<String, Py<PyAny>>,
        encoders: (Py<PyAny>, Py<PyAny>),
        streams: HashMap<String, Bound<'_, PyAny>>,
        manual_clock: bool,
    ) -> PyResult<Self> {
        let drain = Arc::new(AtomicBool::new(false));
        let job = Job {
            drain: Arc::clone(&drain),
            plan: plan::parse(plan)?,
            config: config::parse(config)?,
            bindings: bindings(functions, decoders, encoders),
            streams: streams
                .iter()
                .map(|(name, bound)| Ok((name.clone(), binding(name, bound)?)))
                .collect::<PyResult<_>>()?,
            telemetry: telemetry::provider(),
            clock: if manual_clock { Clock::manual() } else { Clock::system() },
        };
        Ok(Self { state: Mutex::new(State::Ready(Box::new(job))), drain })
    }

    /// Check, open the streams and start the lanes.
    fn start(&self, py: Python<'_>) -> PyResult<()> {
        let before = std::mem::replace(&mut *self.state(), State::Failed);
        let State::Ready(job) = before else {
            *self.state() = before;
            return Err(PyRuntimeError::new_err("a run starts once"));
        };
        prepare(py);
        let started = start_interruptibly(py, *job, &self.drain)?;
        *self.state() = started.map_or(State::Abandoned, |running| State::Started(Arc::new(running)));
        Ok(())
    }

    /// Wait for the end of the run for so many seconds, without the interpreter; return whether nothing of it goes on. Returns
    /// sooner if extensions have recorded something: `take_records` has it.
    fn wait(&self, py: Python<'_>, timeout_s: f64) -> bool {
        let Ok(Some(running)) = self.running() else { return true };
        let timeout = Duration::try_from_secs_f64(timeout_s).unwrap_or(Duration::MAX);
        py.detach(|| running.wait_for_news(timeout))
    }

    /// Return what extensions have logged since this was asked last, each record once.
    #[pyo3(signature = () -> "list[dict[str, Any]]")]
    fn take_records<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let Ok(Some(running)) = self.running() else { return Ok(PyList::empty(py)) };
        records(py, &py.detach(|| running.recorder().take()))
    }

    /// End reading, and stop between two messages; what was handled is delivered.
    pub(crate) fn drain(&self) {
        self.drain.store(true, Ordering::Release);
    }

    /// Return what the run did so far, as JSON.
    fn report(&self, py: Python<'_>) -> PyResult<String> {
        let running = self.running()?;
        let report = || running.map_or_else(Report::unstarted, |running| running.report());
        let text = py.detach(|| serde_json::to_string(&report()));
        text.map_err(|error| PyRuntimeError::new_err(error.to_string()))
    }

    /// Return what the sinks in memory received, by stream.
    #[pyo3(signature = () -> "dict[str, list[Message[bytes]]]")]
    fn outputs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let running = self.running()?;
        let received = py.detach(|| running.map(|running| running.outputs()).unwrap_or_default());
        let outputs = PyDict::new(py);
        for (stream, messages) in received {
            let messages: Vec<Message> = messages.into_iter().map(|message| received_message(py, message)).collect();
            outputs.set_item(stream, PyList::new(py, messages)?)?;
        }
        Ok(outputs)
    }

    /// Raise what ended the run, if it failed.
    fn result(&self, py: Python<'_>) -> PyResult<()> {
        match self.running()?.and_then(|running| running.take_error()) {
            Some(error) => Err(job_exception(py, error)),
            None => Ok(()),
        }
    }
}

/// Starts a job while signals are handled: to open a pipe that nobody reads takes for ever. None if the run was to be
/// drained and the start came to no end; should it still come to one, the lanes see that and do nothing.
fn start_interruptibly(py: Python<'_>, job: Job, drain: &AtomicBool) -> PyResult<Option<Running>> {
    let (sender, mut started) = std::sync::mpsc::sync_channel(1);
    let start = move || drop(sender.send(job.start()));
    std::thread::Builder::new().name("oxflow-start".to_owned()).spawn(start)?;
    let mut until: Option<Instant> = None;
    loop {
        let (answer, receiver) = py.detach(move || (started.recv_timeout(SIGNALS), started));
        started = receiver;
        match answer {
            Ok(answer) => return answer.map(Some).map_err(|error| job_exception(py, error)),
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(job_exception(py, JobError::Internal("the start of the run panicked".to_owned())));
            }
        }
        if drain.load(Ordering::Acquire) && *until.get_or_insert_with(|| Instant::now() + LAST_START) <= Instant::now()
        {
            return Ok(None);
        }
    }
}

impl Run {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The run; none if it was drained before it had started.
    fn running(&self) -> PyResult<Option<Arc<Running>>> {
        match &*self.state() {
            State::Started(running) => Ok(Some(Arc::clone(running))),
            State::Abandoned => Ok(None),
            State::Ready(_) | State::Failed => Err(PyRuntimeError::new_err("the run was not started")),
        }
    }
}

/// The Rust functions and types among the callables of a pipeline, and the others.
pub(crate) fn native_bindings(functions: HashMap<String, Bound<'_, PyAny>>) -> (Bindings, HashMap<String, Py<PyAny>>) {
    let mut bindings = Bindings::default();
    let mut callables = HashMap::new();
    for (step, function) in functions {
        if let Ok(native) = function.cast::<NativeFunction>() {
            bindings.functions.insert(step, native.get().function.clone());
        } else if let Ok(native) = function.cast::<NativeType>() {
            bindings.types.insert(step, native.get().payload);
        } else {
            callables.insert(step, function.unbind());
        }
    }
    (bindings, callables)
}

fn bindings(
    functions: HashMap<String, Bound<'_, PyAny>>,
    decoders: HashMap<String, Py<PyAny>>,
    (json, msgpack): (Py<PyAny>, Py<PyAny>),
) -> Bindings {
    let (mut bindings, functions) = native_bindings(functions);
    let encoders = Encoders { json, msgpack };
    bindings.foreign = Some(Arc::new(PythonSteps::new(Runtime { functions, decoders, encoders })));
    bindings
}

fn binding(stream: &str, bound: &Bound<'_, PyAny>) -> PyResult<Binding> {
    if let Ok(url) = bound.cast::<PyString>() {
        let parsed: Result<StreamUrl, _> = url.to_str()?.parse();
        let py = bound.py();
        return parsed.map(Binding::Url).map_err(|error| exception(py, ErrorKind::Plan, &[error.diagnostic(stream)]));
    }
    let items: Vec<Bound<'_, PyAny>> = bound.extract()?;
    // A list of lists is a list of partitions, and so is the empty list.
    if items.iter().all(PyAnyMethods::is_instance_of::<PyList>) {
        return Ok(Binding::Memory(items.iter().map(partition).collect::<PyResult<_>>()?));
    }
    Ok(Binding::Memory(vec![partition(bound)?]))
}

fn partition(items: &Bound<'_, PyAny>) -> PyResult<Vec<Item>> {
    items.try_iter()?.map(|item| memory_item(&item?)).collect()
}

pub(crate) fn memory_item(item: &Bound<'_, PyAny>) -> PyResult<Item> {
    if let Ok(advance) = item.cast::<Advance>() {
        return Ok(Item::Advance(Duration::try_from_secs_f64(advance.get().seconds).unwrap_or_default()));
    }
    if let Ok(bytes) = item.cast::<PyBytes>() {
        let payload = bytes.as_bytes().to_vec();
        return Ok(Item::Message { payload, key: None, headers: Vec::new(), timestamp_us: None });
    }
    let wrong = || PyTypeError::new_err(format!("a stream in memory holds bytes or Message[bytes], not {item:?}"));
    let message = item.cast::<Message>().map_err(|_| wrong())?.get();
    let payload = message.payload.bind(item.py()).cast::<PyBytes>().map_err(|_| wrong())?.as_bytes().to_vec();
    let own = message.metadata.own();
    Ok(Item::Message { payload, key: own.key, headers: own.headers, timestamp_us: own.timestamp_us })
}

fn received_message(py: Python<'_>, received: Received) -> Message {
    let payload = PyBytes::new(py, &received.payload).into_any().unbind();
    let origin = crate::message::Origin::at(&received.stream, received.partition, received.offset);
    let own = OwnMetadata {
        key: received.key,
        headers: received.headers,
        timestamp_us: Some(received.timestamp_us),
        origin: Some(origin),
        is_tombstone: false,
    };
    Message { payload, metadata: Metadata::Own(Arc::new(own)) }
}
