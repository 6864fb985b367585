//! The job of `benches/kafka` in Rust: the types and functions of `examples/metrics/steps`, for a plain loop and for a program
//! without Python.

#[path = "../../../../examples/metrics/steps/src/metric.rs"]
mod metric;
#[path = "../../../../examples/metrics/steps/src/name.rs"]
mod name;

pub use metric::{IngestMetric, TransformedIngestMetric};
pub use name::{Malformed, MetricName};

use oxflow::Message;

/// Keeps counters.
#[oxflow::function]
pub fn keep(msg: &Message<IngestMetric>) -> bool {
    msg.payload().metric_type == "c"
}

/// Adds what the name of a metric says.
///
/// # Errors
///
/// The name isn't one.
#[oxflow::function]
pub fn transform(msg: Message<IngestMetric>) -> Result<TransformedIngestMetric, Malformed> {
    transformed(msg.take().0)
}

/// The same without oxflow.
///
/// # Errors
///
/// The name isn't one.
pub fn transformed(metric: IngestMetric) -> Result<TransformedIngestMetric, Malformed> {
    let MetricName { use_case, unit } = metric.name.parse()?;
    Ok(TransformedIngestMetric::new(metric, use_case, unit))
}

oxflow::main_function!();
