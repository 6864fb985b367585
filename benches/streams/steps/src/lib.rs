//! The Rust steps of the benchmark.

mod borrowed;
mod event;

pub use borrowed::{BorrowedEnriched, BorrowedEvent};
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

/// Keeps what is active, as it lies in the message.
#[oxflow::function]
pub fn is_active_borrowed(msg: &Message<BorrowedEvent<'_>>) -> bool {
    msg.payload().active
}

/// Adds what can be worked out to what lies in the message.
#[oxflow::function]
pub fn enrich_borrowed<'e>(msg: Message<BorrowedEvent<'e>>) -> BorrowedEnriched<'e> {
    msg.take().0.into()
}

oxflow::module!(bench_steps);
