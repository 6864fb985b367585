//! What a message can carry.

use crate::Bytes;
use crate::abi::Codec;
use crate::codec::{DecodeError, EncodeError, json};
use crate::describe::Shape;
use crate::shape::Type;

/// A type that messages carry.
///
/// [`derive(Payload)`](derive@crate::Payload) and [`convert_via_json!`](crate::convert_via_json) write it. By hand it says how
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
pub trait Payload: Sized + Send + 'static {
    /// How the bytes read.
    const CODEC: Codec = Codec::Json;

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
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError>;

    /// Appends the value's bytes to `out`.
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError>;
}

macro_rules! json_payloads {
    ($($name:literal $type:ty $(, $item:item)?;)+) => {$(
        impl Payload for $type {
            $($item)?

            fn name() -> &'static str {
                $name
            }

            fn shape() -> Type {
                <Self as Shape>::shape()
            }

            fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
                json::decode(bytes)
            }

            fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
                json::encode(self, out)
            }
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
