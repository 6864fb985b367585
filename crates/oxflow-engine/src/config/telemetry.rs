//! Where a run sends its spans and metrics.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize};

use super::Bounded;

/// A collector of OpenTelemetry. What is left out is taken from the variables `OTEL_*`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetryConfig {
    /// Its address, `http://localhost:4317`; over HTTP `/v1/traces` and `/v1/metrics` are added. Default:
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`, or port 4317 of this machine, with HTTP 4318.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// How it is spoken to. Default: `OTEL_EXPORTER_OTLP_PROTOCOL`, or `grpc`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<OtlpProtocol>,
    /// Headers of each request, besides those of `OTEL_EXPORTER_OTLP_HEADERS`.
    pub headers: BTreeMap<String, String>,
    /// Share of the batches that have spans, 0 to 1. Default: what `OTEL_TRACES_SAMPLER` says, or 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_ratio: Option<Ratio>,
    /// Milliseconds between two exports of metrics, 100 to 3,600,000. Default: `OTEL_METRIC_EXPORT_INTERVAL`, or 60,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub export_interval_ms: Option<Bounded<100, 3_600_000>>,
    /// The attribute `service.name`. Default: `OTEL_SERVICE_NAME`, or `oxflow`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_name: Option<String>,
    /// Attributes of the process, besides those of `OTEL_RESOURCE_ATTRIBUTES`.
    pub resource_attributes: BTreeMap<String, String>,
}

/// How a collector is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OtlpProtocol {
    /// gRPC.
    #[serde(rename = "grpc")]
    Grpc,
    /// Protocol Buffers over HTTP.
    #[serde(rename = "http/protobuf")]
    HttpProtobuf,
}

/// A share, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ratio(f64);

impl Eq for Ratio {}

impl Ratio {
    /// The number, if it is a share.
    pub fn checked(number: f64) -> Option<Self> {
        (0.0..=1.0).contains(&number).then_some(Self(number))
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Ratio {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        let wrong = || D::Error::invalid_value(Unexpected::Float(number), &"a number from 0 to 1");
        Self::checked(number).ok_or_else(wrong)
    }
}

/// A number, or a text with `${..}` in it, which becomes one when the file is read.
impl JsonSchema for Ratio {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Ratio".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [
            {"type": "number", "minimum": 0, "maximum": 1},
            {"type": "string", "pattern": r"\$\{.+\}"},
        ]})
    }
}
