//! Metrics as OTLP has them.

use super::exponential::{Buckets, Exponential};
use super::histogram::{Histogram, Totals};
use super::instrument::{InstrumentKind, Shown};
use super::number::Number;
use super::stream::Point;
use super::view::Aggregation;
use crate::attributes::Attributes;
use crate::wire;

const DELTA: u64 = 1;
const CUMULATIVE: u64 = 2;

/// Writes a `Metric` as a field of `ScopeMetrics`.
pub(super) fn metric(to: &mut Vec<u8>, shown: &Shown<'_>) {
    wire::message(to, 2, |to| {
        wire::text(to, 1, &shown.stream.name);
        wire::text(to, 2, &shown.stream.description);
        wire::text(to, 3, &shown.draft.unit);
        let field = match shown.stream.aggregation {
            Aggregation::LastValue | Aggregation::Drop => 5,
            Aggregation::Sum => 7,
            Aggregation::Histogram(_) => 9,
            Aggregation::Exponential { .. } => 10,
        };
        wire::message(to, field, |to| data(to, shown));
    });
}

fn data(to: &mut Vec<u8>, shown: &Shown<'_>) {
    for (attributes, point) in shown.points {
        let attributes = Attributes::of_sorted(attributes.clone());
        wire::message(to, 1, |to| match point {
            Point::Sum(sum) => plain(to, shown, &attributes, sum.value()),
            Point::Last(number) => plain(to, shown, &attributes, *number),
            Point::Histogram(histogram) => buckets(to, shown, &attributes, histogram),
            Point::Exponential(histogram) => exponential(to, shown, &attributes, histogram),
        });
    }
    if shown.stream.aggregation == Aggregation::LastValue {
        return;
    }
    wire::number(to, 2, if shown.stream.is_delta { DELTA } else { CUMULATIVE });
    // What goes up and down is no rate, whatever it is added up by.
    let only_grows = shown.draft.kind.only_grows() || shown.draft.kind == InstrumentKind::Histogram;
    if shown.stream.aggregation == Aggregation::Sum && only_grows {
        wire::number(to, 3, 1);
    }
}

fn plain(to: &mut Vec<u8>, shown: &Shown<'_>, attributes: &Attributes, number: Number) {
    // The last value has no beginning.
    times(to, if shown.stream.aggregation == Aggregation::LastValue { 0 } else { shown.start_ns }, shown.now_ns);
    match number {
        Number::Int(value) => wire::fixed64(to, 6, value.cast_unsigned()),
        Number::Float(value) => wire::double(to, 4, value),
    }
    attributes.write(to, 7);
}

fn times(to: &mut Vec<u8>, start_ns: u64, now_ns: u64) {
    if start_ns != 0 {
        wire::fixed64(to, 2, start_ns);
    }
    wire::fixed64(to, 3, now_ns);
}

/// Count and sum, which both kinds of histogram have in the same fields.
fn totals(to: &mut Vec<u8>, totals: Totals) {
    wire::fixed64(to, 4, totals.count);
    wire::double(to, 5, totals.sum);
}

fn extremes(to: &mut Vec<u8>, totals: Totals, field: u32) {
    if totals.count > 0 {
        wire::double(to, field, totals.min);
        wire::double(to, field + 1, totals.max);
    }
}

fn buckets(to: &mut Vec<u8>, shown: &Shown<'_>, attributes: &Attributes, histogram: &Histogram) {
    times(to, shown.start_ns, shown.now_ns);
    totals(to, histogram.totals);
    wire::sized_key(to, 6, histogram.counts.len() * 8);
    histogram.counts.iter().for_each(|count| to.extend_from_slice(&count.to_le_bytes()));
    wire::sized_key(to, 7, shown.bounds().len() * 8);
    shown.bounds().iter().for_each(|bound| to.extend_from_slice(&bound.to_le_bytes()));
    attributes.write(to, 9);
    extremes(to, histogram.totals, 11);
}

fn exponential(to: &mut Vec<u8>, shown: &Shown<'_>, attributes: &Attributes, histogram: &Exponential) {
    attributes.write(to, 1);
    times(to, shown.start_ns, shown.now_ns);
    totals(to, histogram.totals);
    wire::count(to, 6, zigzag(histogram.scale.into()));
    wire::fixed64(to, 7, histogram.zeros);
    for (field, side) in [(8, &histogram.positive), (9, &histogram.negative)] {
        wire::message(to, field, |to| grown(to, side));
    }
    extremes(to, histogram.totals, 12);
}

fn grown(to: &mut Vec<u8>, side: &Buckets) {
    wire::count(to, 1, zigzag(side.offset));
    wire::message(to, 2, |to| side.counts.iter().for_each(|count| wire::varint(to, *count)));
}

/// Small numbers of either sign take few bytes.
fn zigzag(value: i32) -> u64 {
    u64::from(((value << 1) ^ (value >> 31)).cast_unsigned())
}
