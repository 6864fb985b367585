//! Where all lanes stand still for a moment, so that what they wrote belongs to what they read.
//!
//! A lane **writes** from the first output of a batch until all outputs of that batch are written; before, while steps are at it,
//! nothing is half done, however long they take. It is **uneven** while an output of a message is written and another one is
//! still to come, as where one branch waits in an open batch. A cut is possible when no lane writes and none is uneven.
//!
//! What was written since the last cut may have to be undone. Then a new **life** begins: lanes forget what they had in hand
//! in the one before, and write nothing of it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Lets lanes write, and stand still.
#[derive(Debug)]
pub(crate) struct Cut {
    state: Mutex<State>,
    changed: Condvar,
}

/// What decides.
#[derive(Debug)]
struct State {
    wanted: bool,
    life: u64,
    lanes: Vec<Lane>,
}

#[derive(Clone, Debug, Default)]
struct Lane {
    writes: bool,
    is_uneven: bool,
    ended: bool,
}

/// How the lanes stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stand {
    /// All that was written belongs to all that is settled.
    Even,
    /// A lane came to its end amid the outputs of a message: what was written can only be undone.
    Uneven,
    /// A lane is still at it.
    Busy,
}

impl State {
    /// Whether a lane may begin to write. One that is uneven has to, or there would never be a cut.
    fn may_write(&self, lane: usize) -> bool {
        !self.wanted || self.lanes.get(lane).is_none_or(|lane| lane.writes || lane.is_uneven)
    }

    fn stand(&self) -> Stand {
        let is_busy = |lane: &Lane| !lane.ended && (lane.writes || lane.is_uneven);
        if self.lanes.iter().any(is_busy) {
            return Stand::Busy;
        }
        if self.lanes.iter().any(|lane| lane.is_uneven || lane.writes) { Stand::Uneven } else { Stand::Even }
    }

    fn begin_life(&mut self) {
        self.life += 1;
        for lane in &mut self.lanes {
            *lane = Lane { ended: lane.ended, ..Lane::default() };
        }
    }
}

impl Cut {
    pub(crate) fn new(lanes: usize) -> Self {
        let state = State { wanted: false, life: 0, lanes: vec![Lane::default(); lanes] };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, timeout: Duration, until: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let waited = self.changed.wait_timeout_while(self.state(), timeout, |state| !until(state));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    // --- for the lanes ---

    pub(crate) fn life(&self) -> u64 {
        self.state().life
    }

    /// True if all are to come to an even stand.
    pub(crate) fn is_wanted(&self) -> bool {
        self.state().wanted
    }

    /// A lane begins to write, when it may; false if what it has belongs to a life that is over.
    pub(crate) fn enter(&self, lane: usize, life: u64) -> bool {
        let mut state = self.wait(Duration::MAX, |state| state.may_write(lane));
        if state.life != life {
            return false;
        }
        if let Some(lane) = state.lanes.get_mut(lane) {
            lane.writes = true;
        }
        true
    }

    /// A lane has written all outputs of what it carried, and shown how far it came.
    pub(crate) fn leave(&self, lane: usize, life: u64, is_uneven: bool) {
        let mut state = self.state();
        if state.life == life
            && let Some(lane) = state.lanes.get_mut(lane)
        {
            (lane.writes, lane.is_uneven) = (false, is_uneven);
        }
        drop(state);
        self.changed.notify_all();
    }

    /// A lane carries no more.
    pub(crate) fn end(&self, lane: usize) {
        if let Some(lane) = self.state().lanes.get_mut(lane) {
            lane.ended = true;
        }
        self.changed.notify_all();
    }

    // --- for the one who commits ---

    /// Lets the lanes come to a stand, until [`Cut::open`]. Those that carry a batch are waited for no longer than that.
    pub(crate) fn close(&self, timeout: Duration) -> Stand {
        self.state().wanted = true;
        self.wait(timeout, |state| state.stand() != Stand::Busy).stand()
    }

    /// What was written is undone.
    pub(crate) fn begin_life(&self) {
        self.state().begin_life();
    }

    /// The lanes may go on.
    pub(crate) fn open(&self) {
        self.state().wanted = false;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    fn state(lanes: usize) -> State {
        State { wanted: false, life: 0, lanes: vec![Lane::default(); lanes] }
    }

    #[test]
    fn a_lane_that_only_computes_keeps_nobody_waiting() {
        let cut = Cut::new(2);
        assert!(cut.enter(0, 0));
        cut.leave(0, 0, false);
        assert_eq!(Stand::Even, cut.close(NOW));
    }

    #[test]
    fn a_lane_amid_its_outputs_is_waited_for() {
        let cut = Cut::new(2);
        assert!(cut.enter(1, 0));
        assert_eq!(Stand::Busy, cut.close(NOW));
        cut.leave(1, 0, false);
        assert_eq!(Stand::Even, cut.close(NOW));
    }

    #[test]
    fn only_who_is_uneven_may_write_while_a_cut_is_wanted() {
        let mut state = state(2);
        state.wanted = true;
        assert!(!state.may_write(0));
        state.lanes[1].is_uneven = true;
        assert_eq!((false, true, Stand::Busy), (state.may_write(0), state.may_write(1), state.stand()));
    }

    #[test]
    fn what_a_lane_left_uneven_at_its_end_can_only_be_undone() {
        let cut = Cut::new(2);
        cut.leave(0, 0, true);
        cut.end(0);
        assert_eq!(Stand::Uneven, cut.close(NOW));
    }

    #[test]
    fn what_an_ended_lane_left_is_undone_once() {
        let cut = Cut::new(2);
        cut.leave(0, 0, true);
        cut.end(0);
        cut.begin_life();
        assert_eq!(Stand::Even, cut.close(NOW));
    }

    #[test]
    fn nothing_of_a_life_that_is_over_is_written() {
        let cut = Cut::new(1);
        assert!(cut.enter(0, 0));
        cut.begin_life();
        cut.leave(0, 0, true);
        assert_eq!(Stand::Even, cut.close(NOW), "a late word of the life before");
        cut.open();
        assert!(!cut.enter(0, 0));
        assert!(cut.enter(0, cut.life()));
    }
}
