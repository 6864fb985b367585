//! A Rust filter over messages that the filter must not touch.
//!
//! Inside a native run a filter selects rows in place. Where it can't, since it takes its message by value and can't clone
//! it, or since the payloads are objects of another language that go on after it, the filter gets a copy of the bytes and
//! only its answers are used.

use super::{Context, NativeRun, Outcome, Run, RunFailed};
use crate::batch::{Batch, Payloads};

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
        let answers = ask(&mut self.answers, self.encoder.as_deref_mut(), &batch, context)?;
        let kept: Vec<u32> =
            answers.into_iter().filter(|(_, answer)| answer == b"true").map(|(parent, _)| parent).collect();
        Ok(Outcome { batch: batch.select(&kept), parents: Some(kept), changed: false })
    }
}

/// What a Rust function answers for each message: the message's index and the answer's JSON.
pub(super) fn ask(
    function: &mut NativeRun,
    encoder: Option<&mut (dyn Run + 'static)>,
    batch: &Batch,
    context: &mut Context<'_>,
) -> Result<Vec<(u32, Vec<u8>)>, RunFailed> {
    let all: Vec<u32> = (0..crate::batch::row_number(batch.len())).collect();
    let question = batch.select(&all);
    let (question, origin) = match encoder {
        Some(encoder) => {
            let json = encoder.apply(question, context)?;
            (json.batch, json.parents)
        }
        None => (question, None),
    };
    let reported = context.faults.len();
    let answered = function.apply(question, context)?;
    let Payloads::Bytes(answers) = answered.batch.payloads() else { unreachable!("a native run gives bytes") };
    let parents = answered.parents.unwrap_or(all);
    let trace = |parent: u32| match &origin {
        Some(origin) => origin.get(parent as usize).copied().unwrap_or(parent),
        None => parent,
    };
    for fault in context.faults.iter_mut().skip(reported) {
        fault.row = trace(fault.row);
    }
    Ok(parents.into_iter().map(trace).zip(answers.iter().map(<[u8]>::to_vec)).collect())
}
