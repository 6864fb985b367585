//! How values are distributed: exponential buckets, as OpenTelemetry has them.
//!
//! Bucket `i` holds values up to `2^((i + 1) / 2^scale)`. All histograms begin with 8 buckets for each doubling, so that a
//! quantile is right to 5 %. Where values lie so far apart that more than 160 buckets would be needed, two become one.

use std::collections::BTreeMap;

const SCALE: i32 = 3;
const BUCKETS: usize = 160;

/// Counts by size.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Buckets {
    /// How many buckets a doubling has, as a power of two.
    scale: i32,
    /// Values that are zero or less.
    low: u64,
    /// For each bucket that isn't empty its number and count.
    counts: BTreeMap<i32, u64>,
}

impl Default for Buckets {
    fn default() -> Self {
        Self { scale: SCALE, low: 0, counts: BTreeMap::new() }
    }
}

impl Buckets {
    pub(super) fn add(&mut self, value: f64) {
        if value <= 0.0 {
            self.low += 1;
            return;
        }
        #[expect(clippy::cast_possible_truncation, reason = "the logarithm of an f64 is a few thousand at most")]
        let index = (value.log2() * f64::from(self.scale).exp2()).ceil() as i32 - 1;
        *self.counts.entry(index).or_default() += 1;
        self.fit();
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.low += other.low;
        let mut other = other.clone();
        while other.scale > self.scale {
            other.halve();
        }
        while self.scale > other.scale {
            self.halve();
        }
        for (index, count) in other.counts {
            *self.counts.entry(index).or_default() += count;
        }
        self.fit();
    }

    /// Scale, low values, and number and count of each bucket.
    pub(super) fn into_parts(self) -> (i32, u64, Vec<(i32, u64)>) {
        (self.scale, self.low, self.counts.into_iter().collect())
    }

    fn fit(&mut self) {
        while self.counts.len() > BUCKETS {
            self.halve();
        }
    }

    fn halve(&mut self) {
        self.scale -= 1;
        let mut counts = BTreeMap::new();
        for (index, count) in std::mem::take(&mut self.counts) {
            *counts.entry(index >> 1).or_default() += count;
        }
        self.counts = counts;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(values: &[f64]) -> Buckets {
        let mut buckets = Buckets::default();
        for value in values {
            buckets.add(*value);
        }
        buckets
    }

    proptest! {
        #[test]
        fn a_value_lies_in_its_bucket(value in 1e-300..1e300_f64) {
            let buckets = of(&[value]);
            let index = f64::from(*buckets.counts.keys().next().expect("one bucket"));
            let bound = |index: f64| (index / f64::from(buckets.scale).exp2()).exp2();
            prop_assert!(bound(index) <= value * 1.000_001 && value <= bound(index + 1.0) * 1.000_001);
        }

        #[test]
        fn two_halves_are_the_whole(values in prop::collection::vec(-1e9..1e9_f64, 0..500), at in 0..500_usize) {
            let at = at.min(values.len());
            let mut merged = of(&values[..at]);
            merged.merge(&of(&values[at..]));
            let whole = of(&values);
            prop_assert_eq!(whole.low, merged.low);
            prop_assert_eq!(whole.counts.values().sum::<u64>(), merged.counts.values().sum::<u64>());
            prop_assert!(merged.counts.len() <= BUCKETS);
        }
    }

    #[test]
    fn values_far_apart_need_no_more_buckets() {
        let values: Vec<f64> = (-1000..1000).map(|power| f64::from(power).exp2()).collect();
        let buckets = of(&values);
        assert!(buckets.counts.len() <= BUCKETS);
        assert_eq!(2000, buckets.counts.values().sum::<u64>());
    }
}
