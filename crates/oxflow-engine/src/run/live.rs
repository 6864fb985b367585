//! What a lane shows of itself while it is inside a batch.
//!
//! A lane tells how far it came when a batch is through. That may take minutes, and whoever looks on meanwhile wants to see
//! the step that takes them. So a lane marks each step that it enters, with as many messages as it carries there, and shows
//! its counters from time to time. For a message that is a store or two.

use std::cell::Cell;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::StepCounts;

/// How often the counters are shown.
const SHOWN_EVERY: Duration = Duration::from_millis(100);
/// The lane is in no step.
const NOWHERE: usize = usize::MAX;

/// What a lane does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Activity {
    /// It carries messages through a step.
    Works,
    /// It waits until its source has something.
    WaitsForInput,
    /// It reads what its source has: a disk that doesn't answer is no empty source.
    Reads,
    /// So much is on its way to the sinks that it waits for these.
    WaitsForSinks,
    /// A checkpoint is taken.
    WaitsForCheckpoint,
    /// Another thread holds the interpreter that its next step needs.
    WaitsForInterpreter,
    /// Nothing any more.
    Ended,
}

/// What one lane shows.
#[derive(Debug)]
pub struct Live {
    started: Instant,
    /// When the counters were shown last, in microseconds since `started`.
    shown: AtomicU64,
    counts: Mutex<Vec<StepCounts>>,
    /// The step that the lane is in.
    step: AtomicUsize,
    /// How many steps it has entered, and batches begun. Only the lane's own thread counts.
    visits: AtomicU64,
    batches: AtomicU64,
    /// The messages that it carries there.
    carried: AtomicUsize,
    activity: AtomicU8,
    /// Where the message was read that is in the step, or the first of several.
    slot: AtomicU32,
    offset: AtomicI64,
    /// Batches on their way to the sinks, and batches that have arrived.
    under_way: AtomicUsize,
    arrived: AtomicU64,
    /// For each step the messages that wait in it for others.
    held: Vec<AtomicUsize>,
}

impl Live {
    /// A lane that has not started, in a pipeline of so many steps.
    pub fn new(steps: usize) -> Self {
        Self {
            started: Instant::now(),
            shown: AtomicU64::new(0),
            counts: Mutex::new(vec![StepCounts::default(); steps]),
            step: AtomicUsize::new(NOWHERE),
            visits: AtomicU64::new(0),
            batches: AtomicU64::new(0),
            carried: AtomicUsize::new(0),
            activity: AtomicU8::new(Activity::Works as u8),
            slot: AtomicU32::new(u32::MAX),
            offset: AtomicI64::new(0),
            under_way: AtomicUsize::new(0),
            arrived: AtomicU64::new(0),
            held: (0..steps).map(|_| AtomicUsize::new(0)).collect(),
        }
    }

    /// The lane has come to a step.
    pub fn enter(&self, step: usize) {
        self.step.store(step, Ordering::Relaxed);
        self.visits.store(self.visit() + 1, Ordering::Relaxed);
    }

    /// The lane begins a batch.
    pub fn begin(&self) {
        self.batches.store(self.batch() + 1, Ordering::Relaxed);
    }

    /// The lane can't begin its step without the interpreter.
    pub fn waits_for_interpreter(&self) {
        self.does(Activity::WaitsForInterpreter);
    }

    /// It has what it waited for.
    pub fn works(&self) {
        self.does(Activity::Works);
    }

    /// What the lane does from now on.
    pub(crate) fn does(&self, activity: Activity) {
        self.activity.store(activity as u8, Ordering::Relaxed);
    }

    /// What the lane does.
    pub(crate) fn activity(&self) -> Activity {
        use Activity::{Ended, Reads, WaitsForCheckpoint, WaitsForInput, WaitsForInterpreter, WaitsForSinks, Works};
        let number = self.activity.load(Ordering::Relaxed);
        let all = [Works, WaitsForInput, Reads, WaitsForSinks, WaitsForCheckpoint, WaitsForInterpreter, Ended];
        all.into_iter().find(|activity| *activity as u8 == number).unwrap_or(Works)
    }

    /// The step is given a message that was read there, or several of which this is the first.
    pub fn at(&self, slot: u32, offset: i64) {
        self.slot.store(slot, Ordering::Relaxed);
        self.offset.store(offset, Ordering::Relaxed);
    }

    /// What the partition of the message that is in the step is kept by, and its offset.
    pub(crate) fn message(&self) -> Option<(u32, i64)> {
        let slot = self.slot.load(Ordering::Relaxed);
        (slot != u32::MAX).then(|| (slot, self.offset.load(Ordering::Relaxed)))
    }

    /// So many batches are on their way to the sinks.
    pub(crate) fn sends(&self, batches: usize) {
        self.under_way.store(batches, Ordering::Relaxed);
    }

    /// How many batches are on their way to the sinks.
    pub(crate) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    /// A batch has come to where it belongs.
    pub(crate) fn arrives(&self) {
        self.arrived.store(self.arrived.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// A number that is another one whenever a message has come further. To look for input, again and again, moves nothing.
    pub(crate) fn movement(&self) -> u64 {
        // A batch begins with a visit to the source.
        let steps = self.visit().wrapping_sub(self.batch());
        steps.wrapping_add(self.arrived.load(Ordering::Relaxed))
    }

    /// The step that the lane is in.
    pub(crate) fn step(&self) -> Option<usize> {
        Some(self.step.load(Ordering::Relaxed)).filter(|step| *step != NOWHERE)
    }

    /// The number of its visit to that step: each one has another.
    pub(crate) fn visit(&self) -> u64 {
        self.visits.load(Ordering::Relaxed)
    }

    /// The number of the batch that it is in.
    pub(crate) fn batch(&self) -> u64 {
        self.batches.load(Ordering::Relaxed)
    }

    /// The lane carries so many messages on its way through the next steps.
    pub fn carry(&self, messages: usize) {
        self.carried.store(messages, Ordering::Relaxed);
    }

    /// So many messages wait in a step.
    pub fn hold(&self, step: usize, messages: usize) {
        if let Some(held) = self.held.get(step) {
            held.store(messages, Ordering::Relaxed);
        }
    }

    /// The lane has ended.
    pub fn end(&self) {
        self.enter(NOWHERE);
        self.does(Activity::Ended);
        self.sends(0);
        self.held.iter().for_each(|held| held.store(0, Ordering::Relaxed));
    }

    /// Shows the counters.
    pub fn show(&self, counts: &[StepCounts]) {
        let mut shown = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        shown.clear();
        shown.extend_from_slice(counts);
    }

    /// Shows the counters if that is some time ago.
    pub(super) fn show_at(&self, now: Instant, counts: &[StepCounts]) {
        let now = u64::try_from(now.duration_since(self.started).as_micros()).unwrap_or(u64::MAX);
        let shown = Duration::from_micros(now.saturating_sub(self.shown.load(Ordering::Relaxed)));
        // Where a step asks another one nothing is counted.
        if shown >= SHOWN_EVERY && !counts.is_empty() {
            self.shown.store(now, Ordering::Relaxed);
            self.show(counts);
        }
    }

    /// The counters, as they were shown last.
    pub fn counts(&self) -> Vec<StepCounts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// True if the lane is in this step.
    pub fn is_in(&self, step: usize) -> bool {
        self.step.load(Ordering::Relaxed) == step
    }

    /// The messages that are in a step at this moment.
    pub fn in_flight(&self, step: usize) -> usize {
        let carried = if self.is_in(step) { self.carried.load(Ordering::Relaxed) } else { 0 };
        carried + self.held.get(step).map_or(0, |held| held.load(Ordering::Relaxed))
    }
}

thread_local! {
    /// A payload of another language waits for its runtime wherever it is copied or dropped, far from any counter.
    static WAITED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// This thread waited for the runtime of the other language.
pub fn add_waiting(time: Duration) {
    WAITED.set(WAITED.get() + time);
}

/// How long this thread waited since this was asked last.
pub(crate) fn take_waiting() -> Duration {
    WAITED.take()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_lane_carries_is_where_the_lane_is() {
        let live = Live::new(3);
        live.carry(7);
        assert_eq!([0, 0, 0], [0, 1, 2].map(|step| live.in_flight(step)));
        live.enter(1);
        live.hold(1, 2);
        live.hold(2, 5);
        assert_eq!([0, 9, 5], [0, 1, 2].map(|step| live.in_flight(step)));
        live.end();
        assert_eq!([0, 0, 0], [0, 1, 2].map(|step| live.in_flight(step)));
    }

    #[test]
    fn counters_are_shown_from_time_to_time() {
        let live = Live::new(1);
        let counts = |messages_in| [StepCounts { messages_in, ..StepCounts::default() }];
        live.show_at(live.started + SHOWN_EVERY / 2, &counts(1));
        assert_eq!(counts(0).to_vec(), live.counts());
        live.show_at(live.started + SHOWN_EVERY, &counts(2));
        assert_eq!(counts(2).to_vec(), live.counts());
        live.show_at(live.started + SHOWN_EVERY, &counts(3));
        assert_eq!(counts(2).to_vec(), live.counts());
    }

    #[test]
    fn to_look_for_input_moves_nothing() {
        let live = Live::new(2);
        let look = || {
            live.begin();
            live.enter(0);
        };
        look();
        let before = live.movement();
        look();
        assert_eq!(before, live.movement());
        live.enter(1);
        assert_ne!(before, live.movement());
        let before = live.movement();
        live.arrives();
        assert_ne!(before, live.movement());
    }

    #[test]
    fn waiting_is_taken_once() {
        add_waiting(Duration::from_secs(1));
        add_waiting(Duration::from_secs(2));
        assert_eq!([3, 0], [(); 2].map(|()| take_waiting().as_secs()));
    }
}
