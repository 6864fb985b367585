//! Keeps what a lane wrote together with what it read, where both become good together.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Cut, Lane, LaneError, State, flow};
use crate::batch::Meta;
use crate::commit::Tracker;

/// What a lane wrote since the last cut, and in which life.
#[derive(Debug, Default)]
pub(super) struct Written {
    life: u64,
    /// For each partition the latest message that an output was written of.
    latest: BTreeMap<u32, u64>,
}

impl Written {
    fn note(&mut self, slot: u32, sequence: u64) {
        let latest = self.latest.entry(slot).or_default();
        *latest = (*latest).max(sequence);
    }

    /// True if an output of a message is written while another one is still to come.
    fn is_uneven(&self, trackers: &BTreeMap<u32, Tracker>) -> bool {
        let is_open = |(partition, latest): (&u32, &u64)| {
            trackers.get(partition).is_some_and(|tracker| tracker.oldest() <= *latest)
        };
        self.latest.iter().any(is_open)
    }
}

impl State {
    /// An error if what the lane has in hand was undone.
    pub(super) fn same_life(&self) -> Result<(), LaneError> {
        let is_same = self.shared.cut.as_ref().is_none_or(|cut| cut.life() == self.written.life);
        if is_same { Ok(()) } else { Err(LaneError::Undone) }
    }

    /// Before the first output of a batch is written, and notes whose they are.
    pub(super) fn enter_cut(&mut self, meta: &Meta, rows: &[u32]) -> Result<(), LaneError> {
        let Some(cut) = &self.shared.cut else { return Ok(()) };
        if !cut.enter(self.number, self.written.life) {
            return Err(LaneError::Undone);
        }
        for message in rows.iter().flat_map(|row| meta.sources(*row)) {
            self.written.note(message.slot(), message.sequence());
        }
        Ok(())
    }

    /// All outputs of what the lane carried are written, and how far it came is shown.
    pub(super) fn leave_cut(&mut self) {
        if let Some(cut) = &self.shared.cut {
            cut.leave(self.number, self.written.life, self.is_uneven());
        }
    }

    /// True if an output of a message is written while another one is still to come.
    pub(super) fn is_uneven(&self) -> bool {
        self.written.is_uneven(&self.trackers)
    }
}

impl Lane {
    /// Ends open lists, where otherwise some branches would be further than others when what is written becomes good.
    pub(super) fn come_even(&mut self) -> Result<(), LaneError> {
        let is_wanted = self.state.shared.cut.as_ref().is_some_and(Cut::is_wanted);
        if is_wanted && self.state.is_uneven() { flow::close(&mut self.nodes, &mut self.state) } else { Ok(()) }
    }

    /// Ends open lists before partitions go: what of them is theirs would come again to somebody else.
    pub(super) fn finish_lists(&mut self) -> Result<(), LaneError> {
        if self.state.shared.cut.is_none() {
            return Ok(());
        }
        let shared = Arc::clone(&self.state.shared);
        let _carrying = shared.carry();
        flow::close(&mut self.nodes, &mut self.state)
    }

    /// What was undone is read again.
    pub(super) fn unless_undone(&mut self, went: Result<(), LaneError>) -> Result<(), LaneError> {
        if !matches!(went, Err(LaneError::Undone)) {
            return went;
        }
        self.forget();
        Ok(())
    }

    /// Begins a new life, with nothing in hand but partitions that came in it.
    fn forget(&mut self) {
        flow::forget(&mut self.nodes, &self.state);
        // Before the source is asked: what it keeps is of this life or a later one.
        let life = self.state.shared.cut.as_ref().map_or(0, Cut::life);
        let kept = self.source.reset();
        let partitions: Vec<u32> = self.state.trackers.keys().copied().collect();
        for partition in partitions {
            self.state.abandon(partition);
        }
        self.state.progress.settled.clear();
        self.state.progress.epochs = kept.into_iter().map(|owned| (owned.partition, owned.epoch)).collect();
        self.state.written = Written { life, latest: BTreeMap::new() };
        self.publish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commit::Position;

    /// A partition of which two messages were read.
    fn two_read() -> BTreeMap<u32, Tracker> {
        let mut tracker = Tracker::default();
        for next in 1..=2 {
            tracker.read(Position { next, offset: 0 });
        }
        BTreeMap::from([(0, tracker)])
    }

    fn settle(trackers: &mut BTreeMap<u32, Tracker>, sequence: u64) {
        trackers.get_mut(&0).expect("the partition").settle(sequence);
    }

    #[test]
    fn what_is_written_in_one_branch_and_waits_in_another_is_uneven() {
        let (mut trackers, mut written) = (two_read(), Written::default());
        assert!(!written.is_uneven(&trackers), "nothing is written");
        written.note(0, 0);
        assert!(written.is_uneven(&trackers));
        settle(&mut trackers, 0);
        assert!(!written.is_uneven(&trackers), "the second is read, but nothing of it is written");
    }

    #[test]
    fn who_overtakes_is_uneven() {
        let (mut trackers, mut written) = (two_read(), Written::default());
        written.note(0, 1);
        settle(&mut trackers, 1);
        assert!(written.is_uneven(&trackers), "the first is not settled, and the second would come again with it");
    }

    #[test]
    fn what_was_given_up_is_even() {
        let (mut trackers, mut written) = (two_read(), Written::default());
        written.note(0, 0);
        trackers.get_mut(&0).expect("the partition").abandon();
        assert!(!written.is_uneven(&trackers));
    }
}
