use oxflow::{Message, Payload};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

#[derive(Serialize, Deserialize, Payload)]
struct TwoNames {
    #[serde(rename(serialize = "a", deserialize = "b"))]
    value: u8,
}

#[derive(Payload)]
#[serde(rename_all(serialize = "camelCase"))]
struct TwoRules {
    value: u8,
}

#[derive(Payload)]
struct NotReadable {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    value: Vec<u8>,
}

#[derive(Payload)]
struct NeverWritten {
    #[serde(skip_serializing)]
    value: u8,
}

#[derive(Payload)]
#[serde(deny_unknown_fields)]
struct NeverRead {
    #[serde(skip_deserializing)]
    value: u8,
}

#[derive(Payload)]
struct OwnForm {
    #[serde(with = "somewhere")]
    value: u8,
}

#[derive(Payload)]
struct OwnWriting {
    #[serde(serialize_with = "somewhere::serialize")]
    value: u8,
}

#[derive(Payload)]
enum OwnVariant {
    #[serde(deserialize_with = "somewhere::deserialize")]
    Value(u8),
}

#[derive(Payload)]
#[serde(remote = "Duration")]
struct StandIn {
    value: u8,
}

#[derive(Payload)]
struct Getter {
    #[serde(getter = "Duration::as_secs")]
    value: u8,
}

#[derive(Payload)]
#[serde(from = "String")]
struct ReadAs {
    value: u8,
}

#[derive(Payload)]
#[serde(try_from = "String", into = "u8")]
struct ReadAndWrittenAs {
    value: u8,
}

#[derive(Payload)]
#[serde(tag = "type")]
struct Tagged {
    value: u8,
}

#[derive(Payload)]
#[serde(tag = "type")]
enum TaggedTuple {
    Pair(u8, u8),
}

#[derive(Payload)]
enum OneWay {
    Value(u8),
    #[serde(skip_deserializing)]
    Old,
}

#[derive(Payload)]
enum Other {
    #[serde(other)]
    Else,
}

#[derive(Payload)]
struct SkippedItem(#[serde(skip)] u8, u8);

#[derive(Payload)]
struct Misspelt {
    #[serde(renam = "a")]
    value: u8,
}

#[derive(Payload)]
#[serde(variant_identifier)]
enum Identifier {
    Value,
}

#[derive(Payload)]
struct RestAlone {
    #[payload(rest)]
    rest: HashMap<String, String>,
}

#[derive(Payload)]
#[payload(unknown = "reject")]
struct Flat {
    #[serde(flatten)]
    value: NeverRead,
}

#[derive(Payload)]
#[serde(tag = "type")]
#[payload(unknown = "reject")]
enum Buffered {
    Value { value: u8 },
}

#[derive(Payload)]
#[payload(unknown = "ignore")]
struct Ignoring {
    value: u8,
}

#[derive(Payload)]
struct Unheard {
    #[payload(name = "a")]
    value: u8,
}

fn main() {
    let _ = Message::new(());
}
