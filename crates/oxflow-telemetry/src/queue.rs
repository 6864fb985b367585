//! Records on their way to one sink. Who records never waits: what finds no room is counted and dropped.
//!
//! All numbers change under one lock, so that at any moment `made = delivered + dropped + queued`, where what is being sent is queued.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::batch::Batch;
use crate::fork::{self, Forgets, Held, Keeps};
use crate::scope::Scope;

/// How records are gathered before they are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// Most records that wait.
    pub queue_records: u64,
    /// Most memory that they take.
    pub queue_bytes: usize,
    /// Records that are sent together.
    pub batch_records: u64,
    /// Bytes that are sent together, unless one record alone has more.
    pub batch_bytes: usize,
    /// How long a record waits for others at most.
    pub delay: Duration,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self {
            queue_records: 16_384,
            queue_bytes: 16 << 20,
            batch_records: 2048,
            batch_bytes: 2 << 20,
            delay: Duration::from_secs(5),
        }
    }
}

/// What became of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All that were made: the sum of the others.
    pub made: u64,
    /// The other side has them.
    pub delivered: u64,
    /// They are lost.
    pub dropped: Dropped,
    /// They wait, or are being sent.
    pub queued: u64,
}

/// Why records are lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// The queue was full.
    pub full: u64,
    /// The other side refused them.
    pub refused: u64,
    /// The other side wasn't reached, or too busy, for too long.
    pub undelivered: u64,
    /// They were made after the end.
    pub late: u64,
}

impl Dropped {
    /// All of them.
    pub fn total(self) -> u64 {
        self.full + self.refused + self.undelivered + self.late
    }
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) delivered: u64,
    pub(crate) refused: u64,
    pub(crate) undelivered: u64,
}

/// What the worker is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Nothing.
    Nothing,
    /// There is a whole batch.
    Batch,
    /// Somebody waits until all is sent.
    Flush,
    /// The end has come.
    Stop,
}

#[derive(Debug)]
pub(crate) struct Queue {
    limits: BatchLimits,
    state: Mutex<State>,
    settled: Condvar,
}

#[derive(Debug, Default)]
struct State {
    open: Batch,
    closed: VecDeque<Batch>,
    counts: Counts,
    queued_bytes: usize,
    /// Records that ever got in, and of these the ones that are settled.
    entered: u64,
    left: u64,
    /// Somebody wants all to be sent.
    is_flush_wanted: bool,
    /// Rounds in which the worker sends all that there is: begun, and done.
    begun: u64,
    done: u64,
    stop: Option<Instant>,
    /// All that there was at the end is settled.
    is_over: bool,
    /// Wakes the worker; none while there is no worker.
    worker: Option<Arc<Notify>>,
    /// The worker was woken, and hasn't looked since.
    is_woken: bool,
}

impl Forgets for State {
    fn forget(&mut self) {
        *self = Self { stop: self.stop, ..Self::default() };
    }
}

impl Keeps for Queue {
    fn hold(&'static self) -> Box<dyn Held> {
        Box::new(self.lock())
    }
}

impl Queue {
    pub(crate) fn bounded(limits: BatchLimits) -> Self {
        Self { limits, state: Mutex::default(), settled: Condvar::new() }
    }

    pub(crate) fn limits(&self) -> &BatchLimits {
        &self.limits
    }

    /// Adds a record of this scope; returns whether there is no worker.
    pub(crate) fn push(&self, scope: &Arc<Scope>, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        let mut state = self.lock();
        let is_late = state.stop.is_some();
        if !state.admits(1, &self.limits, is_late) {
            return false;
        }
        let before = state.open.bytes();
        state.open.add(scope, 1, write);
        state.queued_bytes += state.open.bytes() - before;
        if state.open.records() >= self.limits.batch_records || state.open.bytes() >= self.limits.batch_bytes {
            state.close();
        } else if self.limits.delay.is_zero() {
            state.wake();
        }
        state.worker.is_none()
    }

    /// Adds records that are sent together, also the last ones at the end.
    pub(crate) fn push_batch(&self, batch: Batch) {
        let mut state = self.lock();
        if !batch.is_empty() && state.admits(batch.records(), &self.limits, false) {
            state.queued_bytes += batch.bytes();
            state.closed.push_back(batch);
            state.wake();
        }
    }

    /// Nobody takes records any more, until somebody is hired again.
    pub(crate) fn dismiss(&self) {
        self.lock().worker = None;
    }

    /// Whose task it is to take records from now on.
    pub(crate) fn hire(&self, worker: &Arc<Notify>) {
        self.lock().worker = Some(Arc::clone(worker));
    }

    /// What the worker is to do now.
    pub(crate) fn wish(&self) -> Wish {
        let mut state = self.lock();
        state.is_woken = false;
        let is_wanted = std::mem::take(&mut state.is_flush_wanted);
        if is_wanted || state.stop.is_some() {
            state.begun += 1;
        }
        match state.stop {
            Some(_) => Wish::Stop,
            None if is_wanted => Wish::Flush,
            None if !state.closed.is_empty() => Wish::Batch,
            // What is to be sent at once.
            None if self.limits.delay.is_zero() && !state.open.is_empty() => Wish::Batch,
            None => Wish::Nothing,
        }
    }

    /// Takes the oldest batch, or if there is no whole one and `all` is wanted, what there is. It stays counted as queued.
    pub(crate) fn take(&self, all: bool) -> Option<Batch> {
        let mut state = self.lock();
        let all = all || self.limits.delay.is_zero();
        let oldest = state.closed.pop_front();
        oldest.or_else(|| (all && !state.open.is_empty()).then(|| std::mem::take(&mut state.open)))
    }

    /// How many records ever got in, and how many of these are settled.
    pub(crate) fn progress(&self) -> (u64, u64) {
        let state = self.lock();
        (state.entered, state.left)
    }

    /// A round of [`Wish::Flush`] is done.
    pub(crate) fn round_done(&self) {
        let mut state = self.lock();
        state.done = state.begun;
        drop(state);
        self.settled.notify_all();
    }

    /// The round of [`Wish::Stop`] is done: there will be no other one.
    pub(crate) fn last_round_done(&self) {
        self.lock().is_over = true;
        self.round_done();
    }

    /// What became of a batch that was taken.
    pub(crate) fn settle(&self, bytes: usize, settled: Settled) {
        let mut state = self.lock();
        let all = settled.delivered + settled.refused + settled.undelivered;
        state.counts.delivered += settled.delivered;
        state.counts.dropped.refused += settled.refused;
        state.counts.dropped.undelivered += settled.undelivered;
        state.left += all;
        state.queued_bytes = state.queued_bytes.saturating_sub(bytes);
    }

    /// The time until which all must be sent, if the end has come.
    pub(crate) fn stop(&self) -> Option<Instant> {
        self.lock().stop
    }

    /// Asks for all that there is to be sent. Returns the round in which that is done, for `wait`.
    pub(crate) fn flush(&self) -> u64 {
        let mut state = self.lock();
        state.is_flush_wanted = true;
        state.wake();
        state.begun + 1
    }

    /// Nothing gets in any more; what is there has time until then.
    pub(crate) fn end(&self, until: Instant) -> u64 {
        let mut state = self.lock();
        state.stop = Some(until);
        state.wake();
        state.begun + 1
    }

    /// Waits until a round is done, or all are; whether it is.
    pub(crate) fn wait(&self, round: u64, until: Instant) -> bool {
        let mut state = self.lock();
        while state.done < round && !state.is_over {
            let patience = until.saturating_duration_since(Instant::now());
            if patience.is_zero() {
                return false;
            }
            state = self.settled.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    pub(crate) fn counts(&self) -> Counts {
        let state = self.lock();
        Counts { queued: state.entered - state.left, ..state.counts }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        fork::lock(&self.state)
    }
}

impl State {
    /// Counts records that were made, and says whether they have room.
    fn admits(&mut self, records: u64, limits: &BatchLimits, is_late: bool) -> bool {
        self.counts.made += records;
        let queued = self.entered - self.left;
        if is_late {
            self.counts.dropped.late += records;
        } else if queued > 0 && (queued + records > limits.queue_records || self.queued_bytes >= limits.queue_bytes) {
            self.counts.dropped.full += records;
        } else {
            self.entered += records;
            return true;
        }
        false
    }

    fn close(&mut self) {
        let batch = std::mem::take(&mut self.open);
        self.closed.push_back(batch);
        self.wake();
    }

    fn wake(&mut self) {
        if !self.is_woken
            && let Some(worker) = &self.worker
        {
            self.is_woken = true;
            worker.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use proptest::prelude::*;

    use super::*;

    fn queue(queue_records: u64, batch_records: u64) -> Queue {
        Queue::bounded(BatchLimits { queue_records, batch_records, ..BatchLimits::default() })
    }

    fn push(queue: &Queue, len: usize) {
        queue.push(&Arc::default(), |to| to.resize(to.len() + len, 0));
    }

    #[test]
    fn what_finds_no_room_is_dropped_and_counted() {
        let queue = queue(3, 2);
        (0..5).for_each(|_| push(&queue, 1));
        assert_eq!(
            Counts { made: 5, dropped: Dropped { full: 2, ..Dropped::default() }, queued: 3, delivered: 0 },
            queue.counts()
        );
        let batch = queue.take(false).expect("there is a whole one");
        assert_eq!((2, None), (batch.records(), queue.take(false).map(|_| ())));
        // What is being sent has its room still.
        push(&queue, 1);
        assert_eq!(3, queue.counts().dropped.full);
        queue.settle(batch.bytes(), Settled { delivered: 2, ..Settled::default() });
        push(&queue, 1);
        assert_eq!((3, 2), (queue.counts().dropped.full, queue.counts().queued));
    }

    #[test]
    fn memory_is_bounded_and_one_record_alone_finds_room() {
        let queue = Queue::bounded(BatchLimits { queue_bytes: 1000, ..BatchLimits::default() });
        push(&queue, 5000);
        push(&queue, 1);
        assert_eq!((1, 1), (queue.counts().queued, queue.counts().dropped.full));
    }

    #[test]
    fn who_waits_for_a_flush_is_woken_when_it_is_done() {
        let queue = queue(100, 10);
        push(&queue, 1);
        let round = queue.flush();
        assert_eq!(Wish::Flush, queue.wish());
        assert!(!queue.wait(round, Instant::now()));
        thread::scope(|scope| {
            scope.spawn(|| {
                let batch = queue.take(true).expect("there is one");
                queue.settle(batch.bytes(), Settled { refused: 1, ..Settled::default() });
                queue.round_done();
            });
            assert!(queue.wait(round, Instant::now() + Duration::from_secs(20)));
        });
        assert_eq!(Wish::Nothing, queue.wish());
    }

    #[test]
    fn nothing_gets_in_after_the_end() {
        let queue = queue(100, 10);
        queue.end(Instant::now());
        push(&queue, 1);
        assert_eq!((1, 0, 1), (queue.counts().made, queue.counts().queued, queue.counts().dropped.late));
    }

    #[test]
    fn after_the_last_round_nobody_waits() {
        let queue = queue(100, 10);
        queue.end(Instant::now());
        assert_eq!(Wish::Stop, queue.wish());
        queue.last_round_done();
        let round = queue.flush();
        assert!(queue.wait(round, Instant::now()));
    }

    proptest! {
        #[test]
        fn all_that_was_made_is_somewhere(moves in prop::collection::vec(0..6_u8, 1..200)) {
            let queue = queue(8, 3);
            let mut taken = Vec::new();
            for (index, what) in moves.into_iter().enumerate() {
                match what {
                    0..3 => push(&queue, index),
                    3 => taken.extend(queue.take(index % 2 == 0)),
                    _ => if let Some(batch) = taken.pop() {
                        let records = batch.records();
                        let refused = records.min(index as u64 % 3);
                        queue.settle(batch.bytes(), Settled { delivered: records - refused, refused, undelivered: 0 });
                    },
                }
                let counts = queue.counts();
                prop_assert_eq!(counts.made, counts.delivered + counts.dropped.total() + counts.queued);
                prop_assert!(counts.queued <= 8);
            }
        }
    }
}
