//! Runs: steps of one language in a row, called for a batch at a time.
//!
//! A run takes a batch and gives the outputs with, for each, the message that it came from. A message that fails leaves
//! the run as a [`Fault`] and never disturbs its neighbours. What a fault means is not decided here.

mod filter;
mod foreign;
mod gather;
mod live;
mod native;
mod offer;
mod one;
mod retry;
mod route;
mod rows;
mod serialise;

pub use filter::NativeFilter;
pub use foreign::{Foreign, ForeignOperation, ForeignSpec, ForeignStep, Form};
pub use gather::{Gathering, Loans};
pub(crate) use live::{Activity, take_waiting};
pub use live::{Live, add_waiting};
pub use native::{NativeCall, NativeRun, NativeSpec};
pub use offer::Offers;
pub use one::{OneCall, OneHeld, OneLoan, OneOutput, OneRow};
pub use retry::{Patience, RetryingRouter, RetryingRun};
pub use route::{NativeRouter, Router, unrouted};
pub use serialise::Serialise;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::batch::{Batch, Metadata, row_number};
use crate::connect::Partitions;
use crate::fault::{ExitRequest, Fault};

/// Steps in a row.
pub trait Run: Send {
    /// Calls the steps for each message of the batch.
    fn apply(&mut self, batch: Batch, context: &mut Context<'_>) -> Result<Outcome, RunFailed>;
}

/// What a run made of a batch.
#[derive(Debug)]
pub struct Outcome {
    /// The outputs.
    pub batch: Batch,
    /// For each output the index of the message that it came from, ascending; absent if each message gave one output.
    pub parents: Option<Vec<u32>>,
    /// True if a function changed more of a message than its payload.
    pub changed: bool,
}

/// A run that could not do its work at all. A message that fails is a [`Fault`] instead.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct RunFailed {
    /// What happened.
    pub text: String,
}

/// Counters of one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepCounts {
    /// Messages that came in.
    pub messages_in: u64,
    /// Messages that went out.
    pub messages_out: u64,
    /// Messages that failed.
    pub errors: u64,
    /// Messages of the source that were left out since they failed, each once, on however many of its outputs the step failed.
    pub skipped: u64,
    /// Those that were written to the dead letters, likewise.
    pub dead_lettered: u64,
    /// Calls that were made again for a message that failed.
    pub retried: u64,
    /// Fields of messages that were dropped because the step's type doesn't name them.
    pub unknown_fields: u64,
    /// Time spent in the step.
    pub time: Duration,
    /// How much of it was spent in waiting for the other language's runtime.
    pub waiting: Duration,
}

impl StepCounts {
    /// What came to the counters since they were `before`; nothing where what was counted is undone.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            messages_in: self.messages_in.saturating_sub(before.messages_in),
            messages_out: self.messages_out.saturating_sub(before.messages_out),
            errors: self.errors.saturating_sub(before.errors),
            skipped: self.skipped.saturating_sub(before.skipped),
            dead_lettered: self.dead_lettered.saturating_sub(before.dead_lettered),
            retried: self.retried.saturating_sub(before.retried),
            unknown_fields: self.unknown_fields.saturating_sub(before.unknown_fields),
            time: self.time.saturating_sub(before.time),
            waiting: self.waiting.saturating_sub(before.waiting),
        }
    }
}

/// What a run is told and what it reports, beside its outputs.
#[derive(Debug)]
pub struct Context<'a> {
    /// Counters of all steps of the pipeline.
    pub counts: &'a mut [StepCounts],
    /// What the lane shows of itself.
    pub live: &'a Live,
    /// Messages that failed.
    pub faults: Vec<Fault>,
    /// For each step of the pipeline: whether a fault in it ends the run of the pipeline.
    pub fatal: &'a [bool],
    /// Set when the pipeline is to stop: a run then leaves what it has not begun.
    pub stop: &'a AtomicBool,
    /// Index of the first message that was left, with all after it, because the pipeline stops.
    pub left: Option<u32>,
    /// What a function said that asked the process to end.
    pub exit: Option<ExitRequest>,
}

impl Context<'_> {
    /// Adds to the counters of a step.
    pub fn count(&mut self, step: usize, messages_in: usize, messages_out: usize, started: Instant) {
        let now = Instant::now();
        self.count_messages(step, messages_in, messages_out);
        self.count_time(step, now.duration_since(started), now);
    }

    /// Adds messages to the counters of a step.
    pub fn count_messages(&mut self, step: usize, messages_in: usize, messages_out: usize) {
        if let Some(counts) = self.counts.get_mut(step) {
            counts.messages_in += messages_in as u64;
            counts.messages_out += messages_out as u64;
        }
    }

    /// Adds time that a step took until `now`.
    pub fn count_time(&mut self, step: usize, time: Duration, now: Instant) {
        if let Some(counts) = self.counts.get_mut(step) {
            counts.time += time;
            counts.waiting += take_waiting().min(time);
        }
        self.live.show_at(now, self.counts);
    }

    /// Adds the fields that decoding dropped to the step that wanted the payload.
    pub fn count_unknown(&mut self, step: usize, fields: u64) {
        if let Some(counts) = self.counts.get_mut(step) {
            counts.unknown_fields += fields;
        }
    }

    /// Adds what this thread waited for the other language's runtime to a step that could not begin without it.
    pub fn count_waiting(&mut self, step: usize) {
        if let Some(counts) = self.counts.get_mut(step) {
            let waiting = take_waiting();
            counts.time += waiting;
            counts.waiting += waiting;
        }
    }

    /// Adds what was counted elsewhere to the counters of a step.
    pub fn add(&mut self, step: usize, counted: StepCounts) {
        if let Some(counts) = self.counts.get_mut(step) {
            counts.messages_in += counted.messages_in;
            counts.messages_out += counted.messages_out;
            counts.time += counted.time;
        }
    }

    /// Takes a fault; true if it ends the run, so that no later message needs to be handled.
    pub fn fail(&mut self, fault: Fault) -> bool {
        if let Some(counts) = self.counts.get_mut(fault.step) {
            counts.errors += 1;
        }
        let ends = fault.ends(self.fatal);
        self.faults.push(fault.shortened());
        ends
    }

    /// Asked between messages: true if the pipeline stops, so that message `next` and all after it are left.
    pub fn leaves(&mut self, next: usize) -> bool {
        let leaves = next > 0 && self.stop.load(Ordering::Acquire);
        if leaves {
            self.left = Some(row_number(next));
        }
        leaves
    }

    /// Stops the pipeline before the message whose function asked for it.
    pub fn exit(&mut self, request: ExitRequest) {
        self.stop.store(true, Ordering::Release);
        self.left = Some(request.row);
        self.exit = Some(request);
    }
}

/// Where a message came from, for people. Files are called by their name and line, others by partition and offset.
pub fn describe_origin(row: Metadata<'_>, partitions: &Partitions) -> String {
    let known = partitions.get(row.slot());
    let name = known.as_ref().map_or("", |known| &known.name);
    match line(row, name) {
        Some(line) => format!("{name}, line {line}"),
        None => format!("stream {}, partition {}, offset {}", row.stream(), row.partition(), row.offset()),
    }
}

/// The line that a message is in its file, from 1; `name` is that of its partition.
pub fn line(row: Metadata<'_>, name: &str) -> Option<i64> {
    (name == "stdin" || std::path::Path::new(name).exists()).then(|| row.offset() + 1)
}
