//! Between bytes and payloads.

pub mod json;
#[cfg(feature = "msgpack")]
pub mod msgpack;
#[cfg(not(feature = "msgpack"))]
#[path = "msgpack_absent.rs"]
mod msgpack;
#[cfg(feature = "protobuf")]
pub mod protobuf;
#[cfg(not(feature = "protobuf"))]
mod protobuf_absent;
mod trail;
mod unknown;
mod watch;

use crate::Payload;
use crate::abi::Codec;
pub(crate) use unknown::Seed;
pub(crate) use watch::take_dropped;
#[cfg(feature = "python")]
pub(crate) use watch::{count_dropped, restore_dropped};

/// Bytes that are not what a type takes.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not JSON, or not the JSON of this type.
    #[error("{reason} at byte {byte}")]
    Json {
        /// What is wrong.
        reason: String,
        /// The byte where it showed, counted from 1.
        byte: usize,
    },
    /// Not msgpack, or not the msgpack of this type.
    #[error("msgpack: {reason} at byte {byte}")]
    MsgPack {
        /// What is wrong.
        reason: String,
        /// The byte where the value begins that is wrong, counted from 1.
        byte: usize,
    },
    /// Not protobuf, or not the message of this type.
    #[error("protobuf: {reason}")]
    Protobuf {
        /// What is wrong, and in which field.
        reason: String,
    },
    /// A field that no part of the type names, where the type refuses such.
    #[error("unknown field `{path}`")]
    UnknownField {
        /// The field, and those that it lies in: `tags.region`.
        path: String,
    },
    /// Any other reason, from a [`Payload`](crate::Payload) that was written by hand.
    #[error("{reason}")]
    Invalid {
        /// What is wrong.
        reason: String,
    },
}

/// A value that its codec has no form for.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// JSON can't express it.
    #[error("not expressible in JSON")]
    Json(#[from] serde_json::Error),
    /// Msgpack can't express it.
    #[error("not expressible in msgpack: {reason}")]
    MsgPack {
        /// What is wrong.
        reason: String,
    },
    /// Any other reason, from a [`Payload`](crate::Payload) that was written by hand.
    #[error("{reason}")]
    Invalid {
        /// What is wrong.
        reason: String,
    },
}

/// The codecs that every type of serde's two traits has, as [bits](Codec::bit).
#[doc(hidden)]
pub const OF_SERDE: u32 = Codec::Json.bit() | msgpack::BUILT;

/// Those that it would have if this crate was built with their features.
#[doc(hidden)]
pub const OF_SERDE_ABSENT: u32 = Codec::MsgPack.bit() & !msgpack::BUILT;

/// Reads a payload of serde's in any format that serde knows.
#[doc(hidden)]
#[inline]
pub fn decode<T: Payload>(codec: Codec, bytes: &[u8]) -> Result<T::Borrowed<'_>, DecodeError> {
    match codec {
        Codec::Json => json::decode_payload::<T>(bytes),
        Codec::MsgPack => msgpack::decode_payload::<T>(bytes),
        Codec::Bytes | Codec::Protobuf => Err(unread::<T>(codec)),
    }
}

/// Writes a payload of serde's in any format that serde knows.
#[doc(hidden)]
#[inline]
pub fn encode<T: Payload>(payload: &T, codec: Codec, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    match codec {
        Codec::Json => json::encode(&Written(payload), out),
        Codec::MsgPack => msgpack::encode(&Written(payload), out),
        Codec::Bytes | Codec::Protobuf => Err(unwritten::<T>(codec)),
    }
}

pub(crate) fn unread<T: Payload>(codec: Codec) -> DecodeError {
    DecodeError::Invalid { reason: format!("`{}` isn't read from {}", T::name(), codec.name()) }
}

pub(crate) fn unwritten<T: Payload>(codec: Codec) -> EncodeError {
    EncodeError::Invalid { reason: format!("`{}` isn't written as {}", T::name(), codec.name()) }
}

/// A payload where serde wants its own trait.
pub(crate) struct Written<'w, T>(pub(crate) &'w T);

impl<T: Payload> serde::Serialize for Written<'_, T> {
    #[inline]
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}
