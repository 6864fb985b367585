//! Where records of one kind go, and what became of them.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::console;
use crate::export::Backend;
use crate::queue::{Counts, Queue};
use crate::signal::Signal;

/// Where records of one kind go. Lives as long as the process.
#[derive(Debug)]
pub(crate) struct Sink {
    pub(crate) signal: Signal,
    pub(crate) destination: Destination,
    pub(crate) queue: Queue,
    /// The first loss was told.
    is_told: AtomicBool,
}

#[derive(Debug)]
pub(crate) enum Destination {
    Backend(Backend),
    Console,
}

/// What became of the records of a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkStats {
    /// What they are.
    pub signal: Signal,
    /// Where they go.
    pub destination: String,
    /// How many.
    pub counts: Counts,
}

impl Sink {
    pub(crate) fn new(signal: Signal, destination: Destination, queue: Queue) -> Self {
        Self { signal, destination, queue, is_told: AtomicBool::new(false) }
    }

    pub(crate) fn stats(&self) -> SinkStats {
        let destination = match &self.destination {
            Destination::Backend(backend) => backend.shown(),
            Destination::Console => "console".to_owned(),
        };
        SinkStats { signal: self.signal, destination, counts: self.queue.counts() }
    }

    /// Tells of the first loss, on standard error: not as a record, which could be lost again, and so for ever.
    pub(crate) fn lost(&self, why: &str) {
        if !self.is_told.swap(true, Ordering::Relaxed) {
            let SinkStats { signal, destination, counts } = self.stats();
            let (signal, dropped) = (signal.name(), counts.dropped.total());
            console::say(&format!(
                "{dropped} {signal} for {destination} were lost: {why} (said once; `stats()` counts on)"
            ));
        }
    }

    /// Tells of what waits still at an end that won't wait for it, unless a loss was told of.
    pub(crate) fn tell_of_waiting(&self) {
        let SinkStats { signal, destination, counts } = self.stats();
        if counts.queued > 0 && !self.is_told.swap(true, Ordering::Relaxed) {
            let (signal, queued) = (signal.name(), counts.queued);
            console::say(&format!(
                "{queued} {signal} for {destination} were not delivered in time: is the collector there? (said once)"
            ));
        }
    }

    /// Tells of the first loss if there was one that nobody told of.
    pub(crate) fn tell_of_losses(&self) {
        if self.is_told.load(Ordering::Relaxed) {
            return;
        }
        let dropped = self.queue.counts().dropped;
        if dropped.full > 0 {
            self.lost("the queue was full");
        }
    }
}
