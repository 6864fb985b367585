//! Carries batches through the nodes of a lane, and keeps account of what came of each message.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::nodes::{Gather, Node};
use super::{LaneError, State};
use crate::batch::{Batch, Meta, Payloads, Uncopied, row_number};
use crate::checkpoint::Passed;
use crate::connect::{TooLong, Writer};
use crate::fault::{Fault, FaultKind, StepError};
use crate::report::{SKIPPED_SHOWN, SOURCE, Skipped};
use crate::run::{Context, Outcome, Run, RunFailed, describe_origin};

/// Sends on what the source read; a message that is too long is a fault of the source.
pub(super) fn enter(
    nodes: &mut [Node],
    batch: Batch,
    too_long: &[TooLong],
    started: Instant,
    state: &mut State,
) -> Result<(), LaneError> {
    let limit = state.shared.limits.message_bytes;
    let faults = too_long.iter().map(|message| Fault::too_long(message.row, message.bytes, limit)).collect();
    let LeftOut { came, kept, ended } = leave_out(&batch, faults, state);
    let batch = if let Some(kept) = kept { batch.select(&kept) } else { batch };
    state.count(SOURCE, came, batch.len(), started.elapsed());
    push(nodes, batch, state).and(ended)
}

/// Sends a batch through a row of nodes.
pub(super) fn push(nodes: &mut [Node], batch: Batch, state: &mut State) -> Result<(), LaneError> {
    if batch.is_empty() {
        return Ok(());
    }
    let Some((node, rest)) = nodes.split_first_mut() else { return Ok(()) };
    match node {
        Node::Run(run) => {
            let (outputs, ended) = call(run.as_mut(), batch, state)?;
            push(rest, outputs, state)?;
            ended
        }
        Node::Gather(gather) => gather_batch(gather, rest, batch, state),
        Node::Route { step, router, branches } => {
            let started = Instant::now();
            let mut context = state.context();
            let chosen = router.route(&batch, &mut context)?;
            let failed = Failed { faults: context.faults, left: context.left };
            route(*step, branches, &batch, &chosen, failed, started, state)
        }
        Node::Broadcast { step, branches } => broadcast(*step, branches, batch, state),
        Node::Sink { step, writer, passed } => write(*step, writer.as_mut(), passed.as_mut(), batch, state),
    }
}

/// Sends on the open batches whose time is over.
pub(super) fn expire(nodes: &mut [Node], state: &mut State) -> Result<(), LaneError> {
    let now = state.shared.clock.now();
    each_gather(nodes, state, &mut |gather| gather.window.expire(now))
}

/// Sends on all open batches, since nothing more comes.
pub(super) fn close(nodes: &mut [Node], state: &mut State) -> Result<(), LaneError> {
    each_gather(nodes, state, &mut |_| true)
}

/// When the next open batch expires.
pub(super) fn deadline(nodes: &[Node]) -> Option<Duration> {
    let inside = |branches: &[Vec<Node>]| branches.iter().filter_map(|branch| deadline(branch)).min();
    nodes
        .iter()
        .filter_map(|node| match node {
            Node::Gather(gather) => gather.window.deadline(),
            Node::Route { branches, .. } | Node::Broadcast { branches, .. } => inside(branches),
            Node::Run(_) | Node::Sink { .. } => None,
        })
        .min()
}

/// Visits the batching steps in the order of the pipeline, and sends on what those hold that say so.
fn each_gather(
    nodes: &mut [Node],
    state: &mut State,
    over: &mut dyn FnMut(&mut Gather) -> bool,
) -> Result<(), LaneError> {
    let Some((node, rest)) = nodes.split_first_mut() else { return Ok(()) };
    match node {
        Node::Gather(gather) => {
            if over(gather) {
                emit(gather, rest, state)?;
            }
        }
        Node::Route { branches, .. } | Node::Broadcast { branches, .. } => {
            first_error(branches, |branch| each_gather(branch, state, over))?;
        }
        Node::Run(_) | Node::Sink { .. } => {}
    }
    each_gather(rest, state, over)
}

/// Calls a run. Gives its outputs, and whether a message in it ended the run of the pipeline: then the outputs are those
/// of the messages before it.
fn call(run: &mut dyn Run, batch: Batch, state: &mut State) -> Result<(Batch, Result<(), LaneError>), LaneError> {
    let (meta, rows) = (batch.meta().clone(), batch.rows().to_vec());
    let mut context = state.context();
    let Outcome { batch: outputs, parents, .. } = run.apply(batch, &mut context)?;
    let failed = Failed { faults: context.faults, left: context.left };
    let (handled, ended) = judge(&meta, &rows, failed, state);
    let kept = account(&meta, &rows, handled, parents.as_deref(), outputs.len(), state);
    let outputs = if kept < outputs.len() { outputs.head(kept) } else { outputs };
    Ok((outputs, ended))
}

/// Notes how many outputs each of the first `handled` messages has; the number of outputs that are theirs.
fn account(
    meta: &Meta,
    rows: &[u32],
    handled: usize,
    parents: Option<&[u32]>,
    outputs: usize,
    state: &mut State,
) -> usize {
    let Some(parents) = parents else { return handled.min(outputs) };
    let mut parents = parents.iter().peekable();
    let mut kept = 0;
    for (index, row) in rows.iter().enumerate().take(handled) {
        let mut count = 0;
        while parents.next_if(|parent| **parent as usize == index).is_some() {
            count += 1;
        }
        if count != 1 {
            state.fan_out(meta, *row, count);
        }
        kept += count as usize;
    }
    kept
}

/// The messages of a batch that a step did not handle.
struct Failed {
    faults: Vec<Fault>,
    /// The first that was left because the pipeline stops.
    left: Option<u32>,
}

/// Decides what the faults of a batch mean: a message is skipped, or the first that may not be ends the run. Gives the
/// number of messages that are handled; those after them stay unsettled.
fn judge(meta: &Meta, rows: &[u32], failed: Failed, state: &mut State) -> (usize, Result<(), LaneError>) {
    let mut ending: Option<Fault> = None;
    for fault in failed.faults {
        if !state.shared.fatal.get(fault.step).copied().unwrap_or(true) {
            state.skip(meta, rows, &fault);
        } else if ending.as_ref().is_none_or(|first| fault.row < first.row) {
            ending = Some(fault);
        }
    }
    let left = failed.left.map_or(rows.len(), |left| left as usize);
    state.short |= ending.is_some() || left < rows.len();
    match ending {
        Some(fault) => (left.min(fault.row as usize), Err(state.step_error(meta, rows, fault))),
        None => (left, Ok(())),
    }
}

/// The number of messages that came to a step: the one that ended the run did, too.
fn came(handled: usize, ended: &Result<(), LaneError>) -> usize {
    handled + usize::from(ended.is_err())
}

fn gather_batch(gather: &mut Gather, rest: &mut [Node], batch: Batch, state: &mut State) -> Result<(), LaneError> {
    let now = state.shared.clock.now();
    if gather.window.expire(now) {
        emit(gather, rest, state)?;
    }
    let batch = leave_out_old(gather.passed.as_ref(), batch, state);
    let mut start = 0;
    for index in 0..batch.len() {
        let size = batch.payloads().size(index) as u64;
        if gather.window.add(size, now) {
            let end = index + 1;
            gather.pending.push(batch.select(&indices(start, end)).compact());
            emit(gather, rest, state)?;
            start = end;
        }
    }
    if start < batch.len() {
        gather.pending.push(batch.select(&indices(start, batch.len())).compact());
    }
    Ok(())
}

fn indices(start: usize, end: usize) -> Vec<u32> {
    (row_number(start)..row_number(end)).collect()
}

/// Sends the open batch on as one message.
fn emit(gather: &mut Gather, rest: &mut [Node], state: &mut State) -> Result<(), LaneError> {
    let started = Instant::now();
    let Some(messages) = Batch::concat(std::mem::take(&mut gather.pending)) else { return Ok(()) };
    let count = messages.len();
    note(gather.step, gather.passed.as_mut(), &messages, state);
    let list = messages.group(vec![row_number(count)]);
    state.count(gather.step, count, 1, started.elapsed());
    let pushed = push(rest, list, state);
    if pushed.is_err() || state.short {
        // Its messages are noted as passed, but the list itself did not come to its end everywhere.
        state.shared.tear();
    }
    pushed
}

fn route(
    step: usize,
    branches: &mut [Vec<Node>],
    batch: &Batch,
    chosen: &[Option<u32>],
    failed: Failed,
    started: Instant,
    state: &mut State,
) -> Result<(), LaneError> {
    let (handled, ended) = judge(batch.meta(), batch.rows(), failed, state);
    let mut shares: Vec<Vec<u32>> = branches.iter().map(|_| Vec::new()).collect();
    for ((index, choice), row) in chosen.iter().enumerate().zip(batch.rows()).take(handled) {
        match choice.and_then(|branch| shares.get_mut(branch as usize)) {
            Some(share) => share.push(row_number(index)),
            None => state.fan_out(batch.meta(), *row, 0),
        }
    }
    let routed = shares.iter().map(Vec::len).sum();
    state.count(step, came(handled, &ended), routed, started.elapsed());
    first_error(branches.iter_mut().zip(shares), |(branch, share)| push(branch, batch.select(&share), state)).and(ended)
}

fn broadcast(step: usize, branches: &mut [Vec<Node>], batch: Batch, state: &mut State) -> Result<(), LaneError> {
    let started = Instant::now();
    let mut uncopied = Vec::new();
    let mut copies = Vec::with_capacity(branches.len());
    for _ in 1..branches.len() {
        let (payloads, failed) = batch.payloads().copies();
        uncopied.extend(failed);
        copies.push(Batch::from_parts(Arc::clone(batch.meta()), batch.rows().to_vec(), payloads));
    }
    let faults = uncopied.into_iter().map(|uncopied| uncopyable(step, uncopied)).collect();
    let LeftOut { came, kept, ended } = leave_out(&batch, faults, state);
    copies.push(batch);
    if let Some(kept) = &kept {
        copies = copies.iter().map(|copy| copy.select(kept)).collect();
    }
    let sent = copies.iter().map(Batch::len).sum();
    if let Some(batch) = copies.first() {
        for row in batch.rows() {
            state.fan_out(batch.meta(), *row, row_number(branches.len()));
        }
    }
    state.count(step, came, sent, started.elapsed());
    first_error(branches.iter_mut().zip(copies), |(branch, copy)| push(branch, copy, state)).and(ended)
}

fn uncopyable(step: usize, uncopied: Uncopied) -> Fault {
    let Uncopied { index: row, class, text, cause } = uncopied;
    Fault { step, row, kind: FaultKind::Uncopyable, class, text, detail: None, cause }
}

/// Writes what can be written; a message that the sink refuses is a fault of its own.
fn write(
    step: usize,
    writer: &mut dyn Writer,
    passed: Option<&mut Passed>,
    batch: Batch,
    state: &mut State,
) -> Result<(), LaneError> {
    let started = Instant::now();
    let batch = leave_out_old(passed.as_deref(), batch, state);
    let LeftOut { came, kept, ended } = leave_out(&batch, refused(step, writer, &batch), state);
    let batch = if let Some(kept) = kept { batch.select(&kept) } else { batch };
    // At once: the lane may end with the error of another branch, which leaves things in order.
    writer.write(&batch).inspect_err(|_| state.shared.tear())?;
    note(step, passed, &batch, state);
    settle(&batch, state);
    state.count(step, came, batch.len(), started.elapsed());
    ended
}

fn refused(step: usize, writer: &dyn Writer, batch: &Batch) -> Vec<Fault> {
    let Payloads::Bytes(column) = batch.payloads() else { return Vec::new() };
    let reasons = (0..).zip(column.iter()).filter_map(|(row, payload)| Some((row, writer.refuses(payload)?)));
    let fault = |(row, reason): (u32, &str)| Fault {
        step,
        row,
        kind: FaultKind::Unwritable,
        class: "ValueError".to_owned(),
        text: reason.to_owned(),
        detail: None,
        cause: None,
    };
    reasons.map(fault).collect()
}

/// What the faults of one of the engine's own steps mean for a batch.
struct LeftOut {
    /// The number of messages that came to the step.
    came: usize,
    /// The indices of those that go on; none if all do.
    kept: Option<Vec<u32>>,
    ended: Result<(), LaneError>,
}

/// Takes the faults of one of the engine's own steps, and settles the messages that may be left out.
fn leave_out(batch: &Batch, faults: Vec<Fault>, state: &mut State) -> LeftOut {
    if faults.is_empty() {
        return LeftOut { came: batch.len(), kept: None, ended: Ok(()) };
    }
    let out: BTreeSet<u32> = faults.iter().map(|fault| fault.row).collect();
    let mut context = state.context();
    for fault in faults {
        if context.fail(fault) {
            break;
        }
    }
    let failed = Failed { faults: context.faults, left: None };
    let (handled, ended) = judge(batch.meta(), batch.rows(), failed, state);
    let (left, kept): (Vec<u32>, Vec<u32>) = (0..row_number(handled)).partition(|index| out.contains(index));
    for row in left.iter().filter_map(|index| batch.rows().get(*index as usize)) {
        state.fan_out(batch.meta(), *row, 0);
    }
    LeftOut { came: came(handled, &ended), kept: Some(kept), ended }
}

/// Does something for every branch, whatever happens in the others: each gets all that comes before an error.
fn first_error<T>(
    branches: impl IntoIterator<Item = T>,
    each: impl FnMut(T) -> Result<(), LaneError>,
) -> Result<(), LaneError> {
    branches.into_iter().map(each).fold(Ok(()), Result::and)
}

/// Leaves out what an earlier run has carried past this place.
fn leave_out_old(passed: Option<&Passed>, batch: Batch, state: &mut State) -> Batch {
    let Some(passed) = passed else { return batch };
    let new = passed.sift(origins(&batch));
    if new.iter().all(|new| *new) {
        return batch;
    }
    for (row, _) in batch.rows().iter().zip(&new).filter(|(_, new)| !**new) {
        state.fan_out(batch.meta(), *row, 0);
    }
    let kept: Vec<u32> = (0..).zip(new).filter_map(|(index, new)| new.then_some(index)).collect();
    batch.select(&kept)
}

/// Notes what passed this place, for a later run.
fn note(step: usize, passed: Option<&mut Passed>, batch: &Batch, state: &mut State) {
    if let Some(passed) = passed {
        passed.note(origins(batch));
        state.progress.marks.insert(step, passed.marks().clone());
    }
}

fn origins(batch: &Batch) -> impl Iterator<Item = (u32, i64)> {
    batch.each_metadata().map(|row| (row.partition(), row.offset()))
}

fn settle(batch: &Batch, state: &mut State) {
    for row in batch.rows() {
        state.fan_out(batch.meta(), *row, 0);
    }
}

impl State {
    fn context(&mut self) -> Context<'_> {
        Context {
            counts: &mut self.progress.counts,
            faults: Vec::new(),
            fatal: &self.shared.fatal,
            stop: &self.shared.drain,
            left: None,
        }
    }

    fn skip(&mut self, meta: &Meta, rows: &[u32], fault: &Fault) {
        if let Some(counts) = self.progress.counts.get_mut(fault.step) {
            counts.skipped += 1;
        }
        if self.progress.skipped.len() < SKIPPED_SHOWN {
            let step = self.shared.steps.get(fault.step).map(|step| step.name.clone()).unwrap_or_default();
            let error = fault.located(fault.error());
            let origin = self.origin(meta, rows, fault);
            self.progress.skipped.push(Skipped { step, origin, code: fault.kind.code(), error });
        }
    }

    fn origin(&self, meta: &Meta, rows: &[u32], fault: &Fault) -> String {
        let row = rows.get(fault.row as usize).and_then(|row| meta.row(*row));
        row.map(|row| describe_origin(row, &self.shared.partitions)).unwrap_or_default()
    }

    fn step_error(&self, meta: &Meta, rows: &[u32], fault: Fault) -> LaneError {
        let origin = self.origin(meta, rows, &fault);
        let step = self.shared.steps.get(fault.step);
        LaneError::Step(Box::new(StepError {
            step: step.map(|step| step.name.clone()).unwrap_or_default(),
            place: step.and_then(|step| step.place.clone()),
            origin,
            fault,
        }))
    }
}

impl From<RunFailed> for LaneError {
    fn from(failed: RunFailed) -> Self {
        Self::Internal(failed.text)
    }
}
