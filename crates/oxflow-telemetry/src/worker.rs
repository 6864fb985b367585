//! The one thread that sends: it waits for batches, clocks and wishes, and never for the threads that record.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::console;
use crate::export::exporter::Exporter;
use crate::queue::{Settled, Wish};
use crate::scope::Resource;
use crate::sink::{Destination, Sink};
use crate::telemetry::Telemetry;

/// Starts the thread.
pub(crate) fn start(telemetry: &'static Telemetry) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    // Before the thread runs, so that whoever pushes from now on wakes it.
    let tasks: Vec<_> = telemetry.sinks().map(|sink| (sink, Arc::new(Notify::new()))).collect();
    for (sink, bell) in &tasks {
        sink.queue.hire(bell);
    }
    let work = move || {
        runtime.block_on(async {
            let start = |(sink, bell): (&'static Sink, Arc<Notify>)| tokio::spawn(tend(telemetry, sink, bell));
            let begun: Vec<JoinHandle<()>> = tasks.into_iter().map(start).collect();
            for task in begun {
                // One that panicked has told so already, and the others go on.
                let _ = task.await;
            }
        });
    };
    let started = thread::Builder::new().name("oxflow-telemetry".to_owned()).spawn(work).map(drop);
    if started.is_err() {
        // Or the next record would take it for granted that somebody comes.
        telemetry.sinks().for_each(|sink| sink.queue.dismiss());
    }
    started
}

/// Sends what comes to one sink, until the end.
async fn tend(telemetry: &'static Telemetry, sink: &'static Sink, bell: Arc<Notify>) {
    let mut out = Out::new(sink, telemetry.resource());
    let delay = sink.queue.limits().delay;
    let mut last = Instant::now();
    loop {
        match sink.queue.wish() {
            Wish::Nothing if delay.is_zero() => bell.notified().await,
            Wish::Nothing => {
                let left = delay.saturating_sub(last.elapsed());
                if left.is_zero() {
                    last = Instant::now();
                    out.all(telemetry).await;
                } else {
                    // Woken or not: there is a look at what is wanted.
                    let _ = tokio::time::timeout(left, bell.notified()).await;
                }
            }
            Wish::Batch => out.one().await,
            Wish::Flush => {
                last = Instant::now();
                out.all(telemetry).await;
                sink.queue.round_done();
            }
            Wish::Stop => {
                out.all(telemetry).await;
                sink.queue.last_round_done();
                return;
            }
        }
    }
}

/// The way out of one sink.
#[derive(Debug)]
struct Out {
    sink: &'static Sink,
    resource: &'static Resource,
    /// None for the console.
    exporter: Option<Exporter>,
}

impl Out {
    fn new(sink: &'static Sink, resource: &'static Resource) -> Self {
        let exporter = match &sink.destination {
            Destination::Backend(backend) => Some(Exporter::new(backend, sink.signal)),
            Destination::Console => None,
        };
        Self { sink, resource, exporter }
    }

    /// Sends one whole batch: before the next one there is a look at what else is wanted.
    async fn one(&mut self) {
        self.next(false).await;
        self.sink.tell_of_losses();
    }

    /// Sends all that there is now, not what comes meanwhile.
    async fn all(&mut self, telemetry: &'static Telemetry) {
        telemetry.collect(self.sink);
        let (entered, mut left) = self.sink.queue.progress();
        while left < entered && self.next(true).await {
            left = self.sink.queue.progress().1;
        }
        self.sink.tell_of_losses();
    }

    /// Sends one batch; whether there was one.
    async fn next(&mut self, all: bool) -> bool {
        let Some(batch) = self.sink.queue.take(all) else { return false };
        let (records, bytes) = (batch.records(), batch.bytes());
        let Some(exporter) = &mut self.exporter else {
            console::write(&batch.plain());
            self.sink.queue.settle(bytes, Settled { delivered: records, ..Settled::default() });
            return true;
        };
        let sent = exporter.send(batch, self.resource, &self.sink.queue).await;
        self.sink.queue.settle(bytes, sent.settled);
        if let Some(why) = sent.problem {
            self.sink.lost(&why);
        }
        true
    }
}
