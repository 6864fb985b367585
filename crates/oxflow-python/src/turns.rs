//! Lets other threads run between two pieces of a long conversion.

use std::time::{Duration, Instant};

use pyo3::prelude::*;

/// How long a conversion holds the interpreter at a time.
const TURN: Duration = Duration::from_millis(2);

/// How often the clock is looked at.
const OBJECTS: usize = 64;

/// The turns of one conversion.
pub(crate) struct Turns {
    begun: Instant,
    count: usize,
}

impl Turns {
    pub(crate) fn new() -> Self {
        Self { begun: Instant::now(), count: 0 }
    }

    /// After each object. Who waits for the interpreter gets it: `CPython` hands it over when it is let go.
    pub(crate) fn next(&mut self, py: Python<'_>) {
        self.count += 1;
        if self.count.is_multiple_of(OBJECTS) && self.begun.elapsed() > TURN {
            py.detach(|| {});
            self.begun = Instant::now();
        }
    }
}
