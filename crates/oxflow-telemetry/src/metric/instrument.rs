//! Something that is measured.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use super::number::Number;
use super::stream::{Point, Reader, Stream};
use super::view::Aggregation;
use super::write;
use crate::attributes::Attributes;
use crate::batch::Batch;
use crate::clock;
use crate::fork::{self, Forgets, Held, Keeps};
use crate::scope::Scope;
use crate::telemetry::Telemetry;

/// What an instrument measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InstrumentKind {
    /// What only grows.
    Counter,
    /// What grows and shrinks.
    UpDownCounter,
    /// How values are distributed.
    Histogram,
    /// What is now.
    Gauge,
    /// What only grows, and is asked for.
    ObservableCounter,
    /// What grows and shrinks, and is asked for.
    ObservableUpDownCounter,
    /// What is now, and is asked for.
    ObservableGauge,
}

impl InstrumentKind {
    /// The kind of this name, `up_down_counter`.
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "counter" => Self::Counter,
            "up_down_counter" => Self::UpDownCounter,
            "histogram" => Self::Histogram,
            "gauge" => Self::Gauge,
            "observable_counter" => Self::ObservableCounter,
            "observable_up_down_counter" => Self::ObservableUpDownCounter,
            "observable_gauge" => Self::ObservableGauge,
            _ => return None,
        })
    }

    /// Whether it is asked for, instead of told.
    pub fn is_observable(self) -> bool {
        matches!(self, Self::ObservableCounter | Self::ObservableUpDownCounter | Self::ObservableGauge)
    }

    pub(crate) fn only_grows(self) -> bool {
        matches!(self, Self::Counter | Self::ObservableCounter)
    }
}

/// What an instrument is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// What it measures.
    pub kind: InstrumentKind,
    /// Its name.
    pub name: String,
    /// The unit, may be empty.
    pub unit: String,
    /// What it measures in words, may be empty.
    pub description: String,
    /// Where the buckets of a histogram end, if no view says otherwise.
    pub bounds: Option<Vec<f64>>,
}

/// One value that was asked for.
#[derive(Debug)]
pub struct Observation {
    /// The value.
    pub number: Number,
    /// What it belongs to.
    pub attributes: Attributes,
}

/// Who is asked for values.
pub trait Observe: Send + Sync + fmt::Debug {
    /// The values now. Called on the thread that collects, which holds no lock.
    fn observe(&self) -> Vec<Observation>;
}

/// Something that is measured. Lives as long as the process.
#[derive(Debug)]
pub struct Instrument {
    pub(super) draft: Draft,
    pub(super) scope: Arc<Scope>,
    /// Whether anyone reads it.
    is_read: AtomicBool,
    streams: Mutex<Streams>,
    observers: Mutex<Observers>,
}

#[derive(Debug, Default)]
struct Streams {
    all: Vec<Stream>,
    /// Whose thread collects; it is woken by the first measurement.
    asleep: Option<&'static Telemetry>,
    reader: Option<&'static Telemetry>,
}

#[derive(Debug, Default)]
struct Observers(Vec<Arc<dyn Observe>>);

impl Forgets for Streams {
    fn forget(&mut self) {
        let now_ns = clock::now_ns();
        self.all.iter_mut().for_each(|stream| stream.forget(now_ns));
        self.asleep = self.reader;
    }
}

impl Forgets for Observers {
    /// A child asks whom its parent asked.
    fn forget(&mut self) {}
}

/// Both locks.
struct Both(MutexGuard<'static, Streams>, #[expect(dead_code, reason = "it is held")] MutexGuard<'static, Observers>);

impl Held for Both {
    fn forget(&mut self) {
        Forgets::forget(&mut *self.0);
    }
}

impl Keeps for Instrument {
    fn hold(&'static self) -> Box<dyn Held> {
        Box::new(Both(self.streams(), fork::lock(&self.observers)))
    }
}

impl Instrument {
    pub(super) fn new(draft: Draft, scope: Arc<Scope>) -> Self {
        let (streams, observers) = (Mutex::default(), Mutex::default());
        Self { draft, scope, is_read: AtomicBool::new(false), streams, observers }
    }

    /// Whether anyone reads it: what is measured before is passed over.
    pub fn is_read(&self) -> bool {
        self.is_read.load(Ordering::Relaxed)
    }

    /// What it is made of.
    pub fn draft(&self) -> &Draft {
        &self.draft
    }

    /// Takes a measurement. What isn't a finite number is passed over, as is what would make a counter shrink; returns
    /// whether it was taken.
    pub fn record(&self, number: Number, attributes: Attributes) -> bool {
        if !number.is_finite() || (self.draft.kind.only_grows() && number.is_negative()) {
            return false;
        }
        if self.is_read() {
            let attributes = attributes.sorted();
            let mut streams = self.streams();
            streams.all.iter_mut().for_each(|stream| stream.take(number, &attributes));
            let asleep = streams.asleep.take();
            drop(streams);
            asleep.into_iter().for_each(Telemetry::wake);
        }
        true
    }

    /// Asks this one, too, whenever it is collected.
    pub fn ask(&self, observer: Arc<dyn Observe>) {
        fork::lock(&self.observers).0.push(observer);
        let asleep = self.streams().asleep.take();
        asleep.into_iter().for_each(Telemetry::wake);
    }

    /// Whether anyone is asked.
    pub(super) fn is_asked(&self) -> bool {
        !fork::lock(&self.observers).0.is_empty()
    }

    /// Has streams for these readers, and no others.
    pub(super) fn read_by(&self, readers: &[Reader], reader: Option<&'static Telemetry>, now_ns: u64) {
        let made = readers.iter().flat_map(|reader| Stream::of(&self.draft, &self.scope, reader, now_ns)).collect();
        let mut streams = self.streams();
        *streams = Streams { all: made, asleep: reader, reader };
        self.is_read.store(!streams.all.is_empty(), Ordering::Relaxed);
    }

    /// Adds what there is for a reader to a batch.
    pub(super) fn collect(&self, reader: usize, now_ns: u64, batch: &mut Batch) {
        let observed = self.observed();
        let mut streams = self.streams();
        for stream in streams.all.iter_mut().filter(|stream| stream.reader == reader) {
            for (number, attributes) in &observed {
                stream.take(*number, attributes);
            }
            let points = stream.show();
            let start_ns = stream.start_ns;
            if stream.is_delta {
                stream.start_ns = now_ns;
            }
            if !points.is_empty() {
                let shown = Shown { draft: &self.draft, stream, points: &points, start_ns, now_ns };
                batch.add(&self.scope, points.len() as u64, |to| write::metric(to, &shown));
            }
        }
    }

    /// Asks everybody, holding no lock.
    fn observed(&self) -> Vec<(Number, Vec<u8>)> {
        if !self.draft.kind.is_observable() || !self.is_read() {
            return Vec::new();
        }
        let observers = fork::lock(&self.observers).0.clone();
        // One that panics has told so, and costs its own values alone.
        let ask =
            |observer: &Arc<dyn Observe>| catch_unwind(AssertUnwindSafe(|| observer.observe())).unwrap_or_default();
        let all = observers.iter().flat_map(ask);
        let usable = all.filter(|seen| seen.number.is_finite());
        usable.map(|seen| (seen.number, seen.attributes.sorted())).collect()
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        fork::lock(&self.streams)
    }
}

/// A metric at the moment at which it is collected.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    pub(super) draft: &'a Draft,
    pub(super) stream: &'a Stream,
    pub(super) points: &'a [(Vec<u8>, Point)],
    pub(super) start_ns: u64,
    pub(super) now_ns: u64,
}

impl Shown<'_> {
    /// Where the buckets end, if it has such.
    pub(super) fn bounds(&self) -> &[f64] {
        if let Aggregation::Histogram(bounds) = &self.stream.aggregation { bounds } else { &[] }
    }
}
