//! Streams in Kafka: what is said of them, in the configuration or in a URL.
//!
//! Of librdkafka's own properties those are oxflow's that its promises hang on; all others may be set.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

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
    /// Name of the topic. For a source also a pattern, a regular expression that begins with `^`.
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
    /// Bytes that a source fetches ahead of its lanes, all partitions together, 1 MiB to 4,095 MiB. Default: 64 MiB. Of one
    /// partition at most 8 MiB, and at least 64 KiB.
    #[serde(default)]
    pub queue_bytes: QueueBytes,
    /// How a sink compresses what it sends. Default: `none`.
    #[serde(default)]
    pub compression: Compression,
    /// Where tokens for `OAUTHBEARER` come from: `{file: PATH}` or `{command: [PROGRAM, ARGUMENT, ..]}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth_token: Option<TokenSource>,
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

/// Where tokens come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TokenSource {
    /// A file, which somebody else keeps new.
    File(PathBuf),
    /// A program and its arguments; it prints a token.
    Command(Vec<String>),
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

/// Bytes that a source fetches ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct QueueBytes(pub Bounded<1_048_576, 4_293_918_720>);

impl Default for QueueBytes {
    fn default() -> Self {
        Self(Bounded::new::<67_108_864>())
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

/// A topic that begins so is a pattern.
const PATTERN: char = '^';

/// Properties that are not to be set, and why.
const OURS: [(&str, &str); 23] = [
    ("bootstrap.servers", "it is the key `bootstrap_servers`"),
    ("metadata.broker.list", "it is the key `bootstrap_servers`"),
    ("group.id", "it is the key `group`"),
    ("group.protocol", "it is the key `group_protocol`"),
    ("auto.offset.reset", "it is the key `auto_offset_reset`"),
    ("session.timeout.ms", "it is the key `session_timeout_ms`"),
    ("queued.max.messages.kbytes", "it is the key `queue_bytes`, for all partitions together"),
    ("fetch.message.max.bytes", "it follows from the key `queue_bytes`"),
    ("max.partition.fetch.bytes", "it follows from the key `queue_bytes`"),
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
    ("group.instance.id", "it is the key `run.instance_id`"),
    ("transactional.id", "it is made of the group and the key `run.instance_id`"),
    ("transaction.timeout.ms", "it is the key `run.transaction_timeout_ms`"),
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
            queue_bytes: QueueBytes::default(),
            compression: Compression::default(),
            oauth_token: None,
            properties: BTreeMap::new(),
        }
    }

    /// True if one member of a group can read both.
    pub fn is_read_with(&self, other: &Self) -> bool {
        let elsewhere = Self { topic: other.topic.clone(), ..self.clone() };
        elsewhere == *other && self.topic != other.topic && !(self.is_pattern() && other.is_pattern())
    }

    /// True if a broker is named in both, so that they are one cluster.
    pub fn shares_broker_with(&self, other: &Self) -> bool {
        let mut brokers = self.bootstrap_servers.split(',').map(str::trim);
        brokers.any(|broker| other.bootstrap_servers.split(',').any(|other| other.trim() == broker))
    }

    /// True if the topic is a pattern that many topics may fit.
    pub fn is_pattern(&self) -> bool {
        self.topic.starts_with(PATTERN)
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
        if self.is_pattern() && !is_source {
            found.push(
                Diagnostic::new(
                    Code::InvalidValue,
                    format!("stream `{stream}` is written, but `{}` is a pattern", self.topic),
                )
                .because("a message goes to one topic; a pattern may fit many")
                .fix(format!("set `{place}.topic` to the name of a topic")),
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
