//! The Rust steps of the metrics pipeline, as a user writes them.

mod metric;
mod name;

pub use metric::{IngestMetric, MetricValue, TransformedIngestMetric};
pub use name::{Malformed, MetricName};

use oxflow::Message;

/// Keeps counters.
#[oxflow::function]
pub fn keep(msg: &Message<IngestMetric>) -> bool {
    msg.payload().metric_type == "c"
}

oxflow::rust_function!(
    /// Adds what the name of a metric says: its use case and its unit.
    pub RustTransformMsg, IngestMetric, TransformedIngestMetric,
    |msg: Message<IngestMetric>| -> Result<TransformedIngestMetric, Malformed> {
        let (metric, _) = msg.take();
        let MetricName { use_case, unit } = metric.name.parse()?;
        Ok(TransformedIngestMetric::new(metric, use_case, unit))
    }
);

oxflow::module!(metrics_steps);

#[cfg(test)]
mod tests;
