//! The name of a metric that no system would take.

use oxflow::metrics::Counter;

static SPACED: Counter = Counter::new("my counter", "");

fn main() {
    SPACED.add(1);
}
