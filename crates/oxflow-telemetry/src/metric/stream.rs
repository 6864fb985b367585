//! The points of an instrument, as one reader sees them.

use std::collections::HashMap;

use super::exponential::Exponential;
use super::histogram::Histogram;
use super::instrument::{Draft, InstrumentKind};
use super::number::{Number, Sum};
use super::view::{Aggregation, View};
use crate::attributes::Attributes;
use crate::limits::AttributeLimits;
use crate::scope::Scope;
use crate::value::Value;

/// Most sets of attributes of a stream. What comes after them is added up in one point.
pub(crate) const MOST_POINTS: usize = 2000;
const OVERFLOW: &str = "otel.metric.overflow";

/// From when on the points of a reader count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Temporality {
    /// From the beginning.
    #[default]
    Cumulative,
    /// From the last time on, but for what goes up and down.
    Delta,
    /// From the last time on where nothing has to be remembered for it.
    LowMemory,
}

impl Temporality {
    pub(crate) fn is_delta(self, kind: InstrumentKind) -> bool {
        let is_plain = matches!(kind, InstrumentKind::Counter | InstrumentKind::Histogram);
        match self {
            Self::Cumulative => false,
            Self::Delta => is_plain || kind == InstrumentKind::ObservableCounter,
            Self::LowMemory => is_plain,
        }
    }
}

/// Who collects.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    pub(crate) number: usize,
    pub(crate) temporality: Temporality,
    pub(crate) views: Vec<View>,
}

/// What a point holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Point {
    Sum(Sum),
    Last(Number),
    Histogram(Histogram),
    Exponential(Exponential),
}

/// The points of an instrument, as one reader sees them.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) reader: usize,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) aggregation: Aggregation,
    pub(crate) is_delta: bool,
    pub(crate) start_ns: u64,
    keys: Option<Vec<String>>,
    is_observed: bool,
    points: HashMap<Vec<u8>, Point>,
    /// What was observed the last time, where only what came since is shown.
    before: HashMap<Vec<u8>, Sum>,
}

impl Stream {
    /// The streams of an instrument for a reader: one for each view that fits, or a plain one.
    pub(crate) fn of(draft: &Draft, scope: &Scope, reader: &Reader, now_ns: u64) -> Vec<Self> {
        let plain = View::default();
        let mut fitting: Vec<_> = reader.views.iter().filter(|view| view.fits(draft, scope)).collect();
        if fitting.is_empty() {
            fitting.push(&plain);
        }
        let made = fitting.into_iter().map(|view| Self {
            reader: reader.number,
            name: view.name.clone().unwrap_or_else(|| draft.name.clone()),
            description: view.description.clone().unwrap_or_else(|| draft.description.clone()),
            aggregation: view.aggregation.clone().unwrap_or_else(|| Aggregation::of(draft)),
            is_delta: reader.temporality.is_delta(draft.kind),
            start_ns: now_ns,
            keys: view.keys.clone(),
            is_observed: draft.kind.is_observable(),
            points: HashMap::new(),
            before: HashMap::new(),
        });
        made.filter(|stream| stream.aggregation != Aggregation::Drop).collect()
    }

    /// Nothing was measured yet.
    pub(crate) fn forget(&mut self, now_ns: u64) {
        self.points.clear();
        self.before.clear();
        self.start_ns = now_ns;
    }

    /// Takes a measurement of these attributes, which are `sorted`.
    pub(crate) fn take(&mut self, number: Number, attributes: &[u8]) {
        if let Some(kept) = self.filtered(attributes) {
            self.add(number, &kept);
        } else {
            self.add(number, attributes);
        }
    }

    fn filtered(&self, attributes: &[u8]) -> Option<Vec<u8>> {
        let keys = self.keys.as_ref()?;
        let mut kept = Attributes::new();
        for (name, value) in Attributes::of_sorted(attributes.to_vec()).iter() {
            if keys.iter().any(|key| *key == name) {
                kept.add(&name, &value, &AttributeLimits::default());
            }
        }
        Some(kept.sorted())
    }

    fn add(&mut self, number: Number, attributes: &[u8]) {
        if let Some(point) = self.points.get_mut(attributes) {
            add(point, &self.aggregation, self.is_observed, number);
            return;
        }
        let key = if self.points.len() < MOST_POINTS - 1 { attributes.to_vec() } else { overflow() };
        let fresh = || fresh(&self.aggregation);
        add(self.points.entry(key).or_insert_with(fresh), &self.aggregation, self.is_observed, number);
    }

    /// The points to show now, with their attributes; forgets what is shown once.
    pub(crate) fn show(&mut self) -> Vec<(Vec<u8>, Point)> {
        if self.is_observed {
            let seen: Vec<_> = self.points.drain().collect();
            return if self.is_delta { self.since(seen) } else { seen };
        }
        if self.is_delta {
            return self.points.drain().collect();
        }
        self.points.iter().map(|(attributes, point)| (attributes.clone(), point.clone())).collect()
    }

    /// What came since the last time. What wasn't observed this time is remembered: its observer may have failed once.
    fn since(&mut self, mut seen: Vec<(Vec<u8>, Point)>) -> Vec<(Vec<u8>, Point)> {
        if self.before.len() > 2 * MOST_POINTS {
            self.before.retain(|attributes, _| seen.iter().any(|(now, _)| now == attributes));
        }
        for (attributes, point) in &mut seen {
            if let Point::Sum(sum) = point {
                let now = *sum;
                *sum = now.since(self.before.insert(attributes.clone(), now).unwrap_or_default());
            }
        }
        seen
    }
}

fn overflow() -> Vec<u8> {
    let mut attributes = Attributes::new();
    attributes.add(OVERFLOW, &Value::Bool(true), &AttributeLimits::default());
    attributes.sorted()
}

fn fresh(aggregation: &Aggregation) -> Point {
    match aggregation {
        Aggregation::Sum | Aggregation::Drop => Point::Sum(Sum::default()),
        Aggregation::LastValue => Point::Last(Number::Int(0)),
        Aggregation::Histogram(bounds) => Point::Histogram(Histogram::new(bounds)),
        Aggregation::Exponential { buckets, scale } => Point::Exponential(Exponential::new(*buckets, *scale)),
    }
}

fn add(point: &mut Point, aggregation: &Aggregation, is_observed: bool, number: Number) {
    match point {
        // What is observed is the sum already.
        Point::Sum(sum) if is_observed => *sum = Sum::of(number),
        Point::Sum(sum) => sum.add(number),
        Point::Last(last) => *last = number,
        Point::Histogram(histogram) => {
            if let Aggregation::Histogram(bounds) = aggregation {
                histogram.add(bounds, number.as_float());
            }
        }
        Point::Exponential(histogram) => histogram.add(number.as_float()),
    }
}
