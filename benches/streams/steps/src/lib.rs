//! The Rust steps of the benchmark.

mod event;

pub use event::{Enriched, Event};

use oxflow::Message;

/// Keeps what is active.
#[oxflow::function]
pub fn is_active(msg: &Message<Event>) -> bool {
    msg.payload().active
}

/// Adds what can be worked out.
#[oxflow::function]
pub fn enrich(msg: Message<Event>) -> Enriched {
    msg.take().0.into()
}

oxflow::module!(bench_steps);
