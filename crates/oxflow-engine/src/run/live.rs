//! What a lane shows of itself while it is inside a batch.
//!
//! A lane tells how far it came when a batch is through. That may take minutes, and whoever looks on meanwhile wants to see
//! the step that takes them. So a lane marks each step that it enters, with as many messages as it carries there, and shows
//! its counters from time to time. For a message that is a store or two.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::StepCounts;

/// How often the counters are shown.
const SHOWN_EVERY: Duration = Duration::from_millis(100);
/// The lane is in no step.
const NOWHERE: usize = usize::MAX;

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
    fn waiting_is_taken_once() {
        add_waiting(Duration::from_secs(1));
        add_waiting(Duration::from_secs(2));
        assert_eq!([3, 0], [(); 2].map(|()| take_waiting().as_secs()));
    }
}
