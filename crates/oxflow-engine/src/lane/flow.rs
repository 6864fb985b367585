//! Carries batches through the nodes of a lane, and keeps account of what came of each message.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::judge::{Failed, Judged, LeftOut, judge, leave_out};
use super::nodes::{Gather, Node};
use super::outbox::Outbox;
use super::{LaneError, State};
use crate::batch::{Batch, Meta, Payloads, Uncopied, row_number};
use crate::checkpoint::Passed;
use crate::connect::TooLong;
use crate::fault::{Fault, FaultKind};
use crate::report::SOURCE;
use crate::run::{Context, Outcome, Run, RunFailed};

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
    let LeftOut { judged: Judged { came, ended, .. }, kept } = leave_out(&batch, faults, state)?;
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
    state.live.carry(batch.len());
    if let Some(step) = node.step() {
        if let Some(first) = batch.metadata(0) {
            state.live.at(first.slot(), first.offset());
        }
        state.live.enter(step);
    }
    match node {
        Node::Run { steps, run } => {
            let told = state.told.run(steps, batch.len());
            let called = call(run.as_mut(), batch, state);
            state.told.ran(told, &called);
            let (outputs, ended) = called?;
            push(rest, outputs, state)?;
            ended
        }
        Node::Gather(gather) => gather_batch(gather, rest, batch, state),
        Node::Route { step, router, branches } => {
            let started = Instant::now();
            let mut context = state.context();
            let chosen = router.route(&batch, &mut context)?;
            let failed = context.into();
            route(*step, branches, &batch, &chosen, failed, started, state)
        }
        Node::Broadcast { step, branches } => broadcast(*step, branches, batch, state),
        Node::Sink { step, outbox, passed } => write(*step, outbox, passed.as_mut(), batch, state),
    }
}

/// Sends on the open batches whose time is over.
pub(super) fn expire(nodes: &mut [Node], state: &mut State) -> Result<(), LaneError> {
    let now = state.shared.clock.now();
    each_gather(nodes, state, &mut |gather| gather.window.expire(now))
}

/// Sends on all open batches.
pub(super) fn close(nodes: &mut [Node], state: &mut State) -> Result<(), LaneError> {
    let end = &mut |gather: &mut Gather| {
        gather.window.close();
        true
    };
    each_gather(nodes, state, end)
}

/// Throws away what waits in open batches.
pub(super) fn forget(nodes: &mut [Node], state: &State) {
    for node in nodes {
        match node {
            Node::Gather(gather) => {
                gather.pending.clear();
                gather.window.close();
                state.live.hold(gather.step, 0);
            }
            Node::Route { branches, .. } | Node::Broadcast { branches, .. } => {
                for branch in branches {
                    forget(branch, state);
                }
            }
            Node::Run { .. } | Node::Sink { .. } => {}
        }
    }
}

/// When the next open batch expires.
pub(super) fn deadline(nodes: &[Node]) -> Option<Duration> {
    let inside = |branches: &[Vec<Node>]| branches.iter().filter_map(|branch| deadline(branch)).min();
    nodes
        .iter()
        .filter_map(|node| match node {
            Node::Gather(gather) => gather.window.deadline(),
            Node::Route { branches, .. } | Node::Broadcast { branches, .. } => inside(branches),
            Node::Run { .. } | Node::Sink { .. } => None,
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
        Node::Run { .. } | Node::Sink { .. } => {}
    }
    each_gather(rest, state, over)
}

/// Calls a run. Gives its outputs, and whether a message in it ended the run of the pipeline: then the outputs are those
/// of the messages before it.
fn call(run: &mut dyn Run, batch: Batch, state: &mut State) -> Result<(Batch, Result<(), LaneError>), LaneError> {
    let (meta, rows) = (batch.meta().clone(), batch.rows().to_vec());
    let mut context = state.context();
    let Outcome { batch: outputs, parents, .. } = run.apply(batch, &mut context)?;
    let failed = context.into();
    let Judged { handled, ended, .. } = judge(&meta, &rows, failed, state)?;
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
    state.live.carry(0);
    state.live.hold(gather.step, gather.pending.iter().map(Batch::len).sum());
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
    state.live.hold(gather.step, 0);
    note(gather.step, gather.passed.as_mut(), &messages, count, state);
    let list = messages.group(vec![row_number(count)]);
    state.count(gather.step, count, 1, started.elapsed());
    // What was left before says nothing of this list.
    let short = std::mem::take(&mut state.short);
    let pushed = push(rest, list, state);
    if state.short || !matches!(pushed, Ok(()) | Err(LaneError::TooManyFailed(_) | LaneError::Undone)) {
        // Its messages are noted as passed, but the list itself did not come to its end everywhere.
        state.shared.tear();
    }
    state.short |= short;
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
    let Judged { handled, came, ended } = judge(batch.meta(), batch.rows(), failed, state)?;
    let mut shares: Vec<Vec<u32>> = branches.iter().map(|_| Vec::new()).collect();
    for ((index, choice), row) in chosen.iter().enumerate().zip(batch.rows()).take(handled) {
        match choice.and_then(|branch| shares.get_mut(branch as usize)) {
            Some(share) => share.push(row_number(index)),
            None => state.fan_out(batch.meta(), *row, 0),
        }
    }
    let routed = shares.iter().map(Vec::len).sum();
    state.count(step, came, routed, started.elapsed());
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
    // Each copy tells of all its messages; in order, and once.
    uncopied.sort_by_key(|uncopied| uncopied.index);
    uncopied.dedup_by_key(|uncopied| uncopied.index);
    let faults = uncopied.into_iter().map(|uncopied| uncopyable(step, uncopied)).collect();
    let LeftOut { judged: Judged { came, ended, .. }, kept } = leave_out(&batch, faults, state)?;
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
    Fault { step, row, kind: FaultKind::Uncopyable, class, text, detail: None, cause, wish: None }
}

/// Writes what can be written; a message that the sink refuses is a fault of its own.
fn write(
    step: usize,
    outbox: &mut Outbox,
    passed: Option<&mut Passed>,
    batch: Batch,
    state: &mut State,
) -> Result<(), LaneError> {
    let started = Instant::now();
    let batch = leave_out_old(passed.as_deref(), batch, state);
    let LeftOut { judged, kept } = leave_out(&batch, refused(step, outbox, &batch), state)?;
    let Judged { handled, came, ended } = judged;
    let written = kept.map(|kept| batch.select(&kept));
    let written = written.as_ref().unwrap_or(&batch);
    // At once: the lane may end with the error of another branch, which leaves things in order.
    outbox.write(written, state).inspect_err(|error| state.tear_by(error))?;
    // What was left out is over, too.
    note(step, passed, &batch, handled, state);
    state.count(step, came, written.len(), started.elapsed());
    ended
}

fn refused(step: usize, outbox: &Outbox, batch: &Batch) -> Vec<Fault> {
    let Payloads::Bytes(column) = batch.payloads() else { return Vec::new() };
    let messages = batch.each_metadata().zip(column.iter());
    let reasons =
        (0..).zip(messages).filter_map(|(row, (message, payload))| Some((row, outbox.refuses(message, payload)?)));
    let fault = |(row, reason): (u32, &str)| Fault {
        step,
        row,
        kind: FaultKind::Unwritable,
        class: "ValueError".to_owned(),
        text: reason.to_owned(),
        detail: None,
        cause: None,
        wish: None,
    };
    reasons.map(fault).collect()
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

/// Notes that the first `handled` messages passed this place, for a later run.
fn note(step: usize, passed: Option<&mut Passed>, batch: &Batch, handled: usize, state: &mut State) {
    if let Some(passed) = passed {
        passed.note(origins(batch).take(handled));
        state.progress.marks.insert(step, passed.marks().clone());
    }
}

fn origins(batch: &Batch) -> impl Iterator<Item = (u32, i64)> {
    batch.each_metadata().map(|row| (row.slot(), row.offset()))
}

impl State {
    pub(super) fn context(&mut self) -> Context<'_> {
        Context {
            counts: &mut self.progress.counts,
            live: &self.live,
            faults: Vec::new(),
            fatal: &self.shared.fatal,
            stop: &self.shared.drain,
            left: None,
            exit: None,
        }
    }
}

impl From<RunFailed> for LaneError {
    fn from(failed: RunFailed) -> Self {
        Self::Internal(failed.text)
    }
}
