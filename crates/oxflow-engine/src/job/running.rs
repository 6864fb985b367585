//! A run that goes on: its threads, its end, and what it tells of itself.

use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::keeper::Keeper;
use super::{Health, HealthStatus, JobError, watchdog};
use crate::batch::numbers_of;
use crate::connect::{Extent, Group, Reached, Received, Sink, Transactions};
use crate::endpoint::{Endpoint, Shown};
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
    /// For each partition how far it was read, where that can be told.
    pub(super) reached: Vec<Option<Arc<Reached>>>,
    pub(super) shared: Arc<Shared>,
    pub(super) sinks: HashMap<String, Box<dyn Sink>>,
    pub(super) foreign: Option<Arc<dyn Foreign>>,
    pub(super) keeper: Option<Keeper>,
    /// The source's group, where it has one.
    pub(super) group: Option<Arc<dyn Group>>,
    /// What makes its positions good together with the outputs, where that is wanted.
    pub(super) transactions: Option<Arc<dyn Transactions>>,
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
        let watched = Arc::clone(self);
        let watching = spawn_thread("oxflow-watchdog".to_owned(), move || watchdog::watch(&watched));
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
        // How it ended is no matter of the run.
        drop(watching.map(JoinHandle::join));
        let kept = keeping.and_then(|keeping| keeping.join().map_err(|panic| JobError::Internal(panic_text(&*panic))));
        if let Err(error) = kept.and_then(|()| self.finish()) {
            self.fail(error);
        }
        self.group.iter().for_each(|group| group.close());
        self.sinks.values().for_each(|sink| sink.release());
        let elapsed = self.started.elapsed();
        self.tell_end();
        self.end().elapsed = Some(elapsed);
        self.ended.notify_all();
        self.shared.recorder.end();
    }

    fn finish(&self) -> Result<(), JobError> {
        // What one sink can't write is no reason to keep back what the others have.
        let began = Instant::now();
        let finished: Vec<_> = self.shared.keep(|| self.sinks.values().map(|sink| sink.finish()).collect());
        finished.into_iter().collect::<Result<(), _>>()?;
        let failed = self.end().failed;
        match &self.keeper {
            Some(keeper) => keeper.finish(&self.sinks, failed)?,
            None => self.commit()?,
        }
        self.tell_commit(began.elapsed());
        Ok(())
    }

    /// Commits what is settled, after the sinks have put it where a crash can't reach it.
    fn commit(&self) -> Result<(), JobError> {
        self.shared.keep(|| self.commit_settled())
    }

    fn commit_settled(&self) -> Result<(), JobError> {
        self.group.iter().for_each(|group| group.begin_commit());
        if let (Some(transactions), Some(cut)) = (&self.transactions, &self.shared.cut) {
            return self.transact(transactions.as_ref(), cut);
        }
        let (settled, owned) = (self.shared.settled(), self.shared.owned());
        self.sinks.values().try_for_each(|sink| sink.secure())?;
        if let Some(group) = &self.group {
            group.commit(&owned);
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
            let began = Instant::now();
            if let Err(error) = saved() {
                return self.fail(error);
            }
            if self.keeper.is_some() || self.group.is_some() {
                self.tell_commit(began.elapsed());
            }
        }
    }

    /// Waits; false if the lanes have ended.
    pub(super) fn carries_after(&self, interval: Duration) -> bool {
        let waited = self.ended.wait_timeout_while(self.end(), interval, |end| !end.carried);
        !waited.unwrap_or_else(PoisonError::into_inner).0.carried
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
                Some(foreign) => foreign.around(number, &mut body),
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
            Some(Box::new(view))
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
            delivery: shared.delivery(),
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

    /// Whether the run moves.
    pub fn health(&self) -> Health {
        let (shared, now) = (&self.inner.shared, Instant::now());
        let monitor = &shared.monitor;
        let standing = self.inner.group.as_ref().and_then(|group| group.standing());
        let mut partitions = self.partitions();
        if standing.is_some() {
            // Those of a group that this process has.
            partitions.retain(|partition| partition.end.is_some());
        }
        let keeping = *shared.keeping.lock().unwrap_or_else(PoisonError::into_inner);
        let health = Health {
            status: match self.status().0 {
                Status::Running => HealthStatus::Ok,
                Status::Drained => HealthStatus::Drained,
                Status::Failed => HealthStatus::Failed,
            },
            draining: shared.drain.load(Ordering::Acquire),
            reasons: Vec::new(),
            stalled_s: monitor.patience().as_secs(),
            lanes: monitor.look(shared, now),
            keeping: monitor.keeping(keeping, now),
            source: standing.map(|standing| monitor.source(&standing.stream, standing.silent)),
            partitions,
        };
        health.with_reasons()
    }

    fn partitions(&self) -> Vec<PartitionReport> {
        let standing = self.inner.group.as_ref().and_then(|group| group.standing());
        let at = |slot| standing.as_ref().and_then(|standing| standing.partitions.get(&slot));
        let committed = self.inner.shared.committed.lock().unwrap_or_else(PoisonError::into_inner);
        let partitions = self.inner.shared.partitions.all().into_iter();
        let reached = self.inner.reached.iter().map(Option::as_ref).chain(std::iter::repeat(None));
        partitions
            .zip(reached)
            .map(|((slot, partition), reached)| PartitionReport {
                stream: partition.stream.to_string(),
                partition: numbers_of(slot).1,
                name: partition.name.to_string(),
                resumed_at: self.inner.keeper.as_ref().and_then(|keeper| keeper.resumed_at(slot)),
                committed: committed.get(&slot).map(|position| position.next),
                position_bytes: reached.map(|reached| reached.position_bytes()),
                size_bytes: reached.map(|reached| reached.size_bytes),
                end: at(slot).and_then(|at| at.end),
                lag: at(slot).and_then(Extent::lag),
            })
            .collect()
    }

    /// What the sinks in memory received, by logical stream.
    pub fn outputs(&self) -> HashMap<String, Vec<Received>> {
        let sinks = self.inner.sinks.iter();
        sinks.filter_map(|(stream, sink)| Some((stream.clone(), sink.received()?))).collect()
    }
}

impl Shown for Running {
    fn report(&self) -> Report {
        Self::report(self)
    }

    fn health(&self) -> Health {
        Self::health(self)
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
