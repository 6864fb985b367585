//! Calls a function again for the messages that it failed on.
//!
//! A run that begins with such a step is called again with those messages alone; what they give in the end takes their
//! place among the outputs, so that the order holds. Only what a function raises, or a panic in it, may go away by itself:
//! a payload that can't be decoded can't be decoded the next time either.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use super::{Context, Outcome, Router, Run, RunFailed};
use crate::batch::{Batch, row_number};
use crate::config::{OnError, Policy, Retry};
use crate::fault::{ExitRequest, Fault, FaultKind};

/// How long a pause goes on after someone asked to stop.
const LOOK: Duration = Duration::from_millis(20);

/// How one step is called again.
#[derive(Clone, Debug)]
pub struct Patience {
    /// Number of the step.
    pub step: usize,
    /// How often, and after what time, if the configuration says it; an error may say it itself.
    pub retry: Option<Retry>,
    /// For each step of the pipeline whether a fault in it ends the run of the pipeline; this one's don't, until they are
    /// given up.
    pub fatal: Vec<bool>,
    /// False where time is moved by hand, so that nobody waits for it.
    pub waits: bool,
}

/// A run whose first step may be called again.
pub struct RetryingRun {
    run: Box<dyn Run>,
    patience: Patience,
}

/// A router that may be called again.
pub struct RetryingRouter {
    router: Box<dyn Router>,
    patience: Patience,
}

impl RetryingRun {
    /// Calls a run again as long as the patience lasts.
    pub fn new(run: Box<dyn Run>, patience: Patience) -> Self {
        Self { run, patience }
    }
}

impl RetryingRouter {
    /// Calls a router again as long as the patience lasts.
    pub fn new(router: Box<dyn Router>, patience: Patience) -> Self {
        Self { router, patience }
    }
}

impl Run for RetryingRun {
    fn apply(&mut self, batch: Batch, context: &mut Context<'_>) -> Result<Outcome, RunFailed> {
        let (run, step) = (&mut self.run, self.patience.step);
        let mut done = Outputs::default();
        self.patience.persist(batch.len(), context, |rows, context| {
            let again = !done.batches.is_empty();
            let unknown = context.counts.get(step).map(|counts| counts.unknown_fields);
            done.add(run.apply(batch.select(rows), context)?, rows);
            if let Some(counts) = context.counts.get_mut(step).filter(|_| again) {
                // They came once.
                counts.messages_in = counts.messages_in.saturating_sub(rows.len() as u64);
                counts.unknown_fields = unknown.unwrap_or_default();
            }
            Ok(())
        })?;
        Ok(done.join(&batch))
    }
}

impl Router for RetryingRouter {
    fn route(&mut self, batch: &Batch, context: &mut Context<'_>) -> Result<Vec<Option<u32>>, RunFailed> {
        let mut branches = vec![None; batch.len()];
        self.patience.persist(batch.len(), context, |rows, context| {
            let chosen = self.router.route(&batch.select(rows), context)?;
            for (row, branch) in rows.iter().zip(chosen) {
                branches.get_mut(*row as usize).into_iter().for_each(|slot| *slot = branch);
            }
            Ok(())
        })?;
        Ok(branches)
    }
}

/// The outputs of several calls.
#[derive(Default)]
struct Outputs {
    batches: Vec<Batch>,
    /// For each output of all batches the message that it came from.
    parents: Vec<u32>,
    /// For each output of all batches whether no later call was made for its message: a call that failed may have given
    /// some outputs.
    last: Vec<bool>,
    changed: bool,
}

impl Outputs {
    /// Takes what a call gave for the messages `rows`.
    fn add(&mut self, outcome: Outcome, rows: &[u32]) {
        let given = |index: u32| rows.get(index as usize).copied().unwrap_or(index);
        for (parent, last) in self.parents.iter().zip(&mut self.last) {
            *last &= rows.binary_search(parent).is_err();
        }
        match outcome.parents {
            Some(parents) => self.parents.extend(parents.into_iter().map(given)),
            None => self.parents.extend(rows.iter().take(outcome.batch.len())),
        }
        self.last.resize(self.parents.len(), true);
        self.batches.push(outcome.batch);
        self.changed |= outcome.changed;
    }

    /// All of them, in the order of the messages.
    fn join(mut self, given: &Batch) -> Outcome {
        let parent = |output: &u32| self.parents.get(*output as usize).copied().unwrap_or_default();
        let last = |output: &u32| self.last.get(*output as usize).copied().unwrap_or_default();
        let mut order: Vec<u32> = (0..row_number(self.parents.len())).filter(last).collect();
        order.sort_by_key(parent);
        let parents = order.iter().map(parent).collect();
        let batch = match self.batches.len() {
            1 => self.batches.pop(),
            _ => Batch::concat(self.batches).map(|all| all.select(&order)),
        };
        Outcome { batch: batch.unwrap_or_else(|| given.head(0)), parents: Some(parents), changed: self.changed }
    }
}

impl Patience {
    /// Calls with all of `len` messages, and then again with those that failed, until none is left or the patience is over.
    /// What went wrong in the end is told to `context`.
    fn persist(
        &self,
        len: usize,
        context: &mut Context<'_>,
        mut call: impl FnMut(&[u32], &mut Context<'_>) -> Result<(), RunFailed>,
    ) -> Result<(), RunFailed> {
        let mut rows: Vec<u32> = (0..row_number(len)).collect();
        for attempt in 1.. {
            let again = self.attempt(&rows, context, &mut call)?;
            if again.is_empty() {
                break;
            }
            let (again, over): (Vec<Fault>, Vec<Fault>) = again
                .into_iter()
                .partition(|fault| self.retry_of(fault).is_some_and(|retry| attempt <= retry.times.get()));
            // The run of the pipeline ends with the first that may not fail: those after it are read again.
            let end = over.iter().filter(|fault| self.is_fatal(fault)).map(|fault| fault.row).min().unwrap_or(u32::MAX);
            let again: Vec<Fault> = again.into_iter().filter(|fault| fault.row < end).collect();
            self.give_up(over, context);
            let pause = again.iter().filter_map(|fault| self.retry_of(fault)).map(|retry| retry.backoff(attempt)).max();
            let Some(pause) = pause else { break };
            rows = again.iter().map(|fault| fault.row).collect();
            if context.left.is_some() || !self.pause(pause, context) {
                // Whoever stops the pipeline need not wait: these messages are left for a later run.
                context.left = context.left.into_iter().chain(rows.iter().copied()).min();
                break;
            }
            if let Some(counts) = context.counts.get_mut(self.step) {
                counts.retried += rows.len() as u64;
            }
        }
        Ok(())
    }

    /// Calls with the messages `rows`; gives the faults that may go away.
    fn attempt(
        &self,
        rows: &[u32],
        context: &mut Context<'_>,
        call: &mut impl FnMut(&[u32], &mut Context<'_>) -> Result<(), RunFailed>,
    ) -> Result<Vec<Fault>, RunFailed> {
        let given = |index: u32| rows.get(index as usize).copied().unwrap_or(index);
        let (fatal, stop) = (self.fatal.as_slice(), context.stop);
        let (counts, live) = (&mut *context.counts, context.live);
        let mut inner = Context { counts, live, faults: Vec::new(), fatal, stop, left: None, exit: None };
        call(rows, &mut inner)?;
        let Context { faults, left, exit, .. } = inner;
        context.left = left.map(given).into_iter().chain(context.left).min();
        context.exit = exit.map(|exit| ExitRequest { row: given(exit.row), ..exit }).or(context.exit.take());
        let faults = faults.into_iter().map(|fault| Fault { row: given(fault.row), ..fault });
        let (mut again, lost): (Vec<Fault>, Vec<Fault>) = faults.partition(|fault| self.takes(fault));
        if let Some(counts) = context.counts.get_mut(self.step) {
            // Nothing is said of them yet.
            counts.errors = counts.errors.saturating_sub(again.len() as u64);
        }
        let ends = |fault: &&Fault| fault.ends(fatal);
        if let Some(end) = lost.iter().filter(ends).map(|fault| fault.row).min() {
            // The run ends there: what comes after it is read again.
            again.retain(|fault| fault.row < end);
        }
        context.faults.extend(lost);
        Ok(again)
    }

    fn give_up(&self, faults: Vec<Fault>, context: &mut Context<'_>) {
        if let Some(counts) = context.counts.get_mut(self.step) {
            counts.errors += faults.len() as u64;
        }
        context.faults.extend(faults);
    }

    fn takes(&self, fault: &Fault) -> bool {
        self.retry_of(fault).is_some()
    }

    /// How the function is called again for a message that it failed on.
    fn retry_of(&self, fault: &Fault) -> Option<Retry> {
        if fault.step != self.step || !matches!(fault.kind, FaultKind::Raised | FaultKind::Panicked) {
            return None;
        }
        fault.wish.as_deref().copied().map_or(self.retry, OnError::retry)
    }

    /// Whether a fault that is given up ends the run of the pipeline.
    fn is_fatal(&self, fault: &Fault) -> bool {
        self.retry_of(fault).is_none_or(|retry| retry.then == Policy::Fail)
    }

    /// Waits before the next attempt; false if the pipeline stops meanwhile.
    fn pause(&self, pause: Duration, context: &Context<'_>) -> bool {
        let stopped = || context.stop.load(Ordering::Acquire);
        let end = Instant::now() + pause;
        while self.waits && !stopped() {
            match end.checked_duration_since(Instant::now()) {
                Some(rest) if !rest.is_zero() => thread::sleep(rest.min(LOOK)),
                _ => break,
            }
        }
        !stopped()
    }
}
