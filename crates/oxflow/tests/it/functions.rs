//! The functions that the tests run. Their types are private, as those of users often are.

use oxflow::{Bytes, Message, Payload};
use serde::{Deserialize, Serialize};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A measurement.
///
/// With more to say.
#[derive(Serialize, Deserialize, Payload)]
struct Reading {
    sensor: String,
    value: f64,
}

oxflow::rust_function!(
    /// Doubles the value.
    Double, Reading, Reading, |msg: Message<Reading>| -> Reading {
        let (reading, _) = msg.take();
        Reading { value: reading.value * 2.0, ..reading }
    }
);

oxflow::rust_function!(Identity, Reading, Reading, |msg| msg.take().0);

/// Fails on negative values, panics on 13.
#[oxflow::function]
fn checked(mut msg: Message<Reading>) -> Result<Reading, std::num::ParseIntError> {
    msg = msg.map(|reading| reading);
    assert!(msg.payload().value < 13.0 || msg.payload().value > 13.0, "{} is unlucky", msg.payload().sensor);
    if msg.payload().value < 0.0 {
        "minus".parse::<u8>()?;
    }
    Ok(msg.take().0)
}

oxflow::rust_function!(Label, Reading, String, |msg: Message<Reading>| -> Message<String> {
    let stamp = msg.timestamp() + 1;
    let name = String::from_utf8_lossy(msg.key().unwrap_or(b"none")).into_owned();
    msg.map(|reading| reading.sensor)
        .with_key(format!("{name}!"))
        .with_headers([("a", "1"), ("b", "")])
        .with_timestamp(stamp)
});

oxflow::rust_function!(Fresh, Reading, String, |msg: Message<Reading>| -> Message<String> {
    Message::new(msg.take().0.sensor)
});

oxflow::rust_function!(Split, Bytes, Bytes, |msg: Message<Bytes>| -> Result<Vec<Bytes>, String> {
    let parts = msg.payload().split(|&byte| byte == b' ').map(Bytes::from).collect::<Vec<_>>();
    if parts.len() > 3 { Err(format!("{} parts", parts.len())) } else { Ok(parts) }
});

oxflow::rust_function!(NotEmpty, Bytes, Bytes, |msg: Message<Bytes>| -> Option<Message<Bytes>> {
    (!msg.payload().is_empty()).then_some(msg)
});

/// By reference: selects, though `Reading` isn't `Clone`.
#[oxflow::function]
fn positive(msg: &Message<Reading>) -> bool {
    msg.payload().value > 0.0
}

/// By value on a payload that isn't `Clone`: can't select.
#[oxflow::function]
fn consumed(msg: Message<Reading>) -> bool {
    msg.take().0.value > 0.0
}

/// By value on a payload that is `Clone`; panics on `!`.
#[oxflow::function]
#[allow(clippy::needless_pass_by_value, reason = "what is tested")]
fn short(msg: Message<Bytes>) -> Result<bool, String> {
    assert_ne!(b"!", &**msg.payload(), "loud");
    if msg.payload().is_empty() { Err("empty".to_owned()) } else { Ok(msg.payload().len() < 4) }
}

/// How many `Dropped` were dropped.
pub(crate) static DROPS: AtomicUsize = AtomicUsize::new(0);

/// Its destructor panics, once it was counted.
#[derive(Serialize, Deserialize)]
struct Dropped(u32);

impl Drop for Dropped {
    fn drop(&mut self) {
        DROPS.fetch_add(1, Ordering::Relaxed);
        assert!(self.0.is_multiple_of(2), "odd ones don't go quietly");
    }
}

oxflow::convert_via_json!(Dropped);

#[oxflow::function]
fn pass(msg: Message<Dropped>) -> Message<Dropped> {
    msg
}

/// Messages that a function kept.
static KEPT: Mutex<Vec<Message<String>>> = Mutex::new(Vec::new());

/// Keeps its message and gives the one that it kept before.
#[oxflow::function]
fn delay(msg: Message<String>) -> Option<Message<String>> {
    let mut kept = KEPT.lock().ok()?;
    kept.push(msg);
    (kept.len() > 1).then(|| kept.remove(0))
}

#[oxflow::function]
fn origin(msg: &Message<String>) -> String {
    let origin = msg.origin();
    format!("{}/{}/{}", origin.stream(), origin.partition(), origin.offset())
}

/// How many `Thrown` were dropped.
pub(crate) static CAUGHT: AtomicUsize = AtomicUsize::new(0);

/// What a panic may carry; its destructor may panic itself.
struct Thrown(u64);

impl Drop for Thrown {
    fn drop(&mut self) {
        CAUGHT.fetch_add(1, Ordering::Relaxed);
        assert!(self.0.is_multiple_of(2), "odd ones don't go quietly");
    }
}

#[oxflow::function]
#[allow(clippy::panic, reason = "what is tested")]
fn throw(msg: Message<u64>) -> bool {
    std::panic::panic_any(Thrown(msg.take().0))
}

/// Panics with a value that isn't text, and on a thread of its own with one that is.
#[oxflow::function]
#[allow(clippy::panic, reason = "what is tested")]
fn odd(msg: &Message<u64>) -> bool {
    let joined = std::thread::spawn(|| std::panic::resume_unwind(Box::new("not ours"))).join();
    assert!(joined.is_err());
    std::panic::panic_any(*msg.payload())
}
