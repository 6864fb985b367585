//! Decides when so many messages of a partition have failed that the run has to stop.
//!
//! Dead letters are for the odd bad message. After a bad deploy every message is bad, and a run that went on would drain
//! its source into the dead letters. Two limits, after those of arroyo, tell the one from the other: the share of bad
//! messages once there are enough of them to tell, and bad messages in a row.

use std::collections::BTreeMap;

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bad messages of a hundred.
    pub percent: u32,
    /// The share counts from this many messages on.
    pub after: u64,
    /// So many bad messages in a row are too many.
    pub in_a_row: u32,
}

/// A limit that was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breach {
    /// More than the allowed share of the messages is bad.
    Share {
        /// Bad messages.
        bad: u64,
        /// Of so many.
        messages: u64,
    },
    /// Too many bad messages followed each other.
    InARow {
        /// How many.
        bad: u32,
    },
}

/// The bad messages of one partition, by their sequence numbers, which ascend by one from message to message.
#[derive(Debug)]
pub struct BadMessages {
    limits: Limits,
    count: u64,
    /// Messages up to the last bad one.
    messages: u64,
    /// Bad messages without a good one between them: first sequence number -> the row. Messages fail in any order, since one
    /// fails in an early step and the one before it in a late one.
    rows: BTreeMap<u64, Row>,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    /// One past the last message.
    end: u64,
    /// How often something failed in it: a list that fails as a whole failed once, however many messages it holds.
    failures: u32,
}

impl BadMessages {
    /// None yet.
    pub fn new(limits: Limits) -> Self {
        Self { limits, count: 0, messages: 0, rows: BTreeMap::new() }
    }

    /// Takes the messages that failed together, ascending; one that failed before counts no more. Gives the limit that is
    /// reached by it.
    pub fn fail(&mut self, sequences: &[u64]) -> Option<Breach> {
        let new: Vec<u64> = sequences.iter().copied().filter(|sequence| !self.holds(*sequence)).collect();
        for (index, sequence) in new.iter().enumerate() {
            self.add(*sequence, u32::from(index == 0));
        }
        let last = *new.last()?;
        self.count += new.len() as u64;
        self.messages = self.messages.max(last + 1);
        self.breach(&new)
    }

    /// All messages before `sequence` are settled: what was bad among them is only counted.
    pub fn settled(&mut self, sequence: u64) {
        self.rows.retain(|_, row| row.end >= sequence);
    }

    fn holds(&self, sequence: u64) -> bool {
        self.rows.range(..=sequence).next_back().is_some_and(|(_, row)| sequence < row.end)
    }

    /// Adds a message to the rows that it touches.
    fn add(&mut self, sequence: u64, failures: u32) {
        let after = self.rows.remove(&(sequence + 1)).unwrap_or(Row { end: sequence + 1, failures: 0 });
        let joined = after.failures + failures;
        match self.rows.range_mut(..sequence).next_back().filter(|(_, row)| row.end == sequence) {
            Some((_, before)) => *before = Row { end: after.end, failures: before.failures + joined },
            None => drop(self.rows.insert(sequence, Row { end: after.end, failures: joined })),
        }
    }

    fn breach(&self, new: &[u64]) -> Option<Breach> {
        let row = |sequence: &u64| self.rows.range(..=*sequence).next_back().map_or(0, |(_, row)| row.failures);
        let bad = new.iter().map(row).max().unwrap_or_default();
        if bad >= self.limits.in_a_row {
            return Some(Breach::InARow { bad });
        }
        let (bad, messages) = (self.count, self.messages);
        let over = messages >= self.limits.after && bad * 100 > messages * u64::from(self.limits.percent);
        over.then_some(Breach::Share { bad, messages })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: Limits = Limits { percent: 10, after: 20, in_a_row: 3 };

    #[track_caller]
    fn check(expected: Option<Breach>, bad: &[&[u64]]) {
        let mut messages = BadMessages::new(LIMITS);
        let breaches: Vec<_> = bad.iter().map(|together| messages.fail(together)).collect();
        let (last, before) = breaches.split_last().unwrap();
        assert!(before.iter().all(Option::is_none), "{breaches:?}");
        assert_eq!(expected, *last);
    }

    #[test]
    fn a_good_message_breaks_the_row() {
        check(None, &[&[0], &[1], &[3], &[4]]);
    }

    #[test]
    fn the_last_of_a_row_reaches_the_limit_in_whatever_order_they_fail() {
        check(Some(Breach::InARow { bad: 3 }), &[&[5], &[7], &[6]]);
    }

    #[test]
    fn the_share_counts_once_there_are_enough_messages() {
        check(None, &[&[0], &[2], &[18]]);
        check(Some(Breach::Share { bad: 3, messages: 20 }), &[&[0], &[2], &[19]]);
    }

    #[test]
    fn exactly_the_share_is_allowed() {
        check(None, &[&[0], &[19]]);
    }

    #[test]
    fn a_message_that_fails_in_two_branches_is_one_bad_message() {
        check(None, &[&[0], &[1], &[1]]);
    }

    #[test]
    fn a_list_that_fails_is_one_failure_of_many_messages() {
        check(None, &[&[0, 1, 2, 3, 4], &[5, 6, 7]]);
        check(None, &[&[0, 2, 4, 6], &[1, 3, 5, 7]]);
        check(Some(Breach::Share { bad: 3, messages: 25 }), &[&[22, 23, 24]]);
    }

    proptest! {
        /// Letting go of what is settled changes nothing of what is decided.
        #[test]
        fn settled_messages_need_not_be_kept(bad in prop::collection::vec(any::<bool>(), 1..60)) {
            let (mut whole, mut kept) = (BadMessages::new(LIMITS), BadMessages::new(LIMITS));
            for (sequence, _) in (0u64..).zip(bad).filter(|(_, bad)| *bad) {
                prop_assert_eq!(whole.fail(&[sequence]), kept.fail(&[sequence]));
                kept.settled(sequence + 1);
                prop_assert!(kept.rows.len() <= 1);
            }
        }
    }
}
