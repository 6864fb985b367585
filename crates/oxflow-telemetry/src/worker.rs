//! The one thread that sends: it waits for batches, clocks and wishes, and never for the threads that record. What may stand still, a
//! reader of the console or a function that is asked for measurements, is called on threads beside it.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::console;
use crate::export::exporter::Exporter;
use crate::queue::{Settled, Wish};
use crate::scope::Resource;
use crate::sink::{Destination, Sink};
use crate::telemetry::Telemetry;

/// How long a task that panicked is left alone.
const REST: Duration = Duration::from_secs(1);

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
            let start = |(sink, bell): (&'static Sink, Arc<Notify>)| tokio::spawn(keep(telemetry, sink, bell));
            let begun: Vec<JoinHandle<()>> = tasks.into_iter().map(start).collect();
            for task in begun {
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

/// Sends what comes to one sink, until the end, also after a panic, which has told of itself: it costs the batch that was in hand.
async fn keep(telemetry: &'static Telemetry, sink: &'static Sink, bell: Arc<Notify>) {
    while tokio::spawn(tend(telemetry, sink, Arc::clone(&bell))).await.is_err() {
        tokio::time::sleep(REST).await;
        bell.notify_one();
    }
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
        let sink = self.sink;
        // One that panicked has told so already.
        let _ = tokio::task::spawn_blocking(move || telemetry.collect(sink)).await;
        let (entered, mut left) = self.sink.queue.progress();
        while left < entered && self.next(true).await {
            left = self.sink.queue.progress().1;
        }
        self.sink.tell_of_losses();
    }

    /// Sends one batch; whether there was one.
    async fn next(&mut self, all: bool) -> bool {
        let Some(batch) = self.sink.queue.take(all) else { return false };
        let taken = Taken { sink: self.sink, records: batch.records(), bytes: batch.bytes(), is_settled: false };
        let Some(exporter) = &mut self.exporter else {
            let _ = tokio::task::spawn_blocking(move || console::write(&batch.plain())).await;
            let delivered = taken.records;
            taken.settle(Settled { delivered, ..Settled::default() });
            return true;
        };
        let sent = exporter.send(batch, self.resource, &self.sink.queue).await;
        taken.settle(sent.settled);
        if let Some(why) = sent.problem {
            self.sink.lost(&why);
        }
        true
    }
}

/// A batch in hand. If nobody settles it, since there was a panic, it is lost, and counted.
struct Taken {
    sink: &'static Sink,
    records: u64,
    bytes: usize,
    is_settled: bool,
}

impl Taken {
    fn settle(mut self, settled: Settled) {
        self.is_settled = true;
        self.sink.queue.settle(self.bytes, settled);
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if !self.is_settled {
            self.sink.queue.settle(self.bytes, Settled { undelivered: self.records, ..Settled::default() });
            self.sink.lost("sending them panicked");
        }
    }
}
