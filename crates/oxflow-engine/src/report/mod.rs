//! What a run did, step by step. One form serves the end of a run, a look at a run that goes on, and every display.

mod text;

use std::sync::Arc;

use serde::Serialize;

pub(crate) use self::text::printable;
pub use self::text::{duration, text};
use crate::config::Delivery;
use crate::diagnostic::Code;
use crate::host::Recorded;
use crate::plan::{Language, Operation, Place, Plan, Step};
use crate::run::{Live, StepCounts};

/// Number of the source among the steps of a report.
pub const SOURCE: usize = 0;

/// A step as reports name it.
#[derive(Clone, Debug)]
pub struct StepInfo {
    /// Its name.
    pub name: String,
    /// `source`, `map`, `filter`, ...
    pub kind: &'static str,
    /// Language of the run that it belongs to; none where the engine itself does the work.
    pub language: Option<Language>,
    /// Where the user wrote it.
    pub place: Option<Place>,
}

impl StepInfo {
    /// The source of a plan.
    pub fn source(plan: &Plan) -> Self {
        Self { name: plan.source.name.clone(), kind: "source", language: None, place: plan.source.place.clone() }
    }

    /// A step of a plan; what runs it is known once the plan is lowered.
    pub fn of(step: &Step) -> Self {
        let kind = match &step.operation {
            Operation::Map(_) => "map",
            Operation::FlatMap(_) => "flat_map",
            Operation::Filter(_) => "filter",
            Operation::Route(_) => "route",
            Operation::Batch(_) => "batch",
            Operation::Parser(_) => "parser",
            Operation::Serializer(_) => "serializer",
            Operation::Broadcast(_) => "broadcast",
            Operation::Sink(_) => "sink",
        };
        Self { name: step.name.clone(), kind, language: None, place: step.place.clone() }
    }
}

/// How a run stands or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It goes on.
    Running,
    /// Everything that was read is settled.
    Drained,
    /// An error ended it.
    Failed,
}

/// What a run did.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// How it stands.
    pub status: Status,
    /// True if the source was read to its end.
    pub ended: bool,
    /// What is promised about each message.
    pub delivery: Delivery,
    /// Seconds since its start.
    pub elapsed_s: f64,
    /// Number of lanes.
    pub lanes: usize,
    /// Messages read from the source.
    pub messages_in: u64,
    /// Messages written to sinks.
    pub messages_out: u64,
    /// Each step, the source first.
    pub steps: Vec<StepReport>,
    /// Each partition of the source.
    pub sources: Vec<PartitionReport>,
    /// The first messages that failed and were left out.
    pub skipped: Vec<Skipped>,
    /// The step that asked the process to end, if one did.
    pub exit: Option<Exit>,
    /// The checkpoint from which a later run goes on, where one lies there.
    pub checkpoint: Option<String>,
    /// True if the run went on where an earlier one had stopped.
    pub resumed: bool,
    /// What extensions recorded.
    pub recorded: Recorded,
}

impl Report {
    /// Of a run that was drained before it had started: it read nothing, so it lost nothing.
    pub fn unstarted() -> Self {
        Self {
            status: Status::Drained,
            ended: false,
            delivery: Delivery::AtLeastOnce,
            elapsed_s: 0.0,
            lanes: 0,
            messages_in: 0,
            messages_out: 0,
            steps: Vec::new(),
            sources: Vec::new(),
            skipped: Vec::new(),
            exit: None,
            checkpoint: None,
            resumed: false,
            recorded: Recorded::default(),
        }
    }
}

/// Most failed messages that a report shows; the counters count them all.
pub const SKIPPED_SHOWN: usize = 10;

/// A message that failed and was left out.
#[derive(Clone, Debug, Serialize)]
pub struct Skipped {
    /// Name of the step.
    pub step: String,
    /// Where the message came from.
    pub origin: String,
    /// Code of the error.
    pub code: Code,
    /// Class of the error and what it says.
    pub error: String,
}

/// A step asked the process to end: the run stopped before the message that it was called with.
#[derive(Clone, Debug, Serialize)]
pub struct Exit {
    /// How it asked, `SystemExit`.
    pub error: &'static str,
    /// Name of the step.
    pub step: String,
    /// Where the message came from.
    pub origin: String,
    /// What it passed along, as it would be written in its language; empty if nothing.
    pub passed: String,
    /// The exit code that it asked for.
    pub code: u8,
}

/// What one step did.
#[derive(Clone, Debug, Serialize)]
pub struct StepReport {
    /// Its name.
    pub name: String,
    /// `source`, `map`, `filter`, ...
    pub kind: &'static str,
    /// Language of the run that it belongs to; none where the engine itself does the work.
    pub language: Option<Language>,
    /// Messages that came in.
    pub messages_in: u64,
    /// Messages that went out.
    pub messages_out: u64,
    /// Messages that failed.
    pub errors: u64,
    /// Failed messages that were left out.
    pub skipped: u64,
    /// Failed messages that were written to the dead letters.
    pub dead_lettered: u64,
    /// Calls that were made again for a message that failed.
    pub retried: u64,
    /// Fields of messages that were dropped because the step's type doesn't name them.
    pub unknown_fields: u64,
    /// Seconds spent in the step, summed over the lanes.
    pub time_s: f64,
    /// How many of these were spent in waiting for the interpreter.
    pub waiting_s: f64,
    /// Messages that are in the step at this moment: what a lane carries through it, and what it gathers.
    pub in_flight: u64,
    /// Lanes that are in the step at this moment; one that waits for input is in the source.
    pub busy_lanes: u64,
}

/// How far one partition came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartitionReport {
    /// Logical name of the stream.
    pub stream: String,
    /// Number of the partition.
    pub partition: u32,
    /// The file, where it is one.
    pub name: String,
    /// Where reading went on in a run that was resumed; none if it began at the beginning. Counted as `committed`.
    pub resumed_at: Option<u64>,
    /// Where reading would go on; none if nothing was settled that every sink has written out. In a file: bytes of its uncompressed content.
    pub committed: Option<u64>,
    /// Bytes of the file that were read, as it lies on the disk; none of a pipe, or where there is no file.
    pub position_bytes: Option<u64>,
    /// Length of the file when it was opened.
    pub size_bytes: Option<u64>,
    /// Of a topic: the offset that its next message gets, as the broker said last.
    pub end: Option<u64>,
    /// Of a topic: how many offsets lie between what the group has committed and its end, as the broker said last.
    pub lag: Option<u64>,
}

impl StepReport {
    /// Joins step number `index` with its counters and with what the lanes show of it.
    pub(crate) fn new(index: usize, step: &StepInfo, counts: StepCounts, live: &[Arc<Live>]) -> Self {
        Self {
            name: step.name.clone(),
            kind: step.kind,
            language: step.language,
            messages_in: counts.messages_in,
            messages_out: counts.messages_out,
            errors: counts.errors,
            skipped: counts.skipped,
            dead_lettered: counts.dead_lettered,
            retried: counts.retried,
            unknown_fields: counts.unknown_fields,
            time_s: counts.time.as_secs_f64(),
            waiting_s: counts.waiting.as_secs_f64(),
            in_flight: live.iter().map(|lane| lane.in_flight(index) as u64).sum(),
            busy_lanes: live.iter().map(|lane| u64::from(lane.is_in(index))).sum(),
        }
    }
}

/// Adds the counters of several lanes, step by step.
pub fn sum<'a>(lanes: impl IntoIterator<Item = &'a [StepCounts]>, steps: usize) -> Vec<StepCounts> {
    let mut total = vec![StepCounts::default(); steps];
    for lane in lanes {
        for (total, counts) in total.iter_mut().zip(lane) {
            total.messages_in += counts.messages_in;
            total.messages_out += counts.messages_out;
            total.errors += counts.errors;
            total.skipped += counts.skipped;
            total.dead_lettered += counts.dead_lettered;
            total.retried += counts.retried;
            total.unknown_fields += counts.unknown_fields;
            total.time += counts.time;
            total.waiting += counts.waiting;
        }
    }
    total
}
