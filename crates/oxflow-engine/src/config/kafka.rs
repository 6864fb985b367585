//! Streams in Kafka: what is said of them, in the configuration or in a URL.
//!
//! Of librdkafka's own properties those are oxflow's that its promises hang on; all others may be set.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::Bounded;
use crate::diagnostic::{Code, Diagnostic};

/// A topic, and how it is read or written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KafkaStream {
    /// Brokers to begin with, `host:port,host:port`.
    pub bootstrap_servers: String,
    /// Name of the topic.
    pub topic: String,
    /// Consumer group of a source; its committed offsets say where reading goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Where a source begins in a partition of which the group has committed nothing. Default: `earliest`.
    #[serde(default)]
    pub auto_offset_reset: OffsetReset,
    /// How the group shares out partitions: `classic`, with cooperative rebalances, or `consumer` (KIP-848). Default: `classic`.
    #[serde(default)]
    pub group_protocol: GroupProtocol,
    /// Milliseconds until the group gives the partitions of a worker that is gone to others, 1,000 to 1,800,000. Default:
    /// 10,000. With the protocol `consumer` the broker decides.
    #[serde(default)]
    pub session_timeout_ms: SessionTimeoutMs,
    /// How a sink compresses what it sends. Default: `none`.
    #[serde(default)]
    pub compression: Compression,
    /// Properties of librdkafka, by their names there: TLS, SASL and whatever else has no key of its own. Never shown.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, Property>,
}

/// Where a source begins that has no committed offset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OffsetReset {
    /// At the first message that is there.
    #[default]
    Earliest,
    /// After the last message that is there.
    Latest,
    /// Nowhere: the run fails.
    Error,
}

/// How a group shares out its partitions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupProtocol {
    /// By its members, cooperatively.
    #[default]
    Classic,
    /// By the broker (KIP-848).
    Consumer,
}

/// How messages are compressed on their way to the broker, and kept there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// By gzip.
    Gzip,
    /// By Snappy.
    Snappy,
    /// By LZ4.
    Lz4,
    /// By Zstandard.
    Zstd,
}

/// Milliseconds until a worker that is silent has left its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SessionTimeoutMs(pub Bounded<1000, 1_800_000>);

impl Default for SessionTimeoutMs {
    fn default() -> Self {
        Self(Bounded::new::<10_000>())
    }
}

impl OffsetReset {
    /// As librdkafka spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Earliest => "earliest",
            Self::Latest => "latest",
            Self::Error => "error",
        }
    }
}

impl GroupProtocol {
    /// As librdkafka spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Consumer => "consumer",
        }
    }
}

impl Compression {
    /// As librdkafka spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }
}

/// The value of a property, which may be a password.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Property(String);

impl Property {
    /// The value, for librdkafka alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Property {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(not shown)")
    }
}

/// Texts, numbers and switches; librdkafka takes them all as text.
struct Scalar;

impl Visitor<'_> for Scalar {
    type Value = Property;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text, a number, `true` or `false`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Property, E> {
        Ok(Property(text.to_owned()))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Property, E> {
        Ok(Property(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Property, E> {
        Ok(Property(value.to_string()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Property, E> {
        Ok(Property(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Property, E> {
        Ok(Property(value.to_string()))
    }
}

impl<'de> Deserialize<'de> for Property {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Scalar)
    }
}

impl JsonSchema for Property {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Property".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "number", "boolean"]})
    }
}

/// Properties that are not to be set, and why.
const OURS: [(&str, &str); 18] = [
    ("bootstrap.servers", "it is the key `bootstrap_servers`"),
    ("metadata.broker.list", "it is the key `bootstrap_servers`"),
    ("group.id", "it is the key `group`"),
    ("group.protocol", "it is the key `group_protocol`"),
    ("auto.offset.reset", "it is the key `auto_offset_reset`"),
    ("session.timeout.ms", "it is the key `session_timeout_ms`"),
    ("compression.type", "it is the key `compression`"),
    ("compression.codec", "it is the key `compression`"),
    ("enable.auto.commit", "an offset is committed when every output of its message is acknowledged"),
    ("enable.auto.offset.store", "an offset is committed when every output of its message is acknowledged"),
    ("acks", "a message counts as delivered when all replicas in sync have it"),
    ("request.required.acks", "a message counts as delivered when all replicas in sync have it"),
    ("enable.idempotence", "without it a retry may repeat or reorder messages"),
    ("message.timeout.ms", "a message that is given up would be lost; it is sent until it arrives"),
    ("delivery.timeout.ms", "a message that is given up would be lost; it is sent until it arrives"),
    ("delivery.report.only.error", "an offset is committed when every output of its message is acknowledged"),
    ("transactional.id", "no run writes in transactions"),
    ("enable.ssl.certificate.verification", "certificates are always verified: name yours in `ssl.ca.location`"),
];

impl KafkaStream {
    /// A topic with the defaults.
    pub fn new(bootstrap_servers: &str, topic: &str) -> Self {
        Self {
            bootstrap_servers: bootstrap_servers.to_owned(),
            topic: topic.to_owned(),
            group: None,
            auto_offset_reset: OffsetReset::default(),
            group_protocol: GroupProtocol::default(),
            session_timeout_ms: SessionTimeoutMs::default(),
            compression: Compression::default(),
            properties: BTreeMap::new(),
        }
    }

    /// What is wrong with it as the stream of that name.
    pub fn check(&self, stream: &str, is_source: bool) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        let place = format!("streams.{stream}.kafka");
        for (key, text) in [("bootstrap_servers", &self.bootstrap_servers), ("topic", &self.topic)] {
            if text.trim().is_empty() {
                let fix = format!("set `{place}.{key}`, or write `kafka://HOST:PORT/TOPIC`");
                found.push(Diagnostic::new(Code::InvalidValue, format!("`{place}.{key}` is empty")).fix(fix));
            }
        }
        if is_source && self.group.as_ref().is_none_or(String::is_empty) {
            found.push(
                Diagnostic::new(Code::InvalidValue, format!("stream `{stream}` is a source in Kafka without a group"))
                    .because("the group's committed offsets say where reading goes on")
                    .fix(format!("set `{place}.group`, or write `kafka://HOST:PORT/TOPIC?group=NAME`")),
            );
        }
        found.extend(self.properties.keys().filter_map(|name| ours(&place, name)));
        found
    }
}

fn ours(place: &str, name: &str) -> Option<Diagnostic> {
    let (_, why) = OURS.iter().find(|(ours, _)| *ours == name)?;
    let message = format!("`{place}.properties` sets `{name}`, which is not to be set");
    Some(Diagnostic::new(Code::InvalidValue, message).because(*why).fix(format!("remove `{name}`")))
}
