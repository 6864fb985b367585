//! Runs whose outputs become good together with the positions of a group.

use std::sync::Arc;
use std::time::Duration;

use super::outputs::Outputs;
use super::running::Inner;
use super::{Job, JobError};
use crate::config::Delivery;
use crate::connect::{Opened, TransactionSettings, Transactions};
use crate::lane::{Cut, Stand};

/// How long lanes may be amid the outputs of a batch before the next time is waited for.
const STAND: Duration = Duration::from_secs(5);

impl Job {
    /// Whether outputs and positions are to become good together, otherwise than by a checkpoint.
    pub(super) fn is_transactional(&self, source: &Opened) -> bool {
        source.group.is_some() && self.config.run.delivery == Some(Delivery::ExactlyOnce)
    }

    /// What makes them good together, where they are to.
    pub(super) fn transactions(
        &self,
        source: &Opened,
        outputs: &Outputs<'_>,
    ) -> Result<Option<Arc<dyn Transactions>>, JobError> {
        let Some(group) = source.group.as_ref().filter(|_| self.is_transactional(source)) else { return Ok(None) };
        // Where all outputs are thrown away, the source's own.
        let read = self.plan.source.stream.as_str();
        let found = outputs.all().chain([read]).find_map(|stream| Some((stream, self.config.topic(stream)?)));
        let Some((stream, settings)) = found else { return Ok(None) };
        let settings = TransactionSettings {
            stream: stream.to_owned(),
            settings: *settings,
            topics: outputs.all().filter_map(|stream| Some(*self.config.topic(stream)?)).collect(),
            timeout: Duration::from_millis(u64::from(self.config.run.transaction_timeout_ms.0.get())),
            drain: Arc::clone(&self.drain),
        };
        Ok(Some(group.transactions(&settings)?))
    }
}

impl Inner {
    /// Makes good what was written, or undoes it. Lanes go on computing meanwhile, and begin to write when it is over.
    pub(super) fn transact(&self, transactions: &dyn Transactions, cut: &Cut) -> Result<(), JobError> {
        let stand = cut.close(STAND);
        let ended = self.transact_at(stand, transactions, cut);
        cut.open();
        ended
    }

    fn transact_at(&self, stand: Stand, transactions: &dyn Transactions, cut: &Cut) -> Result<(), JobError> {
        let settled = self.shared.owned();
        let is_good = match stand {
            // What is spoiled, too, is undone the next time.
            Stand::Busy => return Ok(()),
            Stand::Even if !self.shared.is_torn() => transactions.commit(&settled)?,
            // Nobody knows what a lane left.
            Stand::Even | Stand::Uneven => false,
        };
        if is_good {
            self.shared.commit(self.shared.settled());
        } else {
            transactions.undo(&mut || cut.begin_life())?;
        }
        Ok(())
    }
}
