//! Where a stream is: a URL, alone or with settings.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::KafkaStream;
use crate::connect::{MalformedUrl, StreamUrl};

/// Where a stream is. A bare string is its URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stream {
    /// `file:PATH`, `kafka://HOST:PORT/TOPIC`, `stdin:`, `stdout:`, `memory:` or `null:`.
    pub url: String,
    /// A topic with settings; its URL is then `kafka:`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kafka: Option<Box<KafkaStream>>,
}

/// What stands for the URL of a topic with settings.
const KAFKA: &str = "kafka:";

impl Stream {
    /// A stream at a URL.
    pub fn at(url: &str) -> Self {
        Self { url: url.to_owned(), kafka: None }
    }

    /// What it is bound to.
    pub fn place(&self) -> Result<StreamUrl, MalformedUrl> {
        match &self.kafka {
            Some(kafka) => Ok(StreamUrl::Kafka(kafka.clone())),
            None => self.url.parse(),
        }
    }
}

/// The long form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    url: Option<String>,
    kafka: Option<Box<KafkaStream>>,
}

struct UrlOrSettings;

impl<'de> Visitor<'de> for UrlOrSettings {
    type Value = Stream;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a URL such as `file:in.jsonl`, or a map with the key `url` or `kafka`")
    }

    fn visit_str<E: Error>(self, url: &str) -> Result<Stream, E> {
        if url.is_empty() {
            return Err(E::invalid_value(Unexpected::Str(url), &self));
        }
        Ok(Stream::at(url))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Stream, A::Error> {
        match Settings::deserialize(MapAccessDeserializer::new(map))? {
            Settings { url: Some(url), kafka: None } => self.visit_str(&url),
            Settings { url: None, kafka: None } => Err(A::Error::missing_field("url")),
            Settings { url: Some(url), kafka: Some(_) } if url != KAFKA => {
                Err(A::Error::custom("a stream has a `url` or `kafka`, not both"))
            }
            Settings { kafka, .. } => Ok(Stream { url: KAFKA.to_owned(), kafka }),
        }
    }
}

impl<'de> Deserialize<'de> for Stream {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UrlOrSettings)
    }
}

impl JsonSchema for Stream {
    fn schema_name() -> Cow<'static, str> {
        "Stream".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let kafka = generator.subschema_for::<KafkaStream>();
        let url = json_schema!({
            "type": "string",
            "minLength": 1,
            "description": "`file:PATH`, `kafka://HOST:PORT/TOPIC`, `stdin:`, `stdout:`, `memory:` or `null:`.",
            "examples": ["file:in.jsonl", "file:in/*.jsonl.gz", "kafka://127.0.0.1:9092/metrics?group=metrics", "stdout:"],
        });
        json_schema!({
            "description": "Where a stream is. A bare string is its URL.",
            "anyOf": [
                url,
                {"type": "object", "properties": {"url": url}, "required": ["url"], "additionalProperties": false},
                {
                    "type": "object",
                    "properties": {"kafka": kafka},
                    "required": ["kafka"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}
