//! What bytes are outside of a pipeline. Inside of it, between languages, they are JSON.

use oxflow::abi;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The codec of a parser or serializer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// A text of JSON. For a Rust type that makes bytes of its own, these.
    #[default]
    Json,
    /// A value of msgpack.
    MsgPack,
    /// A message of protobuf: of a Rust type that is one.
    Protobuf,
}

impl Codec {
    /// Whether it is the one that needs no mention.
    pub fn is_json(&self) -> bool {
        *self == Self::Json
    }

    /// The word for it in a pipeline.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::MsgPack => "msgpack",
            Self::Protobuf => "protobuf",
        }
    }

    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => abi::Codec::Json.name(),
            Self::MsgPack => abi::Codec::MsgPack.name(),
            Self::Protobuf => abi::Codec::Protobuf.name(),
        }
    }
}
