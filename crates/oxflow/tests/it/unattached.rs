//! A library that no runtime has found, as in a user's own tests.

use oxflow::metrics::{Counter, Gauge, Histogram};

static COUNTER: Counter = Counter::new("counter", "");
static GAUGE: Gauge = Gauge::new("gauge", "");
static HISTOGRAM: Histogram = Histogram::new("histogram", "");

#[test]
fn without_a_runtime_measuring_does_nothing() {
    COUNTER.add(1);
    COUNTER.add_with(1, &[("kind", "odd")]);
    GAUGE.set(1.0);
    HISTOGRAM.record(1.0);
    assert_eq!(None, oxflow::trace_context());
}

#[test]
fn a_null_table_is_none() {
    // SAFETY: null is allowed.
    unsafe { (oxflow::module_table().attach)(std::ptr::null()) };
    assert_eq!(None, oxflow::trace_context());
}
