//! A Rust filter over messages that the filter must not touch.
//!
//! Inside a native run a filter selects rows in place. Where it can't, since it takes its message by value and can't clone
//! it, or since the payloads are objects of another language that go on after it, the filter gets a copy of the bytes and
//! only its answers are used.

use std::time::{Duration, Instant};

use super::{Context, NativeRun, Outcome, Run, RunFailed};
use crate::batch::{Batch, ByteColumn, Payloads, row_number};
use crate::fault::Fault;

/// Keeps the messages for which a Rust function says true.
pub struct NativeFilter {
    /// Gives `true` or `false` for each message, as JSON.
    answers: NativeRun,
    /// Makes bytes of objects, where the payloads are objects.
    encoder: Option<Box<dyn Run>>,
}

impl NativeFilter {
    /// A filter of its own for one lane.
    pub fn new(answers: NativeRun, encoder: Option<Box<dyn Run>>) -> Self {
        Self { answers, encoder }
    }
}

impl Run for NativeFilter {
    fn apply(&mut self, batch: Batch, context: &mut Context<'_>) -> Result<Outcome, RunFailed> {
        let started = Instant::now();
        let (rows, answers) = ask(&mut self.answers, self.encoder.as_deref_mut(), &batch, context)?;
        let says_true = |(row, answer): (u32, &[u8])| (answer == b"true").then_some(row);
        let kept: Vec<u32> = rows.into_iter().zip(answers.iter()).filter_map(says_true).collect();
        let seen = context.left.map_or(batch.len(), |left| left as usize);
        let came = self.answers.parsed().map_or(seen, |(parser, parsed)| {
            context.add(parser, parsed);
            usize::try_from(parsed.messages_out).unwrap_or(seen)
        });
        let parsing = self.answers.parsed().map_or(Duration::ZERO, |(_, parsed)| parsed.time);
        context.count(self.answers.step(), came, kept.len(), started + parsing);
        Ok(Outcome { batch: batch.select(&kept), parents: Some(kept), changed: false })
    }
}

/// What a Rust function answers: the indices of the messages, and each one's answer as JSON. Nothing is
/// counted: only the step that asks knows what went out of it.
pub(super) fn ask(
    function: &mut NativeRun,
    mut encoder: Option<&mut (dyn Run + 'static)>,
    batch: &Batch,
    context: &mut Context<'_>,
) -> Result<(Vec<u32>, ByteColumn), RunFailed> {
    let mut rows: Vec<u32> = (0..row_number(batch.len())).collect();
    let mut question = batch.select(&rows);
    if let Some(encoder) = encoder.as_mut() {
        question = uncounted(*encoder, question, &mut rows, context)?;
    }
    let answered = uncounted(function, question, &mut rows, context)?;
    let (_, _, Payloads::Bytes(answers)) = answered.into_parts() else { unreachable!("a native run gives bytes") };
    Ok((rows, answers))
}

/// Calls a run without its counters. `rows`: for each message of the batch, then for each output, the message that the
/// step was given.
fn uncounted(
    run: &mut dyn Run,
    batch: Batch,
    rows: &mut Vec<u32>,
    context: &mut Context<'_>,
) -> Result<Batch, RunFailed> {
    let given = |index: u32| rows.get(index as usize).copied().unwrap_or(index);
    let (live, fatal, stop) = (context.live, context.fatal, context.stop);
    let mut inner = Context { counts: &mut [], live, faults: Vec::new(), fatal, stop, left: None, exit: None };
    let outcome = run.apply(batch, &mut inner)?;
    context.left = inner.left.map(given).or(context.left);
    for fault in inner.faults {
        context.fail(Fault { row: given(fault.row), ..fault });
    }
    if let Some(parents) = outcome.parents {
        *rows = parents.into_iter().map(given).collect();
    }
    Ok(outcome.batch)
}
