//! Decides up to where a partition is safe to commit.
//!
//! A message is settled when everything that came of it is: written by a sink, dropped by a filter, skipped after an
//! error. It waits for one output when it is read; a flat map or a broadcast adds to that, each end takes one away.
//! Messages settle in any order; commits only move forward and never pass an unsettled message.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Where reading of a partition goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// For the source: in a file the byte of its uncompressed content.
    pub next: u64,
    /// Offset that the next message has, or more: in a file the number of its line.
    pub offset: i64,
}

/// Messages of one partition that are read but not yet committed, oldest first.
///
/// One that waits long holds back the commit, not the memory: of messages in a row behind it that are settled, the last is
/// enough.
#[derive(Debug, Default)]
pub struct Tracker {
    /// Sequence number of the oldest open message.
    first: u64,
    /// Sequence number that the next message gets.
    next: u64,
    open: VecDeque<Open>,
    /// So many of them are looked through for settled ones in a row.
    crowded: usize,
    /// Where reading would go on if the partition were committed now.
    safe: Option<Position>,
    /// What [`Tracker::commit`] last gave.
    committed: Option<Position>,
}

/// Fewer open messages are not worth looking through; in tests they are, so that it happens in them.
const CROWD: usize = if cfg!(test) { 4 } else { 1024 };

#[derive(Debug)]
struct Open {
    sequence: u64,
    /// Where reading goes on after this message. Positions ascend but may skip, so reading order decides.
    next: Position,
    /// Outputs that have not come to their end.
    waiting: u32,
}

impl Tracker {
    /// Registers the next message; `next` is where reading goes on after it. Returns its sequence number.
    pub fn read(&mut self, next: Position) -> u64 {
        let sequence = self.next;
        self.next += 1;
        if self.open.len() >= self.crowded.max(CROWD) {
            self.let_go();
        }
        self.open.push_back(Open { sequence, next, waiting: 1 });
        sequence
    }

    /// Lets a message wait for `more` further outputs.
    pub fn hold(&mut self, sequence: u64, more: u32) {
        if let Some(open) = self.find(sequence) {
            open.waiting += more;
        }
    }

    /// One output of a message has come to its end.
    pub fn settle(&mut self, sequence: u64) {
        if let Some(open) = self.find(sequence) {
            open.waiting = open.waiting.saturating_sub(1);
        }
        while let Some(oldest) = self.open.front().filter(|oldest| oldest.waiting == 0) {
            self.safe = Some(oldest.next);
            self.first = oldest.sequence + 1;
            self.open.pop_front();
        }
    }

    /// Forgets all messages that were read: the partition belongs to somebody else, or is read anew. What becomes of their
    /// outputs settles nothing any more.
    pub fn abandon(&mut self) {
        self.open.clear();
        self.first = self.next;
        (self.safe, self.committed) = (None, None);
    }

    /// Where reading would go on, if that moved since the last call.
    pub fn commit(&mut self) -> Option<Position> {
        let moved = self.safe.filter(|_| self.safe != self.committed);
        self.committed = self.safe;
        moved
    }

    /// Sequence number of the oldest message that is not settled.
    pub fn oldest(&self) -> u64 {
        self.first
    }

    /// The number of messages that are not settled, or wait for one that isn't.
    pub fn in_flight(&self) -> u64 {
        self.next - self.first
    }

    fn find(&mut self, sequence: u64) -> Option<&mut Open> {
        let index = usize::try_from(sequence.checked_sub(self.first)?).ok()?;
        // Where it is as long as nothing before it was let go.
        if self.open.get(index).is_some_and(|open| open.sequence == sequence) {
            return self.open.get_mut(index);
        }
        let index = self.open.binary_search_by_key(&sequence, |open| open.sequence).ok()?;
        self.open.get_mut(index)
    }

    /// Lets go of settled messages before settled messages. Each time when there are twice as many as the last time left,
    /// so that it costs little a message.
    fn let_go(&mut self) {
        for open in std::mem::take(&mut self.open) {
            match self.open.back_mut() {
                Some(last) if last.waiting == 0 && open.waiting == 0 => *last = open,
                _ => self.open.push_back(open),
            }
        }
        self.crowded = self.open.len() * 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(next: u64) -> Position {
        Position { next, offset: 0 }
    }

    /// Reads messages with the given next positions, settles them by index, and compares what may be committed each time.
    #[track_caller]
    fn check(expected: &[Option<u64>], next: &[u64], settle: &[usize]) {
        let mut tracker = Tracker::default();
        let sequences: Vec<u64> = next.iter().map(|next| tracker.read(at(*next))).collect();
        let commits: Vec<Option<u64>> = settle
            .iter()
            .map(|index| {
                tracker.settle(sequences[*index]);
                tracker.commit().map(|position| position.next)
            })
            .collect();
        assert_eq!(expected, commits);
    }

    #[test]
    fn commits_wait_for_the_oldest_open_message() {
        check(&[None, Some(6), Some(8)], &[6, 7, 8], &[2, 0, 1]);
    }

    #[test]
    fn gaps_do_not_stall_commits() {
        check(&[Some(6), Some(10)], &[6, 10], &[0, 1]);
    }

    #[test]
    fn settling_twice_moves_nothing() {
        check(&[Some(6), None, Some(7)], &[6, 7], &[0, 0, 1]);
    }

    #[test]
    fn a_message_waits_for_each_of_its_outputs() {
        let mut tracker = Tracker::default();
        let sequence = tracker.read(at(1));
        tracker.hold(sequence, 1);
        tracker.settle(sequence);
        assert_eq!(None, tracker.commit());
        tracker.settle(sequence);
        assert_eq!(Some(at(1)), tracker.commit());
    }

    #[test]
    fn nothing_is_committed_before_something_settles() {
        let mut tracker = Tracker::default();
        tracker.read(at(1));
        assert_eq!(None, tracker.commit());
        assert_eq!(1, tracker.in_flight());
    }

    #[test]
    fn a_message_that_waits_long_keeps_only_the_commit() {
        let mut tracker = Tracker::default();
        let oldest = tracker.read(at(1));
        for next in 2..=1000 {
            let sequence = tracker.read(at(next));
            tracker.settle(sequence);
            assert!(tracker.open.len() <= CROWD, "{} are open", tracker.open.len());
        }
        assert_eq!((None, 1000), (tracker.commit(), tracker.in_flight()));
        tracker.settle(oldest);
        assert_eq!((Some(at(1000)), 0), (tracker.commit(), tracker.in_flight()));
    }

    #[test]
    fn what_was_abandoned_settles_nothing_that_is_read_later() {
        let mut tracker = Tracker::default();
        let (old, also_old) = (tracker.read(at(1)), tracker.read(at(2)));
        tracker.settle(old);
        tracker.abandon();
        let new = tracker.read(at(1));
        tracker.read(at(2));
        tracker.settle(old);
        tracker.settle(also_old);
        assert_eq!((None, 2), (tracker.commit(), tracker.in_flight()));
        tracker.settle(new);
        assert_eq!(Some(at(1)), tracker.commit());
    }

    proptest! {
        #[test]
        fn the_commit_is_the_end_of_the_settled_prefix(order in Just((0..40usize).collect::<Vec<_>>()).prop_shuffle()) {
            let mut tracker = Tracker::default();
            let sequences: Vec<u64> = (1..=40).map(|next| tracker.read(at(next * 10))).collect();
            let mut settled = [false; 40];
            let mut committed = 0;
            for index in order {
                tracker.settle(sequences[index]);
                settled[index] = true;
                let prefix = settled.iter().take_while(|done| **done).count() as u64;
                committed = tracker.commit().map_or(committed, |position| position.next);
                prop_assert_eq!(prefix * 10, committed);
            }
        }
    }
}
