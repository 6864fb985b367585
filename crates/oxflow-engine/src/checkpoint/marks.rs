//! How far a branch came, message by message of each partition.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The last message of a partition that passed a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// Its offset.
    pub offset: i64,
    /// How many of its outputs passed: a flat map may give several.
    pub rows: u32,
}

/// Marks by partition.
pub type Marks = BTreeMap<u32, Mark>;

/// Tells what passed a place in an earlier run from what is new, and notes what passes now.
#[derive(Clone, Debug, Default)]
pub struct Passed {
    /// Where an earlier run ended.
    before: Marks,
    /// Where this run is.
    now: Marks,
}

impl Passed {
    /// Goes on from where an earlier run ended.
    pub fn resume(before: Marks) -> Self {
        Self { now: before.clone(), before }
    }

    /// How far things are.
    pub fn marks(&self) -> &Marks {
        &self.now
    }

    /// Takes the partitions and offsets of rows in their order; gives for each whether it is new. The rows of one message
    /// come in one call.
    pub fn sift(&self, rows: impl Iterator<Item = (u32, i64)>) -> Vec<bool> {
        let mut count = 0;
        let mut last = None;
        let new = rows.map(|(partition, offset)| {
            count = if last == Some((partition, offset)) { count + 1 } else { 1 };
            last = Some((partition, offset));
            self.before.get(&partition).is_none_or(|mark| (offset, count) > (mark.offset, mark.rows))
        });
        new.collect()
    }

    /// Notes rows that passed, all of them new.
    pub fn note(&mut self, rows: impl Iterator<Item = (u32, i64)>) {
        for (partition, offset) in rows {
            let mark = self.now.entry(partition).or_insert(Mark { offset, rows: 0 });
            let before = if mark.offset == offset { mark.rows } else { 0 };
            *mark = Mark { offset, rows: before + 1 };
        }
    }
}

/// The furthest of the marks of several lanes, each of which knows only its own partitions to be up to date.
pub fn merge<'a>(lanes: impl IntoIterator<Item = &'a Marks>) -> Marks {
    let mut merged = Marks::new();
    for (partition, mark) in lanes.into_iter().flatten() {
        let furthest = merged.entry(*partition).or_insert(*mark);
        if (mark.offset, mark.rows) > (furthest.offset, furthest.rows) {
            *furthest = *mark;
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(expected: &[bool], before: &[(u32, i64, u32)], rows: &[(u32, i64)]) {
        let before = before.iter().map(|(partition, offset, rows)| (*partition, Mark { offset: *offset, rows: *rows }));
        assert_eq!(expected, Passed::resume(before.collect()).sift(rows.iter().copied()));
    }

    #[test]
    fn what_passed_before_is_old() {
        check(&[false, false, true], &[(0, 5, 1)], &[(0, 4), (0, 5), (0, 6)]);
    }

    #[test]
    fn some_outputs_of_a_message_may_have_passed() {
        check(&[false, false, true, true], &[(0, 5, 2)], &[(0, 5), (0, 5), (0, 5), (0, 6)]);
    }

    #[test]
    fn partitions_know_nothing_of_each_other() {
        check(&[true, false, true], &[(1, 5, 1)], &[(0, 1), (1, 5), (1, 6)]);
    }

    #[test]
    fn of_several_lanes_the_furthest_counts() {
        let marks = |offset, rows| Marks::from([(0, Mark { offset, rows })]);
        assert_eq!(marks(7, 1), merge([&marks(5, 9), &marks(7, 1), &marks(6, 2)]));
    }

    proptest! {
        /// Wherever a run ends, also between the outputs of one message, the next one lets pass exactly the rest.
        #[test]
        fn two_runs_let_each_row_pass_once(outputs in prop::collection::vec(0..4u32, 1..20), end in 0..60usize) {
            let rows: Vec<(u32, i64)> = (0i64..)
                .zip(&outputs)
                .flat_map(|(offset, count)| (0..*count).map(move |_| (0, offset)))
                .collect();
            let (done, _) = rows.split_at(end.min(rows.len()));
            let mut first = Passed::default();
            first.note(done.iter().copied());
            let again = Passed::resume(first.marks().clone()).sift(rows.iter().copied());
            let expected: Vec<bool> = (0..rows.len()).map(|row| row >= done.len()).collect();
            prop_assert_eq!(expected, again);
        }
    }
}
