//! Hands batches to a writer, and knows which messages of them are not acknowledged.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::{LaneError, State};
use crate::batch::{Batch, Meta, Metadata};
use crate::connect::{ConnectError, Writer, Written};

/// A writer and what it has on its way.
pub(crate) struct Outbox {
    writer: Box<dyn Writer>,
    under_way: VecDeque<UnderWay>,
}

/// A batch that the writer has taken.
struct UnderWay {
    number: u64,
    meta: Arc<Meta>,
    rows: Vec<u32>,
}

impl Outbox {
    pub(crate) fn new(writer: Box<dyn Writer>) -> Self {
        Self { writer, under_way: VecDeque::new() }
    }

    pub(super) fn refuses(&self, message: Metadata<'_>, payload: &[u8]) -> Option<&'static str> {
        self.writer.refuses(message, payload)
    }

    /// Writes a batch. Its messages are settled now, or when they are acknowledged.
    pub(super) fn write(&mut self, batch: &Batch, state: &mut State) -> Result<(), LaneError> {
        state.enter_cut(batch.meta(), batch.rows())?;
        match self.writer.write(batch)? {
            Written::Done => state.settle(batch.meta(), batch.rows()),
            Written::Later(number) => {
                let (meta, rows) = (Arc::clone(batch.meta()), batch.rows().to_vec());
                self.under_way.push_back(UnderWay { number, meta, rows });
            }
        }
        Ok(())
    }

    /// Settles what was acknowledged.
    pub(super) fn acknowledge(&mut self, state: &mut State) -> Result<(), ConnectError> {
        if self.under_way.is_empty() {
            return Ok(());
        }
        for number in self.writer.acknowledged()? {
            // Batches arrive nearly in the order in which they were sent.
            if let Some(index) = self.under_way.iter().position(|batch| batch.number == number)
                && let Some(batch) = self.under_way.remove(index)
            {
                state.settle(&batch.meta, &batch.rows);
                state.live.arrives();
            }
        }
        Ok(())
    }

    pub(super) fn is_crowded(&self) -> bool {
        self.writer.is_crowded()
    }

    /// True if everything is acknowledged.
    pub(super) fn is_empty(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Batches that aren't acknowledged.
    pub(super) fn len(&self) -> usize {
        self.under_way.len()
    }

    pub(super) fn wait(&self, timeout: Duration) {
        self.writer.wait(timeout);
    }
}
