//! What a message can carry.

use crate::Bytes;
use crate::abi::Codec;
use crate::codec::{DecodeError, EncodeError, unread, unwritten};
use crate::describe::Shape;
use crate::shape::Type;
use serde::{Deserializer, Serializer};

/// A type that messages carry.
///
/// [`derive(Payload)`](derive@crate::Payload) and [`convert_via_json!`](crate::convert_via_json) write it. A type with one
/// lifetime parameter borrows from the message that it is read from. By hand it says how
/// bytes become a value and back:
///
/// ```
/// use oxflow::{DecodeError, EncodeError, Payload, abi::Codec, shape::Type};
///
/// /// One byte a sample.
/// struct Samples(Vec<u8>);
///
/// impl Payload for Samples {
///     const CODEC: Codec = Codec::Bytes;
///     type Borrowed<'a> = Self;
///
///     fn name() -> &'static str {
///         "Samples"
///     }
///
///     fn shape() -> Type {
///         Type::Bytes
///     }
///
///     fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
///         if bytes.is_empty() {
///             return Err(DecodeError::Invalid { reason: "no samples".to_owned() });
///         }
///         Ok(Self(bytes.to_vec()))
///     }
///
///     fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
///         out.extend_from_slice(&self.0);
///         Ok(())
///     }
/// }
/// # assert!(Samples::decode(b"").is_err());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the payload of a message",
    note = "add `#[derive(serde::Serialize, serde::Deserialize, oxflow::Payload)]` to it, or `oxflow::convert_via_json!({Self})`"
)]
pub trait Payload: Sized + Send {
    /// How the bytes read between the steps of a pipeline.
    const CODEC: Codec = Codec::Json;

    /// What a parser may read it from and a serializer may write it to, as [bits](Codec::bit).
    const CODECS: u32 = Self::CODEC.bit();

    /// What would be among [`CODECS`](Self::CODECS) if `oxflow` had been built with the feature of that name.
    #[doc(hidden)]
    const ABSENT_CODECS: u32 = 0;

    /// The type, borrowing from bytes that live for `'a`: of `Event<'x>` it is `Event<'a>`. `Self` for a type that borrows
    /// nothing.
    type Borrowed<'a>: Payload + 'a;

    /// Whether a field that no part of the type names is an error.
    const REJECTS_UNKNOWN: bool = false;

    /// Whether Python objects become values by [`read`](Self::read) and back by [`write`](Self::write), with no text in between.
    #[doc(hidden)]
    const DIRECT: bool = false;

    /// Reads the answer of a filter. `bool` alone has it.
    #[doc(hidden)]
    const SELECTS: Option<fn(&Self) -> bool> = None;

    /// Name of the type, as Python shows it.
    fn name() -> &'static str;

    /// What Python shows as its documentation.
    fn doc() -> &'static str {
        ""
    }

    /// Its shape.
    fn shape() -> Type;

    /// Bytes to value.
    fn decode(bytes: &[u8]) -> Result<Self::Borrowed<'_>, DecodeError>;

    /// Appends the value's bytes to `out`.
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError>;

    /// Bytes of a codec among [`CODECS`](Self::CODECS) to value.
    fn decode_as(codec: Codec, bytes: &[u8]) -> Result<Self::Borrowed<'_>, DecodeError> {
        if codec == Self::CODEC { Self::decode(bytes) } else { Err(unread::<Self>(codec)) }
    }

    /// Appends the value's bytes in a codec among [`CODECS`](Self::CODECS) to `out`.
    fn encode_as(&self, codec: Codec, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if codec == Self::CODEC { self.encode(out) } else { Err(unwritten::<Self>(codec)) }
    }

    /// Reads it by serde, whatever the format. A type that isn't serde's has none but the bytes of its own codec.
    fn read<'a, D: Deserializer<'a>>(from: D) -> Result<Self::Borrowed<'a>, D::Error> {
        drop(from);
        Err(serde::de::Error::custom(format_args!("`{}` is read from its own bytes only", Self::name())))
    }

    /// Writes it by serde, whatever the format.
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        drop(to);
        Err(serde::ser::Error::custom(format_args!("`{}` is written as its own bytes only", Self::name())))
    }
}

macro_rules! json_payloads {
    ($($name:literal $type:ty $(, $item:item)?;)+) => {$(
        impl Payload for $type {
            type Borrowed<'a> = Self;
            const DIRECT: bool = true;
            $($item)?

            fn name() -> &'static str {
                $name
            }

            fn shape() -> Type {
                <Self as Shape>::shape()
            }

            crate::__serde_payload! {}
        }
    )+};
}

json_payloads! {
    "str" String;
    "int" i64;
    "int" u64;
    "float" f64;
    "object" serde_json::Value;
    "bool" bool, const SELECTS: Option<fn(&Self) -> bool> = Some(|answer| *answer);;
}

impl Payload for Bytes {
    const CODEC: Codec = Codec::Bytes;
    type Borrowed<'a> = Self;

    fn name() -> &'static str {
        "bytes"
    }

    fn shape() -> Type {
        Type::Bytes
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Ok(bytes.into())
    }

    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.extend_from_slice(self);
        Ok(())
    }
}

/// Raw payloads, borrowed from the message.
impl Payload for &[u8] {
    const CODEC: Codec = Codec::Bytes;
    type Borrowed<'a> = &'a [u8];

    fn name() -> &'static str {
        "bytes"
    }

    fn shape() -> Type {
        Type::Bytes
    }

    fn decode(bytes: &[u8]) -> Result<&[u8], DecodeError> {
        Ok(bytes)
    }

    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.extend_from_slice(self);
        Ok(())
    }
}
