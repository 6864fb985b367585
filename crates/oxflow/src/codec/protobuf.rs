//! Protobuf, by prost.
//!
//! A type derives `prost::Message` and serde's two traits, and says `#[payload(codec = "protobuf")]`: then it can be read from
//! protobuf and written as protobuf, beside JSON and msgpack, which carry it to Python. Its shape is that of its Rust fields.
//!
//! As protobuf wants it, fields that the type doesn't know are skipped; they are not counted.

use super::DecodeError;
use prost::Message;

/// Reads one message.
///
/// Messages within messages are read to a depth of 100.
pub fn decode<T: Message + Default>(bytes: &[u8]) -> Result<T, DecodeError> {
    T::decode(bytes).map_err(|error| {
        let reason = error.to_string();
        let reason = reason.strip_prefix("failed to decode Protobuf message: ").unwrap_or(&reason);
        DecodeError::Protobuf { reason: reason.to_owned() }
    })
}

/// Appends the message.
pub fn encode<T: Message>(message: &T, out: &mut Vec<u8>) {
    message.encode_raw(out);
}

/// The methods of a payload that is a message of protobuf and has serde's two traits.
#[doc(hidden)]
#[macro_export]
macro_rules! __protobuf_payload {
    () => {
        const CODECS: u32 = $crate::codec::OF_SERDE | $crate::abi::Codec::Protobuf.bit();
        const ABSENT_CODECS: u32 = $crate::codec::OF_SERDE_ABSENT;

        fn decode_as(
            codec: $crate::abi::Codec,
            bytes: &[u8],
        ) -> ::core::result::Result<Self::Borrowed<'_>, $crate::DecodeError> {
            match codec {
                $crate::abi::Codec::Protobuf => $crate::codec::protobuf::decode(bytes),
                codec => $crate::codec::decode::<Self>(codec, bytes),
            }
        }

        fn encode_as(
            &self,
            codec: $crate::abi::Codec,
            out: &mut ::std::vec::Vec<u8>,
        ) -> ::core::result::Result<(), $crate::EncodeError> {
            match codec {
                $crate::abi::Codec::Protobuf => ::core::result::Result::Ok($crate::codec::protobuf::encode(self, out)),
                codec => $crate::codec::encode(self, codec, out),
            }
        }

        $crate::__serde_methods! {}
    };
}
