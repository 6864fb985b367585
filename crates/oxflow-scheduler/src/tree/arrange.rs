//! Which offers become neighbours: those that are alike in all columns, as a k-d tree splits them.

use super::LANES;

/// The offers in the order of their slots, each as its place in line.
pub(super) fn arrange(columns: usize, rows: &[f64], count: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..).take(count).collect();
    let ranges = ranges(columns, rows, &order);
    let mut unit = LANES;
    while unit * LANES < count {
        unit *= LANES;
    }
    let scale: Vec<f64> = ranges.iter().map(|(low, high)| if high > low { 1.0 / (high - low) } else { 0.0 }).collect();
    split(&Columns { count: columns, rows, scale }, &mut order, unit);
    order
}

struct Columns<'a> {
    count: usize,
    rows: &'a [f64],
    /// One over the range of each column: a gigabyte must not outweigh a core.
    scale: Vec<f64>,
}

impl Columns<'_> {
    fn value(&self, place: u32, column: usize) -> f64 {
        self.rows.get(place as usize * self.count + column).copied().unwrap_or(0.0)
    }

    fn widest(&self, order: &[u32]) -> usize {
        let ranges = ranges(self.count, self.rows, order);
        let widths = ranges.iter().zip(&self.scale).map(|((low, high), scale)| (high - low) * scale);
        let widest = widths.enumerate().max_by(|(_, one), (_, other)| one.total_cmp(other));
        widest.map_or(0, |(column, _)| column)
    }
}

fn ranges(columns: usize, rows: &[f64], order: &[u32]) -> Vec<(f64, f64)> {
    let mut ranges = vec![(f64::INFINITY, f64::NEG_INFINITY); columns];
    for place in order {
        let row = rows.get(*place as usize * columns..).unwrap_or_default();
        for ((low, high), value) in ranges.iter_mut().zip(row) {
            *low = low.min(*value);
            *high = high.max(*value);
        }
    }
    ranges
}

/// Halves the offers along their widest column, at borders of boxes of `unit` slots, down to groups of eight.
///
/// Among equals the first in line comes first: they are taken in this order.
fn split(columns: &Columns<'_>, order: &mut [u32], unit: usize) {
    if order.len() <= unit {
        if unit > LANES {
            split(columns, order, unit / LANES);
        }
        return;
    }
    let middle = (order.len().div_ceil(unit) / 2).max(1) * unit;
    let column = columns.widest(order);
    order.select_nth_unstable_by(middle, |one, other| {
        columns.value(*one, column).total_cmp(&columns.value(*other, column)).then(one.cmp(other))
    });
    let (front, back) = order.split_at_mut(middle);
    split(columns, front, unit);
    split(columns, back, unit);
}
