//! The spans that extensions hold, by number.
//!
//! `tracing` hands its numbers about as it likes: one may come back when its span is long closed, or was never made. So a number
//! is looked up, and never an address.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::span::Span;

const SHARDS: usize = 16;

static HELD: [Mutex<BTreeMap<u64, Held>>; SHARDS] = [const { Mutex::new(BTreeMap::new()) }; SHARDS];

/// A span, and how many shares in it an extension has.
struct Held {
    span: Arc<Span>,
    shares: u64,
}

/// A number for a span that is about to be made.
pub(super) fn next() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// Holds a span, with one share.
pub(super) fn hold(span: Span) -> u64 {
    let number = span.number;
    spans(number).insert(number, Held { span: Arc::new(span), shares: 1 });
    number
}

/// The span with this number, if it is held.
pub(super) fn get(number: u64) -> Option<Arc<Span>> {
    spans(number).get(&number).map(|held| Arc::clone(&held.span))
}

/// One share more.
pub(super) fn share(number: u64) {
    if let Some(held) = spans(number).get_mut(&number) {
        held.shares += 1;
    }
}

/// Gives up a share; true if it was the last one.
pub(super) fn give_up(number: u64) -> bool {
    let mut spans = spans(number);
    let Some(held) = spans.get_mut(&number) else { return false };
    held.shares -= 1;
    if held.shares > 0 {
        return false;
    }
    let last = spans.remove(&number);
    // Its end is told elsewhere, which must not wait for this lock.
    drop(spans);
    last.is_some()
}

fn spans(number: u64) -> MutexGuard<'static, BTreeMap<u64, Held>> {
    let shard = usize::try_from(number).unwrap_or_default() % SHARDS;
    // There are as many as the remainder may say.
    HELD.get(shard).unwrap_or(&HELD[0]).lock().unwrap_or_else(PoisonError::into_inner)
}
