//! What a run tells others of itself while it goes on: a span for each batch and for each run of steps in it, and measurements.
//!
//! Lanes know the traits here and nothing else; where nobody listens they ask once a batch. A [`Provider`] is what the process
//! has, an [`Observer`] what a run gets of it. With the feature `otlp` there is one that sends to an OpenTelemetry Collector.

#[cfg(feature = "otlp")]
pub mod otlp;
#[cfg(not(feature = "otlp"))]
#[path = "absent.rs"]
mod otlp;

pub(crate) use otlp::{check, open};

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use crate::batch::Batch;
use crate::report::StepInfo;
use crate::run::StepCounts;

/// Where the runs of this process tell of themselves.
pub trait Provider: Debug + Send + Sync {
    /// A run begins that has these steps; `system` is what its source reads, `kafka`, `file`.
    fn observe(&self, steps: &[StepInfo], system: &'static str) -> Arc<dyn Observer>;
}

/// Is told of one run, by all of its lanes.
pub trait Observer: Debug + Send + Sync {
    /// A lane begins to carry a batch; none if nobody wants to know of this one.
    fn batch(&self, lane: usize, batch: &Batch) -> Option<Box<dyn Stretch>>;
    /// A lane has carried a batch, in so much time.
    fn carried(&self, stream: &str, time: Duration);
    /// For each step what a lane has added to its counters since it told last.
    fn counted(&self, added: &[StepCounts]);
    /// A checkpoint or commit was made, in so much time.
    fn committed(&self, time: Duration);
    /// So many messages of a partition are still to come.
    fn lag(&self, stream: &str, partition: u32, messages: u64);
    /// The run has ended.
    fn end(&self);
}

/// A stretch of time that began when it was made, and ends when it is dropped.
pub trait Stretch: Debug + Send {
    /// What identifies it: the trace and the span.
    fn identity(&self) -> (u128, u64);
    /// One in it: a run of the steps with these numbers begins, with so many messages.
    fn run(&self, steps: &[usize], messages: usize) -> Box<dyn Stretch>;
    /// It fails, for this reason.
    fn fail(&self, why: &str);
}
