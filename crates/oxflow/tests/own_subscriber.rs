//! A user who has a subscriber and a logger keeps them, and the runtime is told once.

#![allow(clippy::expect_used)]

#[path = "recorded/host.rs"]
mod host;

use std::sync::atomic::{AtomicU32, Ordering};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

static EVENTS: AtomicU32 = AtomicU32::new(0);

struct Own;

impl Subscriber for Own {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        EVENTS.fetch_add(1, Ordering::Relaxed);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl log::Log for Own {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, _: &log::Record<'_>) {
        EVENTS.fetch_add(1, Ordering::Relaxed);
    }

    fn flush(&self) {}
}

#[test]
fn what_a_user_installed_stays_and_that_is_said_once() {
    tracing::subscriber::set_global_default(Own).expect("the first");
    log::set_logger(&Own).expect("the first");
    log::set_max_level(log::LevelFilter::Info);
    host::LEVEL.store(5, Ordering::Relaxed);
    host::attach();
    let told = [
        "log 2 oxflow::tracing in 0: this extension has a subscriber of `tracing` of its own: its records stay there",
        "log 2 oxflow::log in 0: this extension has a logger of its own: its records stay there",
    ];
    assert_eq!(told.to_vec(), host::heard());
    host::attach();
    tracing::error!("mine");
    log::error!("mine");
    assert_eq!(log::LevelFilter::Info, log::max_level());
    assert!(host::heard().is_empty());
    assert_eq!(2, EVENTS.load(Ordering::Relaxed));
}
