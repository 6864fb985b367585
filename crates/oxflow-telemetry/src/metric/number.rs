//! Whole numbers and fractions, neither at the cost of the other.

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
}

impl Number {
    pub(crate) fn as_float(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Float(value) => value,
        }
    }

    pub(crate) fn is_negative(self) -> bool {
        match self {
            Self::Int(value) => value < 0,
            Self::Float(value) => value < 0.0,
        }
    }

    /// Whether it can be added to others.
    pub(crate) fn is_finite(self) -> bool {
        self.as_float().is_finite()
    }
}

/// A sum, exact while all of it is whole numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sum {
    whole: i128,
    fraction: Option<f64>,
}

impl Sum {
    pub(crate) fn of(number: Number) -> Self {
        let mut sum = Self::default();
        sum.add(number);
        sum
    }

    pub(crate) fn add(&mut self, number: Number) {
        match number {
            Number::Int(value) => self.whole = self.whole.saturating_add(value.into()),
            Number::Float(value) => *self.fraction.get_or_insert(0.0) += value,
        }
    }

    /// What came since `before`.
    pub(crate) fn since(self, before: Self) -> Self {
        let fraction = self.fraction.or(before.fraction.map(|_| 0.0));
        let fraction = fraction.map(|fraction| fraction - before.fraction.unwrap_or_default());
        Self { whole: self.whole.saturating_sub(before.whole), fraction }
    }

    /// What OTLP has room for.
    pub(crate) fn value(self) -> Number {
        match self.fraction {
            Some(fraction) => Number::Float(self.whole as f64 + fraction),
            None => Number::Int(i64::try_from(self.whole).unwrap_or(if self.whole < 0 { i64::MIN } else { i64::MAX })),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whole_numbers_are_exact(values in prop::collection::vec(-(1_i64 << 60)..1 << 60, 0..8)) {
            let mut sum = Sum::default();
            for value in &values { sum.add(Number::Int(*value)); }
            let exact: i128 = values.iter().map(|value| i128::from(*value)).sum();
            if let Ok(exact) = i64::try_from(exact) {
                prop_assert_eq!(Number::Int(exact), sum.value());
            }
        }
    }

    #[test]
    fn a_sum_that_has_a_fraction_stays_one_that_has() {
        let mut sum = Sum::of(Number::Int(2));
        sum.add(Number::Float(0.5));
        assert_eq!(Number::Float(2.5), sum.value());
        assert_eq!(Number::Float(0.5), sum.since(Sum::of(Number::Int(2))).value());
        assert_eq!(Number::Int(i64::MAX), {
            let mut sum = Sum::of(Number::Int(i64::MAX));
            sum.add(Number::Int(1));
            sum.value()
        });
    }
}
