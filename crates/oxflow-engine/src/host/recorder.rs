//! Takes what is recorded in a run, and adds it up.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::process::{generation, outside_export, process};
use super::queue::{QUEUE_BYTES, QUEUE_RECORDS, Queue};
use super::record::{Fields, Record, Site, shortened};
use super::shard::{Metric, Shard, metrics};
use crate::telemetry::Export;

/// The levels from 1 on, as reports call them.
const LEVELS: [&str; 5] = ["error", "warning", "info", "debug", "trace"];

/// What is recorded in a run, or outside of any.
#[derive(Debug)]
pub struct Recorder {
    generation: usize,
    /// Names of the steps.
    steps: Vec<String>,
    queue: Queue,
    /// Log records by step and level; the last row is for those of no step.
    counts: Vec<[AtomicU64; LEVELS.len()]>,
    /// What is measured on threads that are no lane.
    common: Arc<Shard>,
    lanes: Mutex<Vec<Arc<Shard>>>,
    is_of_run: bool,
    /// Takes it, too, if it is of a run that has one.
    export: Option<Arc<dyn Export>>,
}

/// What extensions recorded in a run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Recorded {
    /// Log records by step and level.
    pub logs: Vec<LogCount>,
    /// Log records that found no room in the queue; they are counted above, and were never shown.
    pub dropped: u64,
    /// Spans by step and name.
    pub spans: Vec<SpanTotal>,
    /// What was measured.
    pub metrics: Vec<Metric>,
}

/// What the runtime says of a lane.
#[derive(Debug)]
pub(crate) struct Notice {
    /// What it is about, as a record has it.
    pub(crate) target: &'static str,
    /// Name of the step that the lane is in.
    pub(crate) step: Option<String>,
    /// Number of the lane.
    pub(crate) lane: usize,
    /// What it says.
    pub(crate) text: String,
}

/// Number of that level, as modules have it.
const WARNING: u32 = 2;

/// How many log records a step made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogCount {
    /// Name of the step; none for a thread that is no lane.
    pub step: Option<String>,
    /// `error`, `warning`, ...
    pub level: &'static str,
    /// How many.
    pub count: u64,
}

/// How many spans of a name there were.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SpanTotal {
    /// Name of the step; none for a thread that is no lane.
    pub step: Option<String>,
    /// Name of the spans.
    pub name: String,
    /// How many ended.
    pub count: u64,
    /// Seconds from beginning to end, all together.
    pub time_s: f64,
}

impl Recorder {
    /// Of no run; `steps` are the names of steps by number.
    pub(super) fn new(steps: Vec<String>) -> Self {
        Self::with_queue(steps, Queue::bounded(QUEUE_RECORDS, QUEUE_BYTES))
    }

    pub(super) fn with_queue(steps: Vec<String>, queue: Queue) -> Self {
        Self {
            generation: generation(),
            counts: (0..=steps.len()).map(|_| Default::default()).collect(),
            steps,
            queue,
            common: Arc::default(),
            lanes: Mutex::default(),
            is_of_run: false,
            export: None,
        }
    }

    /// Of a run whose steps have these names; `export` takes what is recorded, too.
    pub fn of_run(steps: Vec<String>, export: Option<Arc<dyn Export>>) -> Arc<Self> {
        let recorder = Arc::new(Self { export, is_of_run: true, ..Self::new(steps) });
        process().enlist(&recorder);
        recorder
    }

    /// The records that wait to be shown; none in a child of the process that they were made in.
    pub fn take(&self) -> Vec<Record> {
        let mut records = if self.is_of_this_process() { self.queue.take() } else { Vec::new() };
        // Nobody else would show them.
        let outside = process().outside();
        if !std::ptr::eq(&raw const **outside, self) && self.is_of_this_process() {
            records.extend(outside.queue.take());
        }
        records
    }

    /// How often somebody took what waited.
    pub(crate) fn takes(&self) -> u64 {
        self.queue.takes()
    }

    /// True if nothing waits.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Takes what the runtime itself has to say, a warning.
    pub(crate) fn notice(&self, notice: Notice) {
        let Notice { target, step, lane, text } = notice;
        let site =
            Site { level: WARNING, name: target.into(), target: target.into(), module: None, file: None, line: 0 };
        let number = step.as_ref().and_then(|step| self.steps.iter().position(|known| known == step));
        let record = Record {
            time: SystemTime::now(),
            site,
            message: shortened(&text),
            fields: Fields::new(),
            step,
            lane: Some(lane),
            thread: None,
            span: None,
            span_fields: Fields::new(),
            trace_id: 0,
            span_id: 0,
            parent_id: 0,
            is_exported: self.export.is_some(),
        };
        self.export.iter().for_each(|export| export.log(&record));
        self.push(number, record);
    }

    /// Waits until there are records, or the run ends, `timeout` at most.
    pub fn wait(&self, timeout: Duration) {
        self.queue.wait(timeout);
    }

    /// The run has ended.
    pub fn end(&self) {
        self.queue.close();
    }

    /// What was recorded so far.
    pub fn recorded(&self) -> Recorded {
        if !self.is_of_this_process() {
            return Recorded::default();
        }
        let shards = self.shards();
        Recorded {
            logs: self.logs(),
            dropped: self.queue.dropped(),
            spans: self.spans(&shards),
            metrics: metrics(shards.iter().map(|shard| &**shard)),
        }
    }

    fn logs(&self) -> Vec<LogCount> {
        let counts = self.counts.iter().enumerate().flat_map(|(step, counts)| {
            let counts = counts.iter().map(|count| count.load(Ordering::Relaxed)).zip(LEVELS);
            let some = counts.filter(|(count, _)| *count > 0);
            some.map(move |(count, level)| LogCount { step: self.step(Some(step)), level, count })
        });
        counts.collect()
    }

    fn spans(&self, shards: &[Arc<Shard>]) -> Vec<SpanTotal> {
        let mut totals = BTreeMap::new();
        for shard in shards {
            shard.add_spans(&mut totals);
        }
        let totals = totals.into_iter().map(|((name, step), (count, time))| SpanTotal {
            step: self.step(step),
            name: name.into_owned(),
            count,
            time_s: time.as_secs_f64(),
        });
        totals.collect()
    }

    fn shards(&self) -> Vec<Arc<Shard>> {
        let lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.iter().chain([&self.common]).map(Arc::clone).collect()
    }

    /// Who takes what is recorded here in no span.
    pub(super) fn export(&self) -> Option<Arc<dyn Export>> {
        if self.is_of_run { self.export.clone() } else { outside_export() }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.queue.is_closed()
    }

    pub(super) fn is_of_this_process(&self) -> bool {
        self.generation == generation()
    }

    /// Name of a step.
    pub(super) fn step(&self, number: Option<usize>) -> Option<String> {
        number.and_then(|step| self.steps.get(step)).cloned()
    }

    pub(super) fn push(&self, step: Option<usize>, record: Record) {
        if !self.is_of_this_process() {
            return;
        }
        let row = step.filter(|step| *step < self.steps.len()).unwrap_or(self.steps.len());
        let count = self.counts.get(row).and_then(|levels| levels.get((record.level() as usize).checked_sub(1)?));
        if let Some(count) = count {
            count.fetch_add(1, Ordering::Relaxed);
            self.queue.push(record);
        }
    }

    /// A shard of its own for a lane.
    pub(super) fn shard(&self) -> Arc<Shard> {
        let shard = Arc::<Shard>::default();
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&shard));
        shard
    }

    /// The shard of all other threads.
    pub(super) fn common(&self) -> &Arc<Shard> {
        &self.common
    }
}
