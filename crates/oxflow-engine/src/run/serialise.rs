//! A serializer after which nothing is left to do: the value is JSON already.

use std::time::Instant;

use super::{Context, Outcome, Run, RunFailed};
use crate::batch::Batch;

/// Makes one JSON text of what arrives as JSON, alone or in lists.
#[derive(Debug)]
pub struct Serialise {
    step: usize,
}

impl Serialise {
    /// The serializer with this number in the report.
    pub fn new(step: usize) -> Self {
        Self { step }
    }
}

impl Run for Serialise {
    fn apply(&mut self, batch: Batch, context: &mut Context<'_>) -> Result<Outcome, RunFailed> {
        let started = Instant::now();
        context.live.enter(self.step);
        let (meta, rows, payloads) = batch.into_parts();
        let batch = Batch::from_parts(meta, rows, payloads.lists_to_json());
        context.count(self.step, batch.len(), batch.len(), started);
        Ok(Outcome { batch, parents: None, changed: false })
    }
}
