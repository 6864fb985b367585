//! A job: a pipeline that is bound to its streams and run to its end.

mod keeper;

use std::any::Any;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::clock::Clock;
use crate::config::{Config, OnError, Stream};
use crate::connect::{
    Binding, ConnectError, FileKey, MalformedUrl, Opened, PollLimits, Received, Sink, open_sink, open_source,
};
use crate::diagnostic::{Code, Diagnostic};
use crate::fault::StepError;
use crate::lane::{Lane, LaneError, Progress, Shared, Supply, build};
use crate::lower::{Bindings, Program, Stage, lower};
use crate::plan::Plan;
use crate::report::{PartitionReport, Report, SKIPPED_SHOWN, Status, StepReport, sum};
use crate::run::Foreign;
use keeper::{Keeper, Kept};

/// Everything that a run needs.
pub struct Job {
    /// The pipeline.
    pub plan: Plan,
    /// How it is to run.
    pub config: Config,
    /// What the names in the plan stand for.
    pub bindings: Bindings,
    /// Streams that are not where the configuration says: lists in memory.
    pub streams: HashMap<String, Binding>,
    /// The time.
    pub clock: Clock,
}

/// What ended a run that was not drained, or kept it from starting.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The plan is wrong.
    #[error("the pipeline is wrong")]
    Plan(Vec<Diagnostic>),
    /// A connector failed.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The checkpoint can't be used or written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A message failed in a step.
    #[error("step `{}` failed", .0.step)]
    Step(Box<StepError>),
    /// oxflow failed.
    #[error("{0}")]
    Internal(String),
}

impl JobError {
    /// The error for people.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        match self {
            Self::Plan(diagnostics) => diagnostics.clone(),
            Self::Connect(error) => vec![error.diagnostic()],
            Self::Checkpoint(error) => vec![error.diagnostic()],
            Self::Step(error) => vec![error.diagnostic()],
            Self::Internal(text) => {
                let fix = "please report it with the pipeline and the message above";
                vec![Diagnostic::new(Code::Internal, "oxflow itself failed").because(text.clone()).fix(fix)]
            }
        }
    }
}

impl From<LaneError> for JobError {
    fn from(error: LaneError) -> Self {
        match error {
            LaneError::Step(error) => Self::Step(error),
            LaneError::Connect(error) => Self::Connect(error),
            LaneError::Internal(text) => Self::Internal(text),
        }
    }
}

/// A run that goes on in its own threads.
pub struct Running {
    inner: Arc<Inner>,
}

struct Inner {
    stream: String,
    shared: Arc<Shared>,
    sinks: HashMap<String, Box<dyn Sink>>,
    foreign: Option<Arc<dyn Foreign>>,
    keeper: Option<Keeper>,
    checkpoint_interval: Duration,
    started: Instant,
    end: Mutex<End>,
    ended: Condvar,
}

#[derive(Default)]
struct End {
    /// The lanes have ended; what they wrote may still be on its way.
    carried: bool,
    /// When the last lane had ended.
    elapsed: Option<Duration>,
    error: Option<JobError>,
    failed: bool,
}

impl Job {
    /// Checks, opens the streams and starts the lanes.
    pub fn start(self) -> Result<Running, JobError> {
        let mut findings = crate::plan::check(&self.plan);
        findings.extend(self.check_config());
        if !findings.is_empty() {
            return Err(JobError::Plan(findings));
        }
        let program = lower(&self.plan, &self.bindings).map_err(|finding| JobError::Plan(vec![finding]))?;
        let mut source = self.open()?;
        let streams = sink_streams(&program.stages);
        let files = self.written_files(&streams, &source)?;
        let kept = self.kept(&program.stages, &source, &files)?;
        let before = kept.as_ref().and_then(|kept| kept.before.as_ref());
        if let Some(before) = before {
            source.resume(&before.sources);
        }
        let sinks = self.open_sinks(&streams, before)?;
        self.spawn(&program, source, sinks, kept)
    }

    /// What the configuration gets wrong about the plan; streams that were handed over need no entry in it.
    fn check_config(&self) -> Vec<Diagnostic> {
        let mut config = self.config.clone();
        for stream in self.streams.keys() {
            config.streams.entry(stream.clone()).or_insert_with(|| Stream { url: "memory:".to_owned() });
        }
        config.check(&self.plan)
    }

    fn binding(&self, stream: &str) -> Result<Cow<'_, Binding>, JobError> {
        if let Some(binding) = self.streams.get(stream) {
            return Ok(Cow::Borrowed(binding));
        }
        let bound = self
            .config
            .stream(stream)
            .ok_or_else(|| JobError::Internal(format!("the stream `{stream}` passed the check without being bound")))?;
        let url = bound.url.parse().map_err(|error: MalformedUrl| JobError::Plan(vec![error.diagnostic(stream)]))?;
        Ok(Cow::Owned(Binding::Url(url)))
    }

    fn open(&self) -> Result<Opened, JobError> {
        let stream = &self.plan.source.stream;
        Ok(open_source(stream, &*self.binding(stream)?)?)
    }

    /// The files that the sinks write, by stream. Opening one cuts it, so none may be another stream's.
    fn written_files(&self, streams: &[&str], source: &Opened) -> Result<BTreeMap<String, PathBuf>, JobError> {
        let read = self.plan.source.stream.as_str();
        let mut taken: HashMap<FileKey, &str> = source.files().map(|file| (file, read)).collect();
        let mut files = BTreeMap::new();
        for stream in streams {
            let Some(path) = self.binding(stream)?.written_file() else { continue };
            if let Some(other) = taken.insert(FileKey::of(&path), stream)
                && other != *stream
            {
                let (stream, other) = ((*stream).to_owned(), other.to_owned());
                return Err(ConnectError::SameFile { stream, other, path }.into());
            }
            files.insert((*stream).to_owned(), path);
        }
        Ok(files)
    }

    fn open_sinks(
        &self,
        streams: &[&str],
        before: Option<&Checkpoint>,
    ) -> Result<HashMap<String, Box<dyn Sink>>, JobError> {
        let mut sinks = HashMap::new();
        for stream in streams {
            if !sinks.contains_key(*stream) {
                let state = before.and_then(|before| before.sinks.get(*stream));
                sinks.insert((*stream).to_owned(), open_sink(stream, &*self.binding(stream)?, state)?);
            }
        }
        Ok(sinks)
    }

    fn spawn(
        self,
        program: &Program,
        source: Opened,
        sinks: HashMap<String, Box<dyn Sink>>,
        kept: Option<Kept>,
    ) -> Result<Running, JobError> {
        let lanes = self.lanes(source.partitions.len());
        let shared = Arc::new(self.shared(program, source.partitions.clone(), lanes, kept.is_some()));
        let marks = kept.as_ref().map(|kept| kept.marks(&program.steps));
        let start = kept.as_ref().map(|kept| kept.progress(&program.steps)).unwrap_or_default();
        let supply = Supply { bindings: &self.bindings, sinks: &sinks, marks: marks.as_ref() };
        let mut ready = Vec::with_capacity(lanes);
        for (number, source) in source.split(lanes).into_iter().enumerate() {
            let nodes = build(&program.stages, &supply).map_err(JobError::Internal)?;
            ready.push(Lane::new(number, source, nodes, Arc::clone(&shared), start.clone()));
        }
        let inner = Arc::new(Inner {
            stream: self.plan.source.stream,
            foreign: self.bindings.foreign,
            keeper: kept.map(|kept| Keeper { kept, shared: Arc::clone(&shared) }),
            checkpoint_interval: Duration::from_millis(u64::from(self.config.run.checkpoint_ms.0.get())),
            shared,
            sinks,
            started: Instant::now(),
            end: Mutex::default(),
            ended: Condvar::new(),
        });
        if let Some(keeper) = &inner.keeper {
            // From here on the outputs are this run's: a checkpoint of other outputs, or none, would mislead the next one.
            keeper.save(&inner.sinks)?;
            let kept = Arc::clone(&inner);
            spawn_thread("oxflow-keep".to_owned(), move || kept.keep())?;
        }
        let watched = Arc::clone(&inner);
        spawn_thread("oxflow-run".to_owned(), move || watched.watch(ready))?;
        Ok(Running { inner })
    }

    /// As many as configured, or as there are cores, but no more than partitions. A controlled clock moves in one lane.
    fn lanes(&self, partitions: usize) -> usize {
        let cores = || thread::available_parallelism().map_or(1, std::num::NonZero::get);
        match self.clock {
            Clock::Manual(_) => 1,
            Clock::System(_) => {
                self.config.run.lanes.map_or_else(cores, |lanes| lanes.get() as usize).min(partitions.max(1))
            }
        }
    }

    fn shared(&self, program: &Program, partitions: Vec<String>, lanes: usize, resumable: bool) -> Shared {
        let run = &self.config.run;
        let fatal = |name: &str| self.config.step(name).on_error == OnError::Fail;
        Shared {
            clock: match &self.clock {
                Clock::System(start) => Clock::System(*start),
                Clock::Manual(_) => Clock::manual(),
            },
            fatal: program.steps.iter().map(|step| fatal(&step.name)).collect(),
            steps: program.steps.clone(),
            partitions,
            limits: PollLimits {
                messages: run.batch.messages.get() as usize,
                bytes: run.batch.bytes.get() as usize,
                wait: Duration::from_millis(u64::from(run.batch.wait_ms.get())),
            },
            resumable,
            drain: AtomicBool::new(false),
            committed: Mutex::default(),
            gate: RwLock::new(()),
            torn: AtomicBool::new(false),
            progress: (0..lanes).map(|_| Mutex::new(Progress::default())).collect(),
        }
    }
}

fn sink_streams(stages: &[Stage]) -> Vec<&str> {
    stages
        .iter()
        .flat_map(|stage| match stage {
            Stage::Sink { stream, .. } => vec![stream.as_str()],
            Stage::Route { branches, .. } | Stage::Broadcast { branches, .. } => {
                branches.iter().flat_map(|branch| sink_streams(branch)).collect()
            }
            _ => Vec::new(),
        })
        .collect()
}

fn spawn_thread<T: Send + 'static>(
    name: String,
    body: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, JobError> {
    let thread = thread::Builder::new().name(name).spawn(body);
    thread.map_err(|error| JobError::Internal(format!("a thread could not be started: {error}")))
}

impl Inner {
    /// Runs the lanes to their end and finishes the sinks.
    fn watch(&self, lanes: Vec<Lane>) {
        let threads: Vec<_> =
            lanes.into_iter().enumerate().map(|(number, lane)| self.start_lane(number, lane)).collect();
        for thread in threads {
            let joined = thread.map(JoinHandle::join);
            let ended = joined.and_then(|end| end.unwrap_or_else(|panic| Err(JobError::Internal(panic_text(&*panic)))));
            if let Err(error) = ended {
                self.fail(error);
            }
        }
        self.end().carried = true;
        self.ended.notify_all();
        if let Err(error) = self.finish() {
            self.fail(error);
        }
        self.end().elapsed = Some(self.started.elapsed());
        self.ended.notify_all();
    }

    fn finish(&self) -> Result<(), JobError> {
        // What one sink can't write is no reason to keep back what the others have.
        let finished: Vec<_> = self.sinks.values().map(|sink| sink.finish()).collect();
        finished.into_iter().collect::<Result<(), _>>()?;
        let failed = self.end().failed;
        match &self.keeper {
            Some(keeper) => keeper.finish(&self.sinks, failed)?,
            None => self.shared.commit(),
        }
        Ok(())
    }

    /// Takes a checkpoint from time to time, until the lanes have ended.
    fn keep(&self) {
        let Some(keeper) = &self.keeper else { return };
        loop {
            let waited = self.ended.wait_timeout_while(self.end(), self.checkpoint_interval, |end| !end.carried);
            if waited.unwrap_or_else(PoisonError::into_inner).0.carried {
                return;
            }
            if let Err(error) = keeper.save(&self.sinks) {
                return self.fail(error);
            }
        }
    }

    fn start_lane(&self, number: usize, lane: Lane) -> Result<JoinHandle<Result<(), JobError>>, JobError> {
        let (shared, foreign) = (Arc::clone(&self.shared), self.foreign.clone());
        spawn_thread(format!("oxflow-lane-{number}"), move || {
            let (mut lane, mut ended) = (Some(lane), Ok(()));
            let mut body = || ended = lane.take().map_or(Ok(()), carry);
            match foreign {
                Some(foreign) => foreign.around(&mut body),
                None => body(),
            }
            if ended.is_err() {
                // The other lanes settle what they have read; reading on would only delay the error.
                shared.drain.store(true, Ordering::Release);
            }
            ended.map_err(JobError::from)
        })
    }

    /// Keeps the first error.
    fn fail(&self, error: JobError) {
        self.shared.drain.store(true, Ordering::Release);
        let mut end = self.end();
        end.failed = true;
        end.error.get_or_insert(error);
    }

    fn end(&self) -> MutexGuard<'_, End> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lane's life; a panic in it is an error of ours, and the other lanes go on.
fn carry(lane: Lane) -> Result<(), LaneError> {
    let ended = catch_unwind(AssertUnwindSafe(|| lane.run()));
    ended.unwrap_or_else(|panic| Err(LaneError::Internal(panic_text(&*panic))))
}

/// What a panic said.
pub fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a text").to_owned()
}

impl Running {
    /// Ends reading, and lets the steps stop between two messages. What they have handled is delivered and settled.
    pub fn drain(&self) {
        self.inner.shared.drain.store(true, Ordering::Release);
    }

    /// Waits for the end of the run, `timeout` at most; true if it ended.
    pub fn wait(&self, timeout: Duration) -> bool {
        let end = self.inner.end();
        let waited = self.inner.ended.wait_timeout_while(end, timeout, |end| end.elapsed.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.elapsed.is_some()
    }

    /// What ended the run, if it failed; given once.
    pub fn take_error(&self) -> Option<JobError> {
        self.inner.end().error.take()
    }

    /// What the run did so far.
    pub fn report(&self) -> Report {
        let shared = &self.inner.shared;
        let progress: Vec<Progress> =
            shared.progress.iter().map(|lane| lane.lock().unwrap_or_else(PoisonError::into_inner).clone()).collect();
        let counts = sum(progress.iter().map(|lane| lane.counts.as_slice()), shared.steps.len());
        let steps: Vec<StepReport> =
            shared.steps.iter().zip(&counts).map(|(step, counts)| StepReport::new(step, *counts)).collect();
        let ended = progress.iter().all(|lane| lane.ended);
        let skipped = progress.into_iter().flat_map(|lane| lane.skipped).take(SKIPPED_SHOWN).collect();
        let (status, elapsed) = self.status();
        Report {
            status,
            ended,
            elapsed_s: elapsed.as_secs_f64(),
            lanes: shared.progress.len(),
            messages_in: steps.first().map_or(0, |source| source.messages_out),
            messages_out: steps.iter().filter(|step| step.kind == "sink").map(|step| step.messages_out).sum(),
            sources: self.partitions(),
            steps,
            skipped,
        }
    }

    fn status(&self) -> (Status, Duration) {
        let end = self.inner.end();
        match end.elapsed {
            None => (Status::Running, self.inner.started.elapsed()),
            Some(elapsed) if end.failed => (Status::Failed, elapsed),
            Some(elapsed) => (Status::Drained, elapsed),
        }
    }

    fn partitions(&self) -> Vec<PartitionReport> {
        let committed = self.inner.shared.committed.lock().unwrap_or_else(PoisonError::into_inner);
        let names = self.inner.shared.partitions.iter();
        names
            .zip(0u32..)
            .map(|(name, partition)| PartitionReport {
                stream: self.inner.stream.clone(),
                partition,
                name: name.clone(),
                committed: committed.get(&partition).map(|position| position.next),
            })
            .collect()
    }

    /// What the sinks in memory received, by logical stream.
    pub fn outputs(&self) -> HashMap<String, Vec<Received>> {
        let sinks = self.inner.sinks.iter();
        sinks.filter_map(|(stream, sink)| Some((stream.clone(), sink.received()?))).collect()
    }
}
