//! What a run tells others of itself while it goes on: a span for each batch and for each run of steps in it, and measurements.
//!
//! Lanes know the traits here and nothing else; where nobody listens they ask once a batch. A [`Provider`] is what the process
//! has, an [`Observer`] what a run gets of it. What extensions record goes to an [`Export`]. With the feature `otlp` there is one that sends to an OpenTelemetry Collector.

#[cfg(feature = "otlp")]
pub mod otlp;
#[cfg(not(feature = "otlp"))]
#[path = "absent.rs"]
mod otlp;

pub use otlp::Context;
pub(crate) use otlp::{check, open};

use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use crate::batch::Batch;
use crate::host::{Record, Value};
use crate::report::StepInfo;
use crate::run::StepCounts;

/// Where the runs of this process tell of themselves.
pub trait Provider: Debug + Send + Sync {
    /// A run begins that has these steps; `system` is what its source reads, `kafka`, `file`.
    fn observe(&self, steps: &[StepInfo], system: &'static str) -> Arc<dyn Observer>;
}

/// Is told of one run, by all of its lanes.
pub trait Observer: Debug + Send + Sync {
    /// A lane begins to carry a batch.
    fn batch(&self, lane: usize, batch: &Batch) -> Box<dyn Stretch>;
    /// A lane has carried a batch, in so much time.
    fn carried(&self, stream: &str, time: Duration);
    /// For each step what a lane has added to its counters since it told last.
    fn counted(&self, added: &[StepCounts]);
    /// A checkpoint or commit was made, in so much time.
    fn committed(&self, time: Duration);
    /// So many messages of a partition are still to come.
    fn lag(&self, stream: &str, partition: u32, messages: u64);
    /// Takes what extensions record in the run, in none of its spans.
    fn export(&self) -> Arc<dyn Export>;
    /// The run has ended.
    fn end(&self);
}

/// A stretch of time that began when it was made, and ends when it is dropped.
pub trait Stretch: Debug + Send {
    /// Takes what extensions record in it.
    fn export(&self) -> Arc<dyn Export>;
    /// One in it: a run of the steps with these numbers begins, with so many messages.
    fn run(&self, steps: &[usize], messages: usize) -> Box<dyn Stretch>;
    /// It fails, for this reason.
    fn fail(&self, why: &str);
}

/// Takes what extensions record in one place of a trace: in a span of a run, of an extension or of the program around, or in none.
pub trait Export: Debug + Send + Sync {
    /// The trace and the span; none outside of any.
    fn identity(&self) -> Option<(u128, u64)>;
    /// The same, as who sends it has it.
    fn context(&self) -> Option<&Context>;
    /// A log record was made here.
    fn log(&self, record: &Record);
    /// An extension begins a span here. Only [`Self::end`] ends it.
    fn span(&self, made: &Begun<'_>) -> Arc<dyn Export>;
    /// Sets a value of the span that this is.
    fn set(&self, name: &str, value: &Value);
    /// Ends the span that this is.
    fn end(&self);
    /// An extension measured something.
    fn measure(&self, measured: &Measured<'_>);
}

/// A span that an extension begins.
#[derive(Debug)]
pub struct Begun<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is about, `my_steps::parser`.
    pub target: &'a str,
    /// The file and the line.
    pub place: Option<(&'a str, u32)>,
    /// The step that it is made in.
    pub step: Option<&'a str>,
    /// What is known of it.
    pub fields: &'a [(Cow<'static, str>, Value)],
}

/// What an extension measured.
#[derive(Debug)]
pub struct Measured<'a> {
    /// Number of the instrument in the process, from 1 to [`crate::host::INSTRUMENTS`].
    pub number: u32,
    /// The extension's module.
    pub module: &'static str,
    /// Name of the instrument.
    pub name: &'static str,
    /// What it measures.
    pub doc: &'static str,
    /// How much.
    pub amount: Amount,
    /// Which of several things.
    pub attributes: &'a [(&'a str, &'a str)],
}

/// How much was measured, and by what.
#[derive(Clone, Copy, Debug)]
pub enum Amount {
    /// A counter: so many more.
    Count(u64),
    /// A gauge: this is it now.
    Level(f64),
    /// A histogram: one value.
    Sample(f64),
}
