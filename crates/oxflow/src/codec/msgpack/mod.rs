//! Msgpack, by serde.
//!
//! Structs are maps by field name; lists are read for them, too, as in JSON. What msgpack has and JSON hasn't are bytes
//! ([`Bytes`](crate::Bytes) is `bin`), 32-bit floats, NaN and infinities; what neither has are integers of more than 64 bits.
//! Keys of maps are written as text, as the shape says, and numbers are read as keys, too. Extension types, timestamps among
//! them, are refused: no shape tells them to Python.
//!
//! It is written here, and not taken from `rmp-serde`, because that has no position for an error in a message that a payload
//! borrows from, doesn't see what comes after the value, and writes what the shape doesn't say: 128-bit integers as bytes,
//! unit structs as lists, addresses as bytes.

mod key;
pub mod put;
mod read;
mod token;
mod write;

use super::unknown::{Format, read_payload};
use super::watch::{Count, Watch, Watched};
use super::{DecodeError, EncodeError};
use crate::Payload;
use crate::abi::Codec;
use read::Decoder;
use serde::de::DeserializeSeed;
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;
pub use token::{Broken, Reader, Token};
use write::Encoder;

/// The bit of the codec, if it is built.
pub(super) const BUILT: u32 = Codec::MsgPack.bit();

/// Reads one value; anything after it is an error.
///
/// ```
/// let error = oxflow::codec::msgpack::decode::<u8>(&[1, 2]).unwrap_err();
/// assert_eq!(error.to_string(), "msgpack: something comes after the value at byte 2");
/// ```
pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, DecodeError> {
    MsgPack(bytes).read(PhantomData::<T>, Count)
}

/// The same for a payload, which may refuse fields that no part of its type names.
pub fn decode_payload<T: Payload>(bytes: &[u8]) -> Result<T::Borrowed<'_>, DecodeError> {
    read_payload::<T, _>(MsgPack(bytes))
}

/// Appends the value.
pub fn encode<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    value.serialize(&mut Encoder { out }).map_err(|error| EncodeError::MsgPack { reason: error.0 })
}

/// A message in msgpack.
#[derive(Clone, Copy)]
struct MsgPack<'a>(&'a [u8]);

impl<'a> Format<'a> for MsgPack<'a> {
    #[inline]
    fn read<S: DeserializeSeed<'a>>(self, seed: S, watch: impl Watch) -> Result<S::Value, DecodeError> {
        let mut decoder = Decoder::new(self.0);
        let value = seed.deserialize(Watched { inner: &mut decoder, watch });
        let value = value.and_then(|value| decoder.end().map(|()| value));
        value.map_err(|error| DecodeError::MsgPack { reason: error.0, byte: decoder.byte() })
    }
}

/// What is wrong with a message or a value.
#[derive(Debug)]
struct Error(String);

impl std::error::Error for Error {}

impl std::fmt::Display for Error {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl serde::de::Error for Error {
    fn custom<T: std::fmt::Display>(text: T) -> Self {
        Self(text.to_string())
    }
}

impl serde::ser::Error for Error {
    fn custom<T: std::fmt::Display>(text: T) -> Self {
        Self(text.to_string())
    }
}

impl From<Broken> for Error {
    fn from(broken: Broken) -> Self {
        Self(broken.to_string())
    }
}
