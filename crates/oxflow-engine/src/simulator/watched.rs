//! The state machines under test, each beside a model that remembers everything and decides by counting.
//!
//! What a machine decides is compared with its model at once, so that a fault is found where it happens and not in what it
//! leads to.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::commit::{Position, Tracker};
use crate::limits::{BadMessages, Breach, Limits as BadLimits};
use crate::plan::Limits;
use crate::window::Window;

/// The tracker of one partition; the model keeps what every message waits for.
#[derive(Default)]
pub(super) struct Commits {
    tracker: Tracker,
    messages: Vec<(Position, u32)>,
    /// Messages before what was committed last.
    committed: usize,
}

impl Commits {
    pub(super) fn read(&mut self, next: Position) -> u64 {
        let sequence = self.tracker.read(next);
        assert_eq!(self.messages.len() as u64, sequence, "messages are numbered in the order of reading");
        self.messages.push((next, 1));
        sequence
    }

    pub(super) fn hold(&mut self, sequence: u64, more: u32) {
        self.tracker.hold(sequence, more);
        self.message(sequence).1 += more;
    }

    pub(super) fn settle(&mut self, sequence: u64) {
        self.tracker.settle(sequence);
        let (_, waiting) = self.message(sequence);
        assert_ne!(0, *waiting, "message {sequence} settles more often than it has outputs");
        *waiting -= 1;
    }

    pub(super) fn commit(&mut self) -> Option<Position> {
        let settled = self.settled();
        let last = self.messages[..settled].last().filter(|_| settled != self.committed);
        let expected = last.map(|(next, _)| *next);
        self.committed = settled;
        let commit = self.tracker.commit();
        assert_eq!(expected, commit, "the commit is not the end of what is settled");
        assert_eq!((self.messages.len() - settled) as u64, self.tracker.in_flight(), "messages in flight");
        assert_eq!(settled as u64, self.tracker.oldest(), "the oldest message that is not settled");
        commit
    }

    /// How many messages from the first on are settled.
    pub(super) fn settled(&self) -> usize {
        self.messages.iter().take_while(|(_, waiting)| *waiting == 0).count()
    }

    fn message(&mut self, sequence: u64) -> &mut (Position, u32) {
        &mut self.messages[usize::try_from(sequence).unwrap()]
    }
}

/// The failures of one partition; the model lets go of nothing.
pub(super) struct Failures {
    bad: BadMessages,
    limits: BadLimits,
    /// Messages that failed, each with whether it is the first of those that failed together.
    failed: BTreeMap<u64, bool>,
}

impl Failures {
    pub(super) fn new(limits: BadLimits) -> Self {
        Self { bad: BadMessages::new(limits), limits, failed: BTreeMap::new() }
    }

    pub(super) fn fail(&mut self, sequences: &[u64]) -> Option<Breach> {
        let new: Vec<u64> = sequences.iter().copied().filter(|sequence| !self.failed.contains_key(sequence)).collect();
        for (index, sequence) in new.iter().enumerate() {
            self.failed.insert(*sequence, index == 0);
        }
        let breach = self.bad.fail(sequences);
        assert_eq!(self.breach(&new), breach, "{sequences:?} failed, after them {:?}", self.failed);
        breach
    }

    pub(super) fn settled(&mut self, before: usize) {
        self.bad.settled(before as u64);
    }

    fn breach(&self, new: &[u64]) -> Option<Breach> {
        let (last, _) = self.failed.last_key_value().filter(|_| !new.is_empty())?;
        let bad = new.iter().map(|sequence| self.row(*sequence)).max().unwrap_or(0);
        if bad >= self.limits.in_a_row {
            return Some(Breach::InARow { bad });
        }
        let (bad, messages) = (self.failed.len() as u64, last + 1);
        let over = bad * 100 > messages * u64::from(self.limits.percent);
        (messages >= self.limits.after && over).then_some(Breach::Share { bad, messages })
    }

    /// Failures around a message, without a message between them that did not fail.
    fn row(&self, sequence: u64) -> u32 {
        let after = (sequence..).map_while(|place| self.failed.get(&place));
        let before = (0..sequence).rev().map_while(|place| self.failed.get(&place));
        after.chain(before).map(|begins| u32::from(*begins)).sum()
    }
}

/// The window of a batching step; the model keeps the messages of the open batch.
pub(super) struct Lists {
    window: Window,
    limits: Limits,
    open: Vec<(Duration, u64)>,
}

impl Lists {
    pub(super) fn new(limits: Limits) -> Self {
        Self { window: Window::new(limits), limits, open: Vec::new() }
    }

    pub(super) fn add(&mut self, size: u64, now: Duration) -> bool {
        self.open.push((now, size));
        let (messages, bytes) = (self.open.len() as u64, self.open.iter().map(|(_, size)| size).sum::<u64>());
        let full = self.limits.messages.is_some_and(|limit| messages >= limit)
            || self.limits.bytes.is_some_and(|limit| bytes >= limit);
        self.closes(full, |window| window.add(size, now), now)
    }

    pub(super) fn expire(&mut self, now: Duration) -> bool {
        let late = self.deadline().is_some_and(|deadline| deadline <= now);
        self.closes(late, |window| window.expire(now), now)
    }

    fn closes(&mut self, expected: bool, ask: impl FnOnce(&mut Window) -> bool, now: Duration) -> bool {
        let closed = ask(&mut self.window);
        assert_eq!(expected, closed, "at {now:?} with {:?} open and {:?}", self.open, self.limits);
        if closed {
            self.open.clear();
        }
        assert_eq!(self.deadline(), self.window.deadline(), "deadline with {:?} open", self.open);
        closed
    }

    fn deadline(&self) -> Option<Duration> {
        let (first, _) = self.open.first()?;
        Some(*first + Duration::from_millis(self.limits.time_ms?))
    }
}
