//! Sorts positions, each with the place that its answer belongs to.
//!
//! Line, column and place become one number, with as many bits for each as the largest needs. That is 64 nearly always, so a million
//! positions are eight megabytes, and only bits that differ are sorted by.

use std::ops::{BitOr, Shl, Shr};

use super::key;

/// From here on it is quicker to count than to compare.
const MANY: usize = 4096;
const MOST_DIGIT_BITS: u32 = 11;

/// Positions by line and column; those that are the same by place.
pub(crate) enum Sorted {
    Narrow(Packed<u64>),
    Wide(Packed<u128>),
}

/// Positions and places in numbers of a type.
pub(crate) struct Packed<N> {
    numbers: Vec<N>,
    column_bits: u32,
    place_bits: u32,
}

/// A number that holds a position and a place.
pub(crate) trait Number:
    Copy + Ord + From<u64> + Shl<u32, Output = Self> + Shr<u32, Output = Self> + BitOr<Output = Self>
{
    const BITS: u32;

    /// Its lowest bits.
    fn low(self) -> u64;
}

impl Number for u64 {
    const BITS: u32 = u64::BITS;

    fn low(self) -> u64 {
        self
    }
}

impl Number for u128 {
    const BITS: u32 = u128::BITS;

    #[expect(clippy::cast_possible_truncation, reason = "what is meant")]
    fn low(self) -> u64 {
        self as u64
    }
}

impl Sorted {
    /// Sorts the positions that there are; the place of each is how many come before it.
    pub(crate) fn new(positions: impl Iterator<Item = Option<(u32, u32)>> + Clone) -> Self {
        let (lines, columns, count) = positions.clone().fold((0, 0, 0u32), |(lines, columns, count), at| {
            let (line, column) = at.unwrap_or_default();
            (lines | line, columns | column, count + 1)
        });
        let [line_bits, column_bits, place_bits] =
            [lines, columns, count].map(|all| (u32::BITS - all.leading_zeros()).max(1));
        let key_bits = line_bits + column_bits;
        if key_bits + place_bits <= <u64 as Number>::BITS {
            Self::Narrow(Packed::new(positions, column_bits, place_bits, key_bits))
        } else {
            Self::Wide(Packed::new(positions, column_bits, place_bits, key_bits))
        }
    }

    /// Gives each position, as its key, and its place.
    pub(crate) fn each<E>(&self, each: impl FnMut(u64, usize) -> Result<(), E>) -> Result<(), E> {
        match self {
            Self::Narrow(packed) => packed.each(each),
            Self::Wide(packed) => packed.each(each),
        }
    }
}

impl<N: Number> Packed<N> {
    fn new(
        positions: impl Iterator<Item = Option<(u32, u32)>>,
        column_bits: u32,
        place_bits: u32,
        key_bits: u32,
    ) -> Self {
        let number = |(at, place): (Option<(u32, u32)>, u32)| {
            let (line, column) = at?;
            let [line, column, place] = [line, column, place].map(|part| N::from(u64::from(part)));
            Some((line << column_bits | column) << place_bits | place)
        };
        let mut numbers: Vec<N> = positions.zip(0u32..).filter_map(number).collect();
        if numbers.len() < MANY {
            numbers.sort_unstable();
        } else {
            sort(&mut numbers, place_bits, key_bits);
        }
        Self { numbers, column_bits, place_bits }
    }

    #[expect(clippy::cast_possible_truncation, reason = "parts have 32 bits")]
    fn each<E>(&self, mut each: impl FnMut(u64, usize) -> Result<(), E>) -> Result<(), E> {
        let part = |number: N, from: u32, bits: u32| (number >> from).low() & ((1 << bits) - 1);
        let line_from = self.place_bits + self.column_bits;
        self.numbers.iter().try_for_each(|number| {
            let line = part(*number, line_from, u32::BITS) as u32;
            let column = part(*number, self.place_bits, self.column_bits) as u32;
            each(key(line, column), part(*number, 0, self.place_bits) as usize)
        })
    }
}

/// Sorts by so many bits from one on, by counting: what has the same bits stays in its order, which is that of places.
fn sort<N: Number>(numbers: &mut Vec<N>, from: u32, bits: u32) {
    let passes = bits.div_ceil(MOST_DIGIT_BITS);
    let digit_bits = bits.div_ceil(passes);
    let mut sorted = vec![N::from(0); numbers.len()];
    for shift in (from..from + bits).step_by(digit_bits as usize) {
        #[expect(clippy::cast_possible_truncation, reason = "a digit")]
        let digit = |number: N| (number >> shift).low() as usize & ((1 << digit_bits) - 1);
        let mut starts = vec![0usize; 1 << digit_bits];
        for number in &*numbers {
            if let Some(count) = starts.get_mut(digit(*number)) {
                *count += 1;
            }
        }
        let mut next = 0;
        for start in &mut starts {
            next += std::mem::replace(start, next);
        }
        for number in &*numbers {
            if let Some(start) = starts.get_mut(digit(*number)) {
                if let Some(to) = sorted.get_mut(*start) {
                    *to = *number;
                }
                *start += 1;
            }
        }
        std::mem::swap(numbers, &mut sorted);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20))]
        #[test]
        fn many_are_sorted_as_few_are(
            positions in prop::collection::vec(prop::option::weighted(0.9, any::<(u32, u32)>()), MANY..2 * MANY),
            (down, right) in (0u32..32, 0u32..32),
        ) {
            let positions: Vec<_> = positions.iter().map(|at| at.map(|(line, column)| (line >> down, column >> right))).collect();
            let mut wanted: Vec<_> = positions.iter().zip(0usize..).filter_map(|(at, place)| at.map(|(line, column)| (key(line, column), place))).collect();
            wanted.sort_unstable();
            let mut found = Vec::new();
            Sorted::new(positions.iter().copied()).each(|key, place| { found.push((key, place)); Ok::<_, ()>(()) }).unwrap();
            prop_assert_eq!(wanted, found);
        }
    }
}
