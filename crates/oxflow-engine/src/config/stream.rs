//! Where a stream is: a URL, alone or with settings.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Where a stream is. A bare string is its URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stream {
    /// `file:PATH`, `stdin:`, `stdout:`, `memory:` or `null:`.
    pub url: String,
}

/// The long form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    url: String,
}

struct UrlOrSettings;

impl<'de> Visitor<'de> for UrlOrSettings {
    type Value = Stream;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a URL such as `file:in.jsonl`, or a map with the key `url`")
    }

    fn visit_str<E: Error>(self, url: &str) -> Result<Stream, E> {
        if url.is_empty() {
            return Err(E::invalid_value(Unexpected::Str(url), &self));
        }
        Ok(Stream { url: url.to_owned() })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Stream, A::Error> {
        let settings = Settings::deserialize(MapAccessDeserializer::new(map))?;
        self.visit_str(&settings.url)
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

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let url = json_schema!({
            "type": "string",
            "minLength": 1,
            "description": "`file:PATH`, `stdin:`, `stdout:`, `memory:` or `null:`.",
            "examples": ["file:in.jsonl", "file:in/*.jsonl.gz", "stdout:"],
        });
        json_schema!({
            "description": "Where a stream is. A bare string is its URL.",
            "anyOf": [
                url,
                {"type": "object", "properties": {"url": url}, "required": ["url"], "additionalProperties": false},
            ],
        })
    }
}
