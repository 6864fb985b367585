//! Where a lane keeps what is measured in it: no other lane writes there. A report adds the shards up.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use oxflow::abi::host::InstrumentKind;
use serde::Serialize;

use super::buckets::Buckets;
use super::instruments::{INSTRUMENTS, instrument};
use super::record::Text;

/// Most sets of attributes of an instrument.
const SETS: usize = 64;
/// Most kinds of spans of a lane.
const SPANS: usize = 256;
/// The attribute of what came in more sets than that.
const OVERFLOW: &str = "oxflow.overflow";
/// The name of the spans that came under more names than that.
const OTHERS: &str = "(others)";

/// Orders the gauges of several lanes in time.
static MOMENT: AtomicU64 = AtomicU64::new(0);

/// Names and values.
pub(super) type Attributes = BTreeMap<String, String>;

/// What is measured in one lane.
#[derive(Debug)]
pub(super) struct Shard {
    /// By number of the instrument: counters without attributes, the most frequent ones.
    counters: Box<[AtomicU64]>,
    hasher: RandomState,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// By hash of instrument and attributes, so that nothing is copied to find one.
    series: HashMap<u64, Series>,
    sets: HashMap<u32, usize>,
    spans: HashMap<(Text, Option<usize>), (u64, Duration)>,
}

#[derive(Clone, Debug)]
struct Series {
    instrument: u32,
    attributes: Attributes,
    reading: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Counter(u64),
    Gauge { last: f64, moment: u64 },
    Histogram(Box<Distribution>),
}

#[derive(Clone, Debug)]
struct Distribution {
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
    buckets: Buckets,
}

/// What an instrument says at the end, or so far.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reading {
    /// What was counted.
    Counter {
        /// The sum.
        total: u64,
    },
    /// What was set.
    Gauge {
        /// The last value.
        last: f64,
    },
    /// What was recorded.
    Histogram {
        /// How many values.
        count: u64,
        /// Their sum.
        sum: f64,
        /// The least.
        min: f64,
        /// The greatest.
        max: f64,
        /// How many buckets a doubling has, as a power of two: bucket `i` ends at `2^((i + 1) / 2^scale)`.
        scale: i32,
        /// Values that are zero or less.
        low: u64,
        /// Number and count of each bucket that isn't empty, ascending.
        buckets: Vec<(i32, u64)>,
    },
}

/// What an extension measured.
#[derive(Clone, Debug, Serialize)]
pub struct Metric {
    /// The extension's module.
    pub module: &'static str,
    /// Name of the instrument.
    pub name: &'static str,
    /// What it measures.
    pub doc: &'static str,
    /// Which of several things.
    pub attributes: BTreeMap<String, String>,
    /// What it says.
    #[serde(flatten)]
    pub reading: Reading,
}

impl Default for Shard {
    fn default() -> Self {
        let counters = (0..INSTRUMENTS).map(|_| AtomicU64::new(0)).collect();
        Self { counters, hasher: RandomState::new(), kept: Mutex::default() }
    }
}

impl Shard {
    /// Takes a measurement. The attributes are read only if their set is new.
    pub(super) fn measure<'a>(
        &self,
        number: u32,
        bits: u64,
        attributes: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    ) {
        let Some(known) = instrument(number) else { return };
        let is_counter = known.kind == InstrumentKind::Counter as u32;
        if is_counter && attributes.clone().next().is_none() {
            if let Some(counter) = (number as usize).checked_sub(1).and_then(|slot| self.counters.get(slot)) {
                counter.fetch_add(bits, Ordering::Relaxed);
            }
            return;
        }
        if is_counter || f64::from_bits(bits).is_finite() {
            self.lock().measure(&self.hasher, (number, known.kind), bits, attributes);
        }
    }

    /// A span ended.
    pub(super) fn ended(&self, name: Text, step: Option<usize>, time: Duration) {
        let mut kept = self.lock();
        let full = kept.spans.len() >= SPANS;
        let mut key = (name, step);
        if full && !kept.spans.contains_key(&key) {
            key = (Text::Borrowed(OTHERS), None);
        }
        let total = kept.spans.entry(key).or_default();
        total.0 += 1;
        total.1 += time;
    }

    /// Adds the spans to those of other lanes.
    pub(super) fn add_spans(&self, totals: &mut BTreeMap<(Text, Option<usize>), (u64, Duration)>) {
        for (key, (count, time)) in &self.lock().spans {
            let total = totals.entry(key.clone()).or_default();
            total.0 += count;
            total.1 += *time;
        }
    }

    fn all(&self) -> Vec<Series> {
        let counters = self.counters.iter().zip(1..).filter_map(|(counter, instrument)| {
            let total = counter.load(Ordering::Relaxed);
            (total > 0).then(|| Series { instrument, attributes: Attributes::new(), reading: Kind::Counter(total) })
        });
        counters.chain(self.lock().series.values().cloned()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn measure<'a>(
        &mut self,
        hasher: &RandomState,
        (number, kind): (u32, u32),
        bits: u64,
        attributes: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    ) {
        let mut state = hasher.build_hasher();
        number.hash(&mut state);
        attributes.clone().for_each(|attribute| attribute.hash(&mut state));
        let mut key = std::hash::Hasher::finish(&state);
        if !self.series.contains_key(&key) {
            let sets = self.sets.entry(number).or_default();
            let attributes = if *sets < SETS {
                *sets += 1;
                attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
            } else {
                key = hasher.hash_one((number, OVERFLOW));
                overflow()
            };
            let new = || Series { instrument: number, attributes, reading: Kind::new(kind) };
            self.series.entry(key).or_insert_with(new);
        }
        if let Some(series) = self.series.get_mut(&key) {
            series.reading.add(bits);
        }
    }
}

fn overflow() -> Attributes {
    Attributes::from([(OVERFLOW.to_owned(), "true".to_owned())])
}

impl Kind {
    fn new(kind: u32) -> Self {
        if kind == InstrumentKind::Counter as u32 {
            Self::Counter(0)
        } else if kind == InstrumentKind::Gauge as u32 {
            Self::Gauge { last: 0.0, moment: 0 }
        } else {
            let (min, max) = (f64::MAX, f64::MIN);
            Self::Histogram(Box::new(Distribution { count: 0, sum: 0.0, min, max, buckets: Buckets::default() }))
        }
    }

    fn add(&mut self, bits: u64) {
        let value = f64::from_bits(bits);
        match self {
            Self::Counter(total) => *total = total.saturating_add(bits),
            Self::Gauge { last, moment } => (*last, *moment) = (value, MOMENT.fetch_add(1, Ordering::Relaxed) + 1),
            Self::Histogram(distribution) => {
                distribution.count += 1;
                distribution.extend(value, value, value);
                distribution.buckets.add(value);
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        match (self, other) {
            (Self::Counter(total), Self::Counter(other)) => *total = total.saturating_add(*other),
            (Self::Gauge { last, moment }, Self::Gauge { last: other, moment: at }) if at > moment => {
                (*last, *moment) = (*other, *at);
            }
            (Self::Histogram(mine), Self::Histogram(other)) => {
                mine.count += other.count;
                mine.extend(other.sum, other.min, other.max);
                mine.buckets.merge(&other.buckets);
            }
            _ => {}
        }
    }

    fn reading(self) -> Reading {
        match self {
            Self::Counter(total) => Reading::Counter { total },
            Self::Gauge { last, .. } => Reading::Gauge { last },
            Self::Histogram(distribution) => {
                let Distribution { count, sum, min, max, buckets } = *distribution;
                let (scale, low, buckets) = buckets.into_parts();
                Reading::Histogram { count, sum, min, max, scale, low, buckets }
            }
        }
    }
}

impl Distribution {
    fn extend(&mut self, sum: f64, min: f64, max: f64) {
        // A report has no infinite numbers.
        self.sum = (self.sum + sum).clamp(f64::MIN, f64::MAX);
        (self.min, self.max) = (self.min.min(min), self.max.max(max));
    }
}

/// What several lanes measured, in order of module, name and attributes.
pub(super) fn metrics<'a>(shards: impl Iterator<Item = &'a Shard>) -> Vec<Metric> {
    let mut merged: BTreeMap<(u32, Attributes), Kind> = BTreeMap::new();
    let mut sets: HashMap<u32, usize> = HashMap::new();
    for Series { instrument, attributes, reading } in shards.flat_map(Shard::all) {
        let mut key = (instrument, attributes);
        // The overflow of a lane is one set more.
        if key.1 != overflow() && !merged.contains_key(&key) {
            let sets = sets.entry(instrument).or_default();
            *sets += 1;
            if *sets > SETS {
                key.1 = overflow();
            }
        }
        match merged.entry(key) {
            std::collections::btree_map::Entry::Vacant(slot) => drop(slot.insert(reading)),
            std::collections::btree_map::Entry::Occupied(mut slot) => slot.get_mut().merge(&reading),
        }
    }
    let known = merged.into_iter().filter_map(|((number, attributes), reading)| {
        let known = instrument(number)?;
        let (module, name, doc) = (known.module, known.name, known.doc);
        Some(Metric { module, name, doc, attributes, reading: reading.reading() })
    });
    let mut metrics: Vec<Metric> = known.collect();
    metrics.sort_by(|one, other| (one.module, one.name).cmp(&(other.module, other.name)));
    metrics
}
