//! A run that goes on: its threads, its end, and what it tells of itself.

use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::JobError;
use super::keeper::Keeper;
use crate::config::Delivery;
use crate::connect::{Group, Reached, Received, Sink};
use crate::endpoint::Endpoint;
use crate::host::Recorder;
use crate::lane::{Lane, LaneError, Shared};
use crate::report::{PartitionReport, Report, SKIPPED_SHOWN, Status, StepReport, sum};
use crate::run::{Foreign, StepCounts};

/// A run that goes on in its own threads.
pub struct Running {
    inner: Arc<Inner>,
    watcher: Mutex<Option<JoinHandle<()>>>,
    /// Open until the run has ended.
    endpoint: Mutex<Option<Endpoint>>,
}

pub(super) struct Inner {
    pub(super) stream: String,
    /// For each partition how far it was read, where that can be told.
    pub(super) reached: Vec<Option<Arc<Reached>>>,
    pub(super) shared: Arc<Shared>,
    pub(super) sinks: HashMap<String, Box<dyn Sink>>,
    pub(super) foreign: Option<Arc<dyn Foreign>>,
    pub(super) keeper: Option<Keeper>,
    /// The source's group, where it has one.
    pub(super) group: Option<Arc<dyn Group>>,
    pub(super) checkpoint_interval: Duration,
    pub(super) started: Instant,
    pub(super) end: Mutex<End>,
    pub(super) ended: Condvar,
}

/// How soon it is seen that a partition waits for its last commit.
const HURRY: Duration = Duration::from_millis(20);

#[derive(Default)]
pub(super) struct End {
    /// The lanes have ended; what they wrote may still be on its way.
    carried: bool,
    /// When the last lane had ended.
    elapsed: Option<Duration>,
    error: Option<JobError>,
    failed: bool,
}

impl Inner {
    /// Runs the lanes to their end and finishes the sinks.
    fn watch(self: &Arc<Self>, lanes: Vec<Lane>) {
        let kept = Arc::clone(self);
        let keeping = spawn_thread("oxflow-keep".to_owned(), move || kept.keep());
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
        let kept = keeping.and_then(|keeping| keeping.join().map_err(|panic| JobError::Internal(panic_text(&*panic))));
        if let Err(error) = kept.and_then(|()| self.finish()) {
            self.fail(error);
        }
        self.group.iter().for_each(|group| group.close());
        self.sinks.values().for_each(|sink| sink.release());
        self.end().elapsed = Some(self.started.elapsed());
        self.ended.notify_all();
        self.shared.recorder.end();
    }

    fn finish(&self) -> Result<(), JobError> {
        // What one sink can't write is no reason to keep back what the others have.
        let finished: Vec<_> = self.sinks.values().map(|sink| sink.finish()).collect();
        finished.into_iter().collect::<Result<(), _>>()?;
        let failed = self.end().failed;
        match &self.keeper {
            Some(keeper) => keeper.finish(&self.sinks, failed)?,
            None => self.commit()?,
        }
        Ok(())
    }

    /// Commits what is settled, after the sinks have put it where a crash can't reach it.
    fn commit(&self) -> Result<(), JobError> {
        let settled = self.shared.settled();
        self.sinks.values().try_for_each(|sink| sink.secure())?;
        if let Some(group) = &self.group {
            group.commit(&settled);
        }
        self.shared.commit(settled);
        Ok(())
    }

    /// Takes a checkpoint or commits from time to time, until the lanes have ended.
    fn keep(&self) {
        let saved = || match (&self.keeper, &self.group) {
            (Some(keeper), _) => keeper.save(&self.sinks),
            (None, Some(_)) => self.commit(),
            (None, None) => Ok(()),
        };
        while self.goes_on_after(self.checkpoint_interval) {
            if let Err(error) = saved() {
                return self.fail(error);
            }
        }
    }

    /// Waits; false if the lanes have ended. Partitions that are about to go are waited for no longer than a moment.
    fn goes_on_after(&self, interval: Duration) -> bool {
        let until = Instant::now() + interval;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let turn = if self.group.is_some() { left.min(HURRY) } else { left };
            let waited = self.ended.wait_timeout_while(self.end(), turn, |end| !end.carried);
            if waited.unwrap_or_else(PoisonError::into_inner).0.carried {
                return false;
            }
            if left <= turn || self.group.as_ref().is_some_and(|group| group.is_waiting()) {
                return true;
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
fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a text").to_owned()
}

impl Running {
    /// Starts the lanes.
    pub(super) fn start(lanes: Vec<Lane>, inner: Inner) -> Result<Self, JobError> {
        let inner = Arc::new(inner);
        let runs = Arc::clone(&inner);
        let watcher = spawn_thread("oxflow-run".to_owned(), move || runs.watch(lanes))?;
        Ok(Self { inner, watcher: Mutex::new(Some(watcher)), endpoint: Mutex::default() })
    }

    /// The same, told about at an endpoint.
    pub(super) fn shown_at(self, endpoint: Endpoint) -> Self {
        let inner = Arc::downgrade(&self.inner);
        endpoint.show(move || {
            let view = Self { inner: inner.upgrade()?, watcher: Mutex::default(), endpoint: Mutex::default() };
            Some((view.report(), view.inner.shared.drain.load(Ordering::Acquire)))
        });
        Self { endpoint: Mutex::new(Some(endpoint)), ..self }
    }

    /// Ends reading, and lets the steps stop between two messages. What they have handled is delivered and settled.
    pub fn drain(&self) {
        self.inner.shared.drain.store(true, Ordering::Release);
    }

    /// Waits for the end of the run, `timeout` at most; true if it ended.
    pub fn wait(&self, timeout: Duration) -> bool {
        let end = self.inner.end();
        let waited = self.inner.ended.wait_timeout_while(end, timeout, |end| end.elapsed.is_none());
        let ended = waited.unwrap_or_else(PoisonError::into_inner).0.elapsed.is_some();
        if ended {
            // The last thread has nothing left to do; when this returns it is gone, too. How it ended is in the report.
            let watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner).take();
            drop(watcher.map(JoinHandle::join));
            let endpoint = self.endpoint.lock().unwrap_or_else(PoisonError::into_inner).take();
            drop(endpoint);
        }
        ended
    }

    /// Waits for the end of the run, or until extensions have recorded what nobody has seen; true if it ended.
    pub fn wait_for_news(&self, timeout: Duration) -> bool {
        self.recorder().wait(timeout);
        self.wait(Duration::ZERO)
    }

    /// What extensions record in the run.
    pub fn recorder(&self) -> &Recorder {
        &self.inner.shared.recorder
    }

    /// What ended the run, if it failed; given once.
    pub fn take_error(&self) -> Option<JobError> {
        self.inner.end().error.take()
    }

    /// What the run did so far.
    pub fn report(&self) -> Report {
        let shared = &self.inner.shared;
        let progress = shared.each_progress();
        let steps = self.steps();
        let ended = progress.iter().all(|lane| lane.ended);
        let skipped = progress.into_iter().flat_map(|lane| lane.skipped).take(SKIPPED_SHOWN).collect();
        let (status, elapsed) = self.status();
        Report {
            status,
            ended,
            delivery: if shared.resumable { Delivery::ExactlyOnce } else { Delivery::AtLeastOnce },
            elapsed_s: elapsed.as_secs_f64(),
            lanes: shared.progress.len(),
            messages_in: steps.first().map_or(0, |source| source.messages_in),
            messages_out: steps.iter().filter(|step| step.kind == "sink").map(|step| step.messages_out).sum(),
            sources: self.partitions(),
            steps,
            skipped,
            exit: shared.exit.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            checkpoint: self.inner.keeper.as_ref().and_then(Keeper::file),
            resumed: self.inner.keeper.as_ref().is_some_and(Keeper::resumed),
            recorded: shared.recorder.recorded(),
        }
    }

    fn steps(&self) -> Vec<StepReport> {
        let shared = &self.inner.shared;
        let lanes: Vec<Vec<StepCounts>> = shared.live.iter().map(|lane| lane.counts()).collect();
        let counts = sum(lanes.iter().map(Vec::as_slice), shared.steps.len());
        let steps = shared.steps.iter().zip(counts).enumerate();
        steps.map(|(index, (step, counts))| StepReport::new(index, step, counts, &shared.live)).collect()
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
        let reached = self.inner.reached.iter().map(Option::as_ref).chain(std::iter::repeat(None));
        names
            .zip(0u32..)
            .zip(reached)
            .map(|((name, partition), reached)| PartitionReport {
                stream: self.inner.stream.clone(),
                partition,
                name: name.clone(),
                resumed_at: self.inner.keeper.as_ref().and_then(|keeper| keeper.resumed_at(partition)),
                committed: committed.get(&partition).map(|position| position.next),
                position_bytes: reached.map(|reached| reached.position_bytes()),
                size_bytes: reached.map(|reached| reached.size_bytes),
            })
            .collect()
    }

    /// What the sinks in memory received, by logical stream.
    pub fn outputs(&self) -> HashMap<String, Vec<Received>> {
        let sinks = self.inner.sinks.iter();
        sinks.filter_map(|(stream, sink)| Some((stream.clone(), sink.received()?))).collect()
    }
}

/// Stack of a thread. Python lets C code call itself 10,000 times deep, which takes more than the two mebibytes that Rust gives:
/// without this a dictionary nested so deep would end the process. Python's own threads have 8 to 16 MiB. Only what is used is
/// ever taken from the system.
const STACK_BYTES: usize = 16 << 20;

fn spawn_thread<T: Send + 'static>(
    name: String,
    body: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, JobError> {
    let thread = thread::Builder::new().name(name).stack_size(STACK_BYTES).spawn(body);
    thread.map_err(|error| JobError::Internal(format!("a thread could not be started: {error}")))
}
