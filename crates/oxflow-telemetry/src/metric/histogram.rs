//! How values are distributed over fixed buckets.

/// Where OpenTelemetry's buckets end if nobody says otherwise.
pub(crate) const DEFAULT_BOUNDS: [f64; 15] =
    [0.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1000.0, 2500.0, 5000.0, 7500.0, 10_000.0];

/// What all distributions have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Totals {
    pub(crate) count: u64,
    pub(crate) sum: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Default for Totals {
    fn default() -> Self {
        Self { count: 0, sum: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Totals {
    pub(crate) fn add(&mut self, value: f64) {
        self.count += 1;
        self.sum += value;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }
}

/// How values are distributed. Bucket `i` has those up to `bounds[i]`, and the last one the rest.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Histogram {
    pub(crate) totals: Totals,
    pub(crate) counts: Vec<u64>,
}

impl Histogram {
    pub(crate) fn new(bounds: &[f64]) -> Self {
        Self { totals: Totals::default(), counts: vec![0; bounds.len() + 1] }
    }

    pub(crate) fn add(&mut self, bounds: &[f64], value: f64) {
        self.totals.add(value);
        let bucket = bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_ends_with_its_bound() {
        let bounds = [0.0, 5.0, 10.0];
        let mut histogram = Histogram::new(&bounds);
        for value in [-1.0, 0.0, 0.1, 5.0, 5.1, 10.0, 11.0] {
            histogram.add(&bounds, value);
        }
        assert_eq!(vec![2, 2, 2, 1], histogram.counts);
        assert_eq!((7, -1.0, 11.0), (histogram.totals.count, histogram.totals.min, histogram.totals.max));
    }
}
