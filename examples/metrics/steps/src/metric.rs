//! The messages of topic `ingest-metrics`, and what the pipeline makes of them.

use oxflow::Payload;
use serde::{Deserialize, Serialize};
use serde_json::Number;
use std::collections::BTreeMap;

/// A bucket of one metric, as Relay sends it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Payload)]
pub struct IngestMetric {
    pub org_id: u64,
    pub project_id: u64,
    pub name: String,
    #[serde(rename = "type")]
    pub metric_type: String,
    pub timestamp: u64,
    pub tags: BTreeMap<String, String>,
    pub value: MetricValue,
    pub retention_days: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_at: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling_weight: Option<Number>,
}

/// What was measured. A `Number` stays as it was written: 1 doesn't become 1.0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Payload)]
#[serde(untagged)]
pub enum MetricValue {
    Counter(Number),
    Series(Vec<Number>),
    Encoded(EncodedSeries),
    Gauge(Gauge),
}

/// Values that are packed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Payload)]
pub struct EncodedSeries {
    pub format: Format,
    pub data: SeriesData,
}

/// How values are packed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Payload)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Array,
    Base64,
    Zstd,
}

/// The packed values: text, or a list for [`Format::Array`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Payload)]
#[serde(untagged)]
pub enum SeriesData {
    Packed(String),
    Plain(Vec<Number>),
}

/// Statistics in place of values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Payload)]
pub struct Gauge {
    pub min: Number,
    pub max: Number,
    pub sum: Number,
    pub count: u64,
    pub last: Number,
}

/// An [`IngestMetric`] whose name was understood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Payload)]
pub struct TransformedIngestMetric {
    pub org_id: u64,
    pub project_id: u64,
    pub name: String,
    #[serde(rename = "type")]
    pub metric_type: String,
    pub timestamp: u64,
    pub tags: BTreeMap<String, String>,
    pub value: MetricValue,
    pub retention_days: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_at: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling_weight: Option<Number>,
    pub use_case: String,
    pub unit: String,
    pub transformed: bool,
}

impl TransformedIngestMetric {
    pub(crate) fn new(metric: IngestMetric, use_case: String, unit: String) -> Self {
        Self {
            org_id: metric.org_id,
            project_id: metric.project_id,
            name: metric.name,
            metric_type: metric.metric_type,
            timestamp: metric.timestamp,
            tags: metric.tags,
            value: metric.value,
            retention_days: metric.retention_days,
            received_at: metric.received_at,
            sampling_weight: metric.sampling_weight,
            use_case,
            unit,
            transformed: true,
        }
    }
}
