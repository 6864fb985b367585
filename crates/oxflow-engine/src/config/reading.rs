//! What a source may be given to read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Bounded;

/// Most bytes of a message.
///
/// A lane holds one message whole, however long it is. Brokers take a mebibyte unless they are told otherwise, document
/// stores and warehouses about sixteen: what is longer is hardly ever one record, but a file that isn't JSON Lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct MessageBytes(pub Bounded<1024, 268_435_456>);

impl Default for MessageBytes {
    fn default() -> Self {
        Self(Bounded::new::<16_777_216>())
    }
}

/// How many times as long a compressed file may become.
///
/// Logs in JSON become 10 to 30 times as long, nothing but zeros a thousand times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct DecompressionRatio(pub Bounded<1, 1_000_000>);

impl Default for DecompressionRatio {
    fn default() -> Self {
        Self(Bounded::new::<100>())
    }
}
