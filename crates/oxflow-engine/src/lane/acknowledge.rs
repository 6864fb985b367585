//! What a lane does about outputs that are on their way: it settles what is acknowledged, reads nothing while there is too much
//! of them, and waits for them before it gives up partitions and at its end.

use std::time::{Duration, Instant};

use super::nodes::Node;
use super::outbox::Outbox;
use super::{Lane, LaneError, State};
use crate::run::Activity;

/// How long acknowledgements are waited for in one piece.
const TURN: Duration = Duration::from_millis(20);

/// Visits the outboxes of all sinks.
fn each_outbox(
    nodes: &mut [Node],
    visit: &mut dyn FnMut(&mut Outbox) -> Result<(), LaneError>,
) -> Result<(), LaneError> {
    for node in nodes {
        match node {
            Node::Sink { outbox, .. } => visit(outbox)?,
            Node::Route { branches, .. } | Node::Broadcast { branches, .. } => {
                branches.iter_mut().try_for_each(|branch| each_outbox(branch, visit))?;
            }
            Node::Run { .. } | Node::Gather(_) => {}
        }
    }
    Ok(())
}

impl Lane {
    /// Settles what was acknowledged since this was called last.
    pub(super) fn acknowledge(&mut self) -> Result<(), LaneError> {
        let mut under_way = 0;
        each_outbox(&mut self.nodes, &mut |outbox| {
            outbox.acknowledge(&mut self.state)?;
            under_way += outbox.len();
            Ok(())
        })?;
        self.state.acknowledge_letters()?;
        let letters = self.state.letters.as_ref().map_or(0, |letters| letters.outbox.len());
        self.state.live.sends(under_way + letters);
        Ok(())
    }

    /// True if so much is on its way that nothing should be read now.
    pub(super) fn is_crowded(&mut self) -> bool {
        let letters = self.state.letters.as_ref().is_some_and(|letters| letters.outbox.is_crowded());
        let mut crowded = letters;
        let look = &mut |outbox: &mut Outbox| {
            crowded |= outbox.is_crowded();
            Ok(())
        };
        each_outbox(&mut self.nodes, look).is_ok() && crowded
    }

    /// Waits for an acknowledgement, where one is to come; false if none is.
    pub(super) fn wait_for_one(&mut self, timeout: Duration) -> bool {
        let mut waited = false;
        let mut wait = |outbox: &mut Outbox| {
            if !waited && (!outbox.is_empty() || outbox.is_crowded()) {
                outbox.wait(timeout);
                waited = true;
            }
            Ok(())
        };
        drop(each_outbox(&mut self.nodes, &mut wait));
        if let Some(letters) = self.state.letters.as_mut() {
            drop(wait(&mut letters.outbox));
        }
        waited
    }

    /// Waits until everything is acknowledged, `timeout` at most.
    pub(super) fn wait_for_all(&mut self, timeout: Duration) -> Result<(), LaneError> {
        let until = Instant::now() + timeout;
        self.state.live.does(Activity::WaitsForSinks);
        self.acknowledge()?;
        while Instant::now() < until && self.wait_for_one(TURN) {
            self.acknowledge()?;
        }
        Ok(())
    }
}

impl State {
    fn acknowledge_letters(&mut self) -> Result<(), LaneError> {
        // It settles what the state knows, so it can't be part of it meanwhile.
        let Some(mut letters) = self.letters.take() else { return Ok(()) };
        let acknowledged = letters.outbox.acknowledge(self);
        self.letters = Some(letters);
        Ok(acknowledged?)
    }
}
