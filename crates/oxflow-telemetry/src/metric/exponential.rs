//! How values are distributed over buckets that grow by a factor, which adapts to them.
//!
//! At scale `s` a bucket ends at `2^(1/2^s)` times where it begins: bucket `i` holds `(base^i, base^(i+1)]`. When the values need
//! more buckets than there may be, the scale falls, and two neighbours become one.

use super::histogram::Totals;

/// What an index may be at the finest scale that is allowed here, 20.
const MOST_SCALE: i8 = 20;
/// Coarser than this no two finite values are apart.
const LEAST_SCALE: i8 = -10;

/// How values are distributed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Exponential {
    pub(crate) totals: Totals,
    pub(crate) scale: i8,
    pub(crate) zeros: u64,
    pub(crate) positive: Buckets,
    pub(crate) negative: Buckets,
    most: usize,
}

/// Neighbouring buckets, the first of them number `offset`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Buckets {
    pub(crate) offset: i32,
    pub(crate) counts: Vec<u64>,
}

impl Exponential {
    /// With at most so many buckets on either side of zero.
    pub(crate) fn new(most: usize, scale: i8) -> Self {
        let (positive, negative) = (Buckets::default(), Buckets::default());
        let scale = scale.clamp(LEAST_SCALE, MOST_SCALE);
        Self { totals: Totals::default(), scale, zeros: 0, positive, negative, most: most.max(2) }
    }

    pub(crate) fn add(&mut self, value: f64) {
        self.totals.add(value);
        if value == 0.0 {
            self.zeros += 1;
            return;
        }
        let size = value.abs();
        loop {
            let index = index(size, self.scale);
            let buckets = if value > 0.0 { &self.positive } else { &self.negative };
            if buckets.needed(index) <= self.most || self.scale <= LEAST_SCALE {
                let buckets = if value > 0.0 { &mut self.positive } else { &mut self.negative };
                buckets.count(index);
                return;
            }
            self.scale -= 1;
            self.positive.halve();
            self.negative.halve();
        }
    }
}

impl Buckets {
    /// How many there would be with this one.
    fn needed(&self, index: i32) -> usize {
        if self.counts.is_empty() {
            return 1;
        }
        let last = self.offset + i32::try_from(self.counts.len()).unwrap_or(i32::MAX) - 1;
        usize::try_from(last.max(index) - self.offset.min(index)).unwrap_or(0) + 1
    }

    fn count(&mut self, index: i32) {
        if self.counts.is_empty() {
            self.offset = index;
        }
        if index < self.offset {
            let before = usize::try_from(self.offset - index).unwrap_or(0);
            self.counts.splice(0..0, std::iter::repeat_n(0, before));
            self.offset = index;
        }
        let at = usize::try_from(index - self.offset).unwrap_or(0);
        if at >= self.counts.len() {
            self.counts.resize(at + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(at) {
            *count += 1;
        }
    }

    /// Makes one of every two.
    fn halve(&mut self) {
        let mut halved = Self { offset: self.offset >> 1, counts: Vec::with_capacity(self.counts.len() / 2 + 1) };
        for (at, count) in self.counts.iter().enumerate() {
            let index = (self.offset + i32::try_from(at).unwrap_or(0)) >> 1;
            let at = usize::try_from(index - halved.offset).unwrap_or(0);
            if at >= halved.counts.len() {
                halved.counts.resize(at + 1, 0);
            }
            if let Some(kept) = halved.counts.get_mut(at) {
                *kept += count;
            }
        }
        *self = halved;
    }
}

#[expect(clippy::cast_possible_truncation, reason = "both are far below what an `i32` holds")]
/// The bucket of a positive value: the largest `i` with `base^i < value`.
fn index(value: f64, scale: i8) -> i32 {
    let bits = value.to_bits();
    let (raw, fraction) = ((bits >> 52) & 0x7ff, bits & ((1 << 52) - 1));
    // Numbers too small for a full fraction: as if they were the smallest that has one.
    let (exponent, fraction) = if raw == 0 { (-1022, 0) } else { (raw as i32 - 1023, fraction) };
    if scale <= 0 {
        // A power of two ends its bucket.
        return (exponent - i32::from(fraction == 0)) >> -i32::from(scale);
    }
    if fraction == 0 {
        return (exponent << scale) - 1;
    }
    // Within one power of two, so that the logarithm has all its bits.
    let part = f64::from_bits(fraction | 1023 << 52).log2() * f64::from(1_i32 << scale);
    let last = (1_i32 << scale) - 1;
    (exponent << scale) + (part as i32).min(last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn powers_of_two_end_their_buckets() {
        assert_eq!([-1, 0, 0, 1], [1.0, 1.5, 2.0, 3.0].map(|value| index(value, 0)));
        assert_eq!([-1, 1, 3], [1.0, 2.0, 4.0].map(|value| index(value, 1)));
        assert_eq!([-1, 0, 0], [1.0, 2.0, 4.0].map(|value| index(value, -1)));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_there_are_never_too_many(values in prop::collection::vec(prop::num::f64::NORMAL | prop::num::f64::ZERO, 1..200)) {
            let mut made = Exponential::new(20, 20);
            for value in &values { made.add(*value); }
            let counted: u64 = made.positive.counts.iter().chain(&made.negative.counts).sum();
            prop_assert_eq!(values.len() as u64, counted + made.zeros);
            prop_assert!(made.positive.counts.len() <= 20 && made.negative.counts.len() <= 20);
        }

        #[test]
        fn a_value_lies_in_its_bucket(value in 1e-6..1e6_f64, scale in -4..10_i8) {
            let base = 2.0_f64.powf(2.0_f64.powi(-i32::from(scale)));
            let found = index(value, scale);
            prop_assert!(base.powi(found) <= value * (1.0 + 1e-9));
            prop_assert!(value <= base.powi(found + 1) * (1.0 + 1e-9));
        }

        #[test]
        fn a_coarser_scale_is_that_of_halved_buckets(values in prop::collection::vec(1e-3..1e3_f64, 1..50)) {
            let (mut fine, mut coarse) = (Exponential::new(10_000, 6), Exponential::new(10_000, 5));
            for value in &values { fine.add(*value); coarse.add(*value); }
            fine.positive.halve();
            prop_assert_eq!(coarse.positive, fine.positive);
        }
    }
}
