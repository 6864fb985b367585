//! What extensions record: their log records, spans and measurements, and whom they belong to.
//!
//! A module is given a table (`api`) when it is taken, and calls it from whatever thread it records something on. Each thread
//! knows where it is (`scope`): a lane and the step that it is in, or a call from plain Python. From there a record has its
//! step, its place in a trace and the [`Recorder`] that it goes to, that of a run. All of this is found out when something is
//! recorded: a message that records nothing pays nothing.
//!
//! ```text
//! module --- log ------> scope ---> queue, bounded: what finds no room is counted ---> whoever waits for the run
//!       \--- span_* ---> scope ---> totals by name ------------------------------\
//!        \-- measure --> shard of the lane --------------------------------------- > report of the run
//! ```
//!
//! Where the run or the process has an exporter, all of it goes there, too, from the thread that records it.
//!
//! Nothing here waits, and nothing here knows where records are shown.

mod api;
mod buckets;
mod held;
mod instruments;
mod levels;
mod modules;
mod process;
mod queue;
mod record;
mod recorder;
mod scope;
mod shard;
mod span;
#[cfg(test)]
mod tests;

pub use instruments::INSTRUMENTS;
pub use levels::Levels;
pub(crate) use modules::introduce;
pub use process::{export_outside, forked, set_levels};
pub use queue::{QUEUE_BYTES, QUEUE_RECORDS};
pub use record::{Record, Value};
pub(crate) use recorder::Notice;
pub use recorder::{LogCount, Recorded, Recorder, SpanTotal};
pub(crate) use scope::in_span;
pub use scope::{directly, innermost, lane};
pub use shard::{Metric, Reading};
