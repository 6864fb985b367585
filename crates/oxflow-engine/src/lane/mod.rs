//! Lanes: threads that each carry the messages of some partitions from the source to the sinks.
//!
//! A partition belongs to one lane, so its order holds without locks. A lane does everything itself, one batch after the
//! other: a slow sink stops the reading, and nothing piles up in between.

mod acknowledge;
mod cut;
mod even;
mod flow;
mod judge;
mod letters;
mod nodes;
mod outbox;
mod told;

pub(crate) use cut::{Cut, Stand};
pub(crate) use letters::Letters;
pub(crate) use nodes::{Node, Supply, Unbuilt, build};
pub(crate) use outbox::Outbox;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::thread;
use std::time::{Duration, Instant};

use crate::batch::{Batch, Meta, Payloads};
use crate::checkpoint::{Marks, Sent};
use crate::clock::Clock;
use crate::commit::{Position, Tracker};
use crate::config::{Delivery, Policy};
use crate::connect::{Changes, ConnectError, Partitions, PollLimits, Polled, Read, Settled, Source, UNTIMED};
use crate::dead_letter::TooManyFailed;
use crate::fault::StepError;
use crate::host::{self, Recorder};
use crate::job::Monitor;
use crate::report::{Exit, SOURCE, Skipped, StepInfo};
use crate::run::{Activity, Live, StepCounts, take_waiting};
use crate::telemetry::Observer;
use told::Told;

/// What the lanes of a run share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    pub(crate) steps: Vec<StepInfo>,
    /// For each step what happens to a message that it fails on.
    pub(crate) policies: Vec<Policy>,
    /// For each step: whether a fault in it ends the run.
    pub(crate) fatal: Vec<bool>,
    /// What the partitions are called.
    pub(crate) partitions: Arc<Partitions>,
    pub(crate) limits: PollLimits,
    /// Whether a later run goes on where this one is drained, so that open batches may stay open.
    pub(crate) resumable: bool,
    /// Set once, to end reading: steps then stop between two messages, and what they have not begun stays unsettled.
    pub(crate) drain: Arc<AtomicBool>,
    /// What each lane shows of itself while it is inside a batch.
    pub(crate) live: Vec<Arc<Live>>,
    /// For each lane how far it came.
    pub(crate) progress: Vec<Mutex<Progress>>,
    /// For each partition where a later run would go on.
    pub(crate) committed: Mutex<BTreeMap<u32, Position>>,
    /// Held for reading while a lane carries a batch, and for writing while a checkpoint is taken.
    pub(crate) gate: RwLock<()>,
    /// Set once, if what the outputs hold can no longer be told: no checkpoint is taken from then on, and a later run goes
    /// on from the last one.
    pub(crate) torn: AtomicBool,
    /// Present where outputs and positions become good together.
    pub(crate) cut: Option<Cut>,
    /// The first step that asked the process to end.
    pub(crate) exit: Mutex<Option<Exit>>,
    /// Takes what extensions record.
    pub(crate) recorder: Arc<Recorder>,
    /// Is told what the lanes do.
    pub(crate) observer: Option<Arc<dyn Observer>>,
    /// Tells whether the lanes move.
    pub(crate) monitor: Monitor,
    /// When the checkpoint or commit began that is under way.
    pub(crate) keeping: Mutex<Option<Instant>>,
}

/// How long the sinks may take for what they have of a partition that goes. What they take longer for is read again by whoever
/// gets it.
const LAST_OF_A_PARTITION: Duration = Duration::from_secs(5);
/// How soon a lane with open lists sees that they are to end.
const ALERT: Duration = Duration::from_millis(20);
/// How long the sinks may take when reading is over. If that is not enough their own end says why.
const LAST_ACKNOWLEDGEMENT: Duration = Duration::from_secs(30);

/// A lane is inside a batch: no checkpoint is taken meanwhile.
struct Carrying<'a> {
    shared: &'a Shared,
    _gate: RwLockReadGuard<'a, ()>,
}

impl Drop for Carrying<'_> {
    fn drop(&mut self) {
        // The gate opens after this, so that no checkpoint sees what a panic left half done.
        if thread::panicking() {
            self.shared.tear();
        }
    }
}

impl Shared {
    fn carry(&self) -> Carrying<'_> {
        Carrying { shared: self, _gate: self.gate.read().unwrap_or_else(PoisonError::into_inner) }
    }

    /// Does what makes a checkpoint or commit, and shows meanwhile that it does.
    pub(crate) fn keep<T>(&self, work: impl FnOnce() -> T) -> T {
        let now = |at| *self.keeping.lock().unwrap_or_else(PoisonError::into_inner) = at;
        now(Some(Instant::now()));
        let done = work();
        now(None);
        done
    }

    fn tear(&self) {
        self.torn.store(true, Ordering::Release);
    }

    pub(crate) fn is_torn(&self) -> bool {
        self.torn.load(Ordering::Acquire)
    }

    /// What is promised about each message.
    pub(crate) fn delivery(&self) -> Delivery {
        if self.resumable || self.cut.is_some() { Delivery::ExactlyOnce } else { Delivery::AtLeastOnce }
    }

    /// How far each lane came.
    pub(crate) fn each_progress(&self) -> Vec<Progress> {
        let copy = |lane: &Mutex<Progress>| lane.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.progress.iter().map(copy).collect()
    }

    /// For each partition up to where its messages are settled.
    pub(crate) fn settled(&self) -> BTreeMap<u32, Position> {
        let mut settled: BTreeMap<u32, Position> = BTreeMap::new();
        // A lane knows its own partitions best; of the others it has what the run started with.
        for (partition, position) in self.each_progress().into_iter().flat_map(|lane| lane.settled) {
            let furthest = settled.entry(partition).or_insert(position);
            if furthest.next < position.next {
                *furthest = position;
            }
        }
        settled
    }

    /// The same, with the time that each partition came, where partitions come and go.
    pub(crate) fn owned(&self) -> BTreeMap<u32, Settled> {
        let of_lane = |lane: Progress| {
            let epochs = lane.epochs;
            let settled = lane.settled.into_iter();
            settled.filter_map(move |(partition, position)| {
                Some((partition, Settled { epoch: *epochs.get(&partition)?, position }))
            })
        };
        self.each_progress().into_iter().flat_map(of_lane).collect()
    }

    /// The sinks have made what they took last: only now is what was settled before committed.
    pub(crate) fn commit(&self, settled: BTreeMap<u32, Position>) {
        *self.committed.lock().unwrap_or_else(PoisonError::into_inner) = settled;
    }
}

/// How far a lane came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    pub(crate) counts: Vec<StepCounts>,
    /// For each partition of the lane up to where its messages are settled.
    pub(crate) settled: BTreeMap<u32, Position>,
    /// For each partition that comes and goes which time this is.
    pub(crate) epochs: BTreeMap<u32, u64>,
    /// For each step where branches may differ how far it came.
    pub(crate) marks: BTreeMap<usize, Marks>,
    /// For each step that may have dead letters which messages are some.
    pub(crate) letters: BTreeMap<usize, Sent>,
    /// True if the source of the lane came to its end.
    pub(crate) ended: bool,
    /// The first messages that were left out.
    pub(crate) skipped: Vec<Skipped>,
}

/// What ends a lane before its source does.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LaneError {
    /// A message failed in a step whose policy is to fail.
    #[error("{}", .0.diagnostic())]
    Step(Box<StepError>),
    /// So many messages became dead letters that something else than the messages must be wrong.
    #[error("{}", .0.diagnostic())]
    TooManyFailed(Box<TooManyFailed>),
    /// A connector failed.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// What was written is undone; everything is read again. Not for people.
    #[error("what was written is undone")]
    Undone,
    /// oxflow failed.
    #[error("{0}")]
    Internal(String),
}

impl LaneError {
    /// True if nobody knows what a sink wrote. A step that failed on a message leaves things in order.
    fn tears(&self) -> bool {
        !matches!(self, Self::Step(_) | Self::TooManyFailed(_) | Self::Undone)
    }
}

/// One lane.
pub(crate) struct Lane {
    source: Box<dyn Source>,
    nodes: Vec<Node>,
    state: State,
}

/// What a lane knows while it carries messages.
pub(crate) struct State {
    number: usize,
    live: Arc<Live>,
    shared: Arc<Shared>,
    /// What was written since the last cut.
    written: even::Written,
    trackers: BTreeMap<u32, Tracker>,
    progress: Progress,
    /// Absent where no message may become a dead letter.
    letters: Option<Letters>,
    told: Told,
    /// A step did not handle all of a batch, since it failed or the pipeline stops.
    short: bool,
}

impl Lane {
    /// `start`: how far an earlier run came.
    pub(crate) fn new(
        number: usize,
        source: Box<dyn Source>,
        nodes: Vec<Node>,
        shared: Arc<Shared>,
        start: Progress,
        letters: Option<Letters>,
    ) -> Self {
        let counts = vec![StepCounts::default(); shared.steps.len()];
        let progress = Progress { counts, ..start };
        let live = shared.live.get(number).map_or_else(|| Arc::new(Live::new(shared.steps.len())), Arc::clone);
        let written = even::Written::default();
        let trackers = BTreeMap::new();
        let told = Told::to(shared.observer.as_ref());
        let state = State { number, live, shared, written, trackers, progress, letters, told, short: false };
        let mut lane = Self { source, nodes, state };
        // A checkpoint may be taken before the lane has moved.
        lane.publish();
        lane
    }

    /// Carries messages until the source ends, someone asks to drain, or something fails.
    pub(crate) fn run(mut self) -> Result<(), LaneError> {
        let shared = Arc::clone(&self.state.shared);
        let _inside = host::lane(&shared.recorder, &self.state.live, self.state.number);
        let carried = self.carry_all();
        let _carrying = shared.carry();
        let closed = if carried.is_ok() { self.close() } else { Ok(()) };
        let closed = self.unless_undone(closed);
        // Also of a lane that failed: what comes before the failure is delivered.
        let closed = closed.and(self.wait_for_all(LAST_ACKNOWLEDGEMENT));
        // What a step left in the last batches is still to come.
        self.state.progress.ended &= !self.state.short;
        self.leave(&closed);
        self.state.told.count(&self.state.progress.counts);
        carried.and(closed)
    }

    fn carry_all(&mut self) -> Result<(), LaneError> {
        let shared = Arc::clone(&self.state.shared);
        while !self.state.progress.ended && !shared.drain.load(Ordering::Acquire) {
            let started = Instant::now();
            self.state.live.begin();
            self.state.enter(SOURCE, 0);
            let went = self.turn(started);
            self.unless_undone(went)?;
        }
        Ok(())
    }

    fn turn(&mut self, started: Instant) -> Result<(), LaneError> {
        let shared = Arc::clone(&self.state.shared);
        self.follow_changes()?;
        // Partitions that just came may be those of a new life, which nothing of the one before must be mixed with.
        self.state.same_life()?;
        let polled = self.poll()?;
        self.state.live.does(Activity::WaitsForCheckpoint);
        let carrying = shared.carry();
        self.state.live.does(Activity::Works);
        let went = self.carry(polled, started).and_then(|()| self.come_even());
        self.leave(&went);
        drop(carrying);
        went
    }

    /// Gives up partitions that went, and begins those that came.
    fn follow_changes(&mut self) -> Result<(), LaneError> {
        let Changes { revoked, assigned } = self.source.changes();
        if !revoked.is_empty() {
            self.finish_lists()?;
            self.wait_for_all(LAST_OF_A_PARTITION)?;
            // What is settled by now may still be committed.
            self.publish();
            for partition in &revoked {
                self.state.abandon(*partition);
            }
            self.source.released(&revoked);
        }
        for owned in assigned {
            // What was settled before it went is not this time's.
            self.state.progress.settled.remove(&owned.partition);
            self.state.progress.epochs.insert(owned.partition, owned.epoch);
            self.publish();
        }
        Ok(())
    }

    /// What the source gives. While too much is on its way to the sinks, that is waited for instead.
    fn poll(&mut self) -> Result<Polled, LaneError> {
        let limits = self.poll_limits();
        let live = Arc::clone(&self.state.live);
        if self.is_crowded() {
            live.does(Activity::WaitsForSinks);
            self.wait_for_one(limits.wait);
            return Ok(Polled::Idle);
        }
        live.does(if self.source.waits() { Activity::WaitsForInput } else { Activity::Reads });
        Ok(self.source.poll(&limits)?)
    }

    fn carry(&mut self, polled: Polled, started: Instant) -> Result<(), LaneError> {
        match polled {
            Polled::Read(mut read) => {
                let too_long = std::mem::take(&mut read.too_long);
                let batch = self.state.register(*read);
                self.state.told.begin(self.state.number, &batch);
                let went = flow::enter(&mut self.nodes, batch, &too_long, started, &mut self.state);
                self.state.told.end(&self.state.progress.counts, &went);
                went?;
            }
            Polled::Idle => {}
            Polled::Advance(time) => self.state.shared.clock.advance(time),
            Polled::End => self.state.progress.ended = true,
        }
        self.acknowledge()?;
        flow::expire(&mut self.nodes, &mut self.state)
    }

    /// Sends on what waits in open batches: all is read, or nobody will read on.
    fn close(&mut self) -> Result<(), LaneError> {
        if self.state.progress.ended || !self.state.shared.resumable {
            flow::close(&mut self.nodes, &mut self.state)?;
        }
        Ok(())
    }

    /// Shows how far the lane came, before a checkpoint may be taken again.
    fn leave(&mut self, went: &Result<(), LaneError>) {
        if went.as_ref().is_err_and(LaneError::tears) {
            self.state.shared.tear();
        }
        self.publish();
    }

    /// The limits of the configuration; an open batch of a batching step shortens the wait.
    fn poll_limits(&self) -> PollLimits {
        let limits = self.state.shared.limits;
        let now = self.state.shared.clock.now();
        let until = flow::deadline(&self.nodes).map_or(limits.wait, |deadline| deadline.saturating_sub(now));
        // All lanes would wait for one that sleeps on open lists.
        let until = if self.state.is_uneven() { until.min(ALERT) } else { until };
        PollLimits { wait: limits.wait.min(until), ..limits }
    }

    /// Commits what is safe and shows how far the lane came.
    fn publish(&mut self) {
        self.state.commit();
        self.state.live.show(&self.state.progress.counts);
        if let Some(progress) = self.state.shared.progress.get(self.state.number) {
            *progress.lock().unwrap_or_else(PoisonError::into_inner) = self.state.progress.clone();
        }
        self.state.leave_cut();
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.live.end();
        if let Some(cut) = &self.shared.cut {
            cut.end(self.number);
        }
    }
}

impl State {
    fn tear_by(&self, error: &LaneError) {
        if error.tears() {
            self.shared.tear();
        }
    }

    /// The lane has come to a step with so many messages.
    fn enter(&self, step: usize, messages: usize) {
        self.live.carry(messages);
        self.live.enter(step);
    }

    /// Gives messages their numbers, and times where the source knew none.
    fn register(&mut self, read: Read) -> Batch {
        let Read { meta, payloads, next, .. } = read;
        let sequences = meta
            .slots()
            .iter()
            .zip(&next)
            .map(|(partition, next)| self.trackers.entry(*partition).or_default().read(*next))
            .collect();
        let mut meta = self.stamp(meta).with_sequences(sequences);
        if self.letters.is_some() {
            meta = meta.kept_as_read(payloads.clone());
        }
        Batch::new(Arc::new(meta), Payloads::Bytes(payloads))
    }

    fn stamp(&self, meta: Meta) -> Meta {
        if !meta.timestamps().contains(&UNTIMED) {
            return meta;
        }
        let now = self.shared.clock.timestamp_us();
        let times = meta.timestamps().iter().map(|time| if *time == UNTIMED { now } else { *time }).collect();
        meta.with_timestamps(times)
    }

    fn count(&mut self, step: usize, messages_in: usize, messages_out: usize, time: Duration) {
        if let Some(counts) = self.progress.counts.get_mut(step) {
            counts.messages_in += messages_in as u64;
            counts.messages_out += messages_out as u64;
            counts.time += time;
            counts.waiting += take_waiting().min(time);
        }
    }

    fn commit(&mut self) {
        for (partition, tracker) in &mut self.trackers {
            if let Some(position) = tracker.commit() {
                self.progress.settled.insert(*partition, position);
            }
        }
        self.forget_letters();
    }

    /// Nothing of a partition is this lane's any more.
    fn abandon(&mut self, partition: u32) {
        self.trackers.entry(partition).or_default().abandon();
        if let Some(letters) = &mut self.letters {
            letters.bad.remove(&partition);
        }
    }

    /// Lets a message wait for one more output.
    fn hold(&mut self, partition: u32, sequence: u64) {
        if let Some(tracker) = self.trackers.get_mut(&partition) {
            tracker.hold(sequence, 1);
        }
    }

    /// The outputs of these messages are where they belong.
    fn settle(&mut self, meta: &Meta, rows: &[u32]) {
        for row in rows {
            self.fan_out(meta, *row, 0);
        }
    }

    /// The outputs of message `row` changed from one to `outputs`.
    fn fan_out(&mut self, meta: &Meta, row: u32, outputs: u32) {
        let trackers = &mut self.trackers;
        for message in meta.sources(row) {
            if let Some(tracker) = trackers.get_mut(&message.slot()) {
                match outputs {
                    0 => tracker.settle(message.sequence()),
                    _ => tracker.hold(message.sequence(), outputs - 1),
                }
            }
        }
    }
}
