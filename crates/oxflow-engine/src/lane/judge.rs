//! Decides what the faults of a batch mean, by the policy of the step that each happened in.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use super::letters::Posted;
use super::{LaneError, State};
use crate::batch::{Batch, Meta, row_number};
use crate::config::{OnError, Policy};
use crate::dead_letter::TooManyFailed;
use crate::fault::{ExitRequest, Fault, StepError};
use crate::limits::Breach;
use crate::report::{Exit, SKIPPED_SHOWN, Skipped};
use crate::run::{Context, describe_origin};

/// The messages of a batch that a step did not handle.
#[derive(Default)]
pub(super) struct Failed {
    faults: Vec<Fault>,
    /// The first that was left because the pipeline stops.
    left: Option<u32>,
    /// What a function said that asked the process to end.
    exit: Option<ExitRequest>,
}

impl From<Context<'_>> for Failed {
    fn from(context: Context<'_>) -> Self {
        Self { faults: context.faults, left: context.left, exit: context.exit }
    }
}

/// What became of a batch in a step.
pub(super) struct Judged {
    /// So many messages, from the first on, are handled. Those after them stay unsettled.
    pub(super) handled: usize,
    /// So many came to the step: the one that ended the run did, too.
    pub(super) came: usize,
    /// Whether one of them ended the run of the pipeline.
    pub(super) ended: Result<(), LaneError>,
}

/// Decides for each message that failed: it is skipped or becomes a dead letter, or the first that may not be ends the run.
pub(super) fn judge(meta: &Meta, rows: &[u32], failed: Failed, state: &mut State) -> Result<Judged, LaneError> {
    let Failed { mut faults, left, exit } = failed;
    // Steps of one run fail one after the other, each on messages of the whole batch.
    faults.sort_by_key(|fault| fault.row);
    let handled = left.map_or(rows.len(), |left| left as usize);
    let mut judged = Judged { handled, came: handled, ended: Ok(()) };
    let mut posted = Posted::default();
    let mut skipped = BTreeSet::new();
    for fault in faults {
        let row = fault.row as usize;
        if row >= judged.handled {
            break;
        }
        match fault.wish.as_deref().copied().map_or_else(|| state.policy(fault.step), OnError::policy) {
            Policy::Fail => {
                let error = state.step_error(meta, rows, fault);
                judged = Judged { handled: row, came: row + 1, ended: Err(LaneError::Step(Box::new(error))) };
            }
            Policy::Skip => state.skip(meta, rows, &fault, &mut skipped),
            Policy::DeadLetter => {
                if let Some(breach) = state.post(meta, rows, &fault, &mut posted)? {
                    // It is a dead letter itself, and the last.
                    let ended = Err(LaneError::TooManyFailed(Box::new(state.too_many(meta, rows, fault, breach))));
                    judged = Judged { handled: row + 1, came: row + 1, ended };
                }
            }
        }
    }
    state.send(&mut posted, meta.stream())?;
    state.short |= judged.handled < rows.len();
    if let Some(exit) = exit.filter(|_| judged.ended.is_ok()) {
        state.exit(meta, rows, exit);
    }
    Ok(judged)
}

/// What the faults of one of the engine's own steps mean for a batch.
pub(super) struct LeftOut {
    pub(super) judged: Judged,
    /// The indices of those that go on; none if all do.
    pub(super) kept: Option<Vec<u32>>,
}

/// Takes the faults of one of the engine's own steps, and settles the messages that may be left out.
pub(super) fn leave_out(batch: &Batch, faults: Vec<Fault>, state: &mut State) -> Result<LeftOut, LaneError> {
    if faults.is_empty() {
        let judged = Judged { handled: batch.len(), came: batch.len(), ended: Ok(()) };
        return Ok(LeftOut { judged, kept: None });
    }
    let out: BTreeSet<u32> = faults.iter().map(|fault| fault.row).collect();
    let mut context = state.context();
    for fault in faults {
        if context.fail(fault) {
            break;
        }
    }
    let failed = context.into();
    let judged = judge(batch.meta(), batch.rows(), failed, state)?;
    let (left, kept): (Vec<u32>, Vec<u32>) = (0..row_number(judged.handled)).partition(|index| out.contains(index));
    for row in left.iter().filter_map(|index| batch.rows().get(*index as usize)) {
        state.fan_out(batch.meta(), *row, 0);
    }
    Ok(LeftOut { judged, kept: Some(kept) })
}

impl State {
    fn policy(&self, step: usize) -> Policy {
        self.shared.policies.get(step).copied().unwrap_or_default()
    }

    /// Counts the messages of a row as skipped by the step, if they aren't `known` to be: it may have failed on another output.
    fn skip(&mut self, meta: &Meta, rows: &[u32], fault: &Fault, known: &mut BTreeSet<(usize, u32, u64)>) {
        let messages = rows.get(fault.row as usize).into_iter().flat_map(|row| meta.sources(*row));
        let new = messages.filter(|message| known.insert((fault.step, message.slot(), message.sequence()))).count();
        if let Some(counts) = self.progress.counts.get_mut(fault.step) {
            counts.skipped += new as u64;
        }
        if new > 0 && self.progress.skipped.len() < SKIPPED_SHOWN {
            let step = self.shared.steps.get(fault.step).map(|step| step.name.clone()).unwrap_or_default();
            let error = fault.located(fault.error());
            let origin = self.origin(meta, rows, fault.row);
            self.progress.skipped.push(Skipped { step, origin, code: fault.kind.code(), error });
        }
    }

    /// Notes which step asked the process to end; one is enough.
    fn exit(&self, meta: &Meta, rows: &[u32], request: ExitRequest) {
        let ExitRequest { step, row, class, passed, code } = request;
        let step = self.shared.steps.get(step).map(|step| step.name.clone()).unwrap_or_default();
        let exit = Exit { error: class, step, origin: self.origin(meta, rows, row), passed, code };
        let mut noted = self.shared.exit.lock().unwrap_or_else(PoisonError::into_inner);
        noted.get_or_insert(exit);
    }

    fn origin(&self, meta: &Meta, rows: &[u32], row: u32) -> String {
        let row = rows.get(row as usize).and_then(|row| meta.row(*row));
        row.map(|row| describe_origin(row, &self.shared.partitions)).unwrap_or_default()
    }

    fn step_error(&self, meta: &Meta, rows: &[u32], fault: Fault) -> StepError {
        let origin = self.origin(meta, rows, fault.row);
        let step = self.shared.steps.get(fault.step);
        StepError {
            step: step.map(|step| step.name.clone()).unwrap_or_default(),
            place: step.and_then(|step| step.place.clone()),
            origin,
            fault,
        }
    }

    fn too_many(&self, meta: &Meta, rows: &[u32], fault: Fault, breach: Breach) -> TooManyFailed {
        let stream = self.letters.as_ref().map(|letters| letters.stream.clone()).unwrap_or_default();
        TooManyFailed { breach, last: self.step_error(meta, rows, fault), stream }
    }
}
