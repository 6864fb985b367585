//! Metrics: what is measured is added up where it is measured, and shown when it is collected.
//!
//! An **instrument** has a **stream** for each reader, and for each view that fits; a stream has a **point** for each set of
//! attributes. Who measures takes the lock of one instrument and changes its points.

mod exponential;
mod histogram;
mod instrument;
mod metrics;
mod number;
mod stream;
mod view;
mod write;

pub use instrument::{Draft, Instrument, InstrumentKind, Observation, Observe};
pub use metrics::Metrics;
pub use number::Number;
pub(crate) use stream::Reader;
pub use stream::Temporality;
pub use view::{Aggregation, View};
