//! The work of `benches/streams` as a program without Python: the pipeline in `pipeline.yaml`, over the same types as the loop.

#[path = "../../streams/steps/src/borrowed.rs"]
mod borrowed;
#[path = "../../streams/steps/src/event.rs"]
mod event;

use oxflow::Message;

use borrowed::{BorrowedEnriched, BorrowedEvent};
use event::{Enriched, Event};

/// Keeps what is active.
#[oxflow::function]
fn is_active(msg: &Message<Event>) -> bool {
    msg.payload().active
}

/// Adds what can be worked out.
#[oxflow::function]
fn enrich(msg: Message<Event>) -> Enriched {
    msg.take().0.into()
}

/// Keeps what is active, as it lies in the message.
#[oxflow::function]
fn is_active_borrowed(msg: &Message<BorrowedEvent<'_>>) -> bool {
    msg.payload().active
}

/// Adds what can be worked out to what lies in the message.
#[oxflow::function]
fn enrich_borrowed<'e>(msg: Message<BorrowedEvent<'e>>) -> BorrowedEnriched<'e> {
    msg.take().0.into()
}

oxflow::main_function!();
