//! The macros that need no parser of their own.

/// Makes a type with serde's two traits a payload, and tells Python nothing about its fields.
///
/// [`derive(Payload)`](derive@crate::Payload) tells the fields, and lets `oxflow check` compare them.
///
/// ```
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// #[serde(tag = "kind")]
/// enum Event {
///     Started,
///     Ended { code: i32 },
/// }
///
/// oxflow::convert_via_json!(Event);
/// ```
#[macro_export]
macro_rules! convert_via_json {
    ($type:ty) => {
        impl $crate::Shape for $type {
            fn describe(_: &mut $crate::describe::Scope) -> $crate::shape::Type {
                $crate::shape::Type::Any
            }
        }

        impl $crate::Payload for $type {
            type Borrowed<'a> = Self;

            fn name() -> &'static str {
                $crate::__private::short_name::<Self>()
            }

            fn shape() -> $crate::shape::Type {
                $crate::shape::Type::Any
            }

            $crate::__serde_payload! {}
        }

        $crate::__private::inventory::submit! { $crate::__private::Entry::payload::<$type>() }
    };
}

/// The items of a payload that has serde's two traits.
#[doc(hidden)]
#[macro_export]
macro_rules! __serde_payload {
    () => {
        const CODECS: u32 = $crate::codec::OF_SERDE;
        const ABSENT_CODECS: u32 = $crate::codec::OF_SERDE_ABSENT;

        fn decode_as(
            codec: $crate::abi::Codec,
            bytes: &[u8],
        ) -> ::core::result::Result<Self::Borrowed<'_>, $crate::DecodeError> {
            $crate::codec::decode::<Self>(codec, bytes)
        }

        fn encode_as(
            &self,
            codec: $crate::abi::Codec,
            out: &mut ::std::vec::Vec<u8>,
        ) -> ::core::result::Result<(), $crate::EncodeError> {
            $crate::codec::encode(self, codec, out)
        }

        $crate::__serde_methods! {}
    };
}

/// The methods by which serde reads and writes a payload, and those for its own codec.
#[doc(hidden)]
#[macro_export]
macro_rules! __serde_methods {
    () => {
        fn decode(bytes: &[u8]) -> ::core::result::Result<Self::Borrowed<'_>, $crate::DecodeError> {
            $crate::codec::json::decode_payload::<Self>(bytes)
        }

        fn encode(&self, out: &mut ::std::vec::Vec<u8>) -> ::core::result::Result<(), $crate::EncodeError> {
            $crate::codec::json::encode(self, out)
        }

        fn read<'oxflow, D: $crate::__private::serde::Deserializer<'oxflow>>(
            from: D,
        ) -> ::core::result::Result<Self::Borrowed<'oxflow>, D::Error> {
            $crate::__private::serde::Deserialize::deserialize(from)
        }

        fn write<S: $crate::__private::serde::Serializer>(&self, to: S) -> ::core::result::Result<S::Ok, S::Error> {
            $crate::__private::serde::Serialize::serialize(self, to)
        }
    };
}

/// A panic must be catchable: with `panic = "abort"` one bad message would end the whole process.
#[doc(hidden)]
#[macro_export]
macro_rules! __refuse_abort {
    () => {
        #[cfg(panic = "abort")]
        ::core::compile_error!(
            "oxflow catches the panic of a step and fails its message only; remove `panic = \"abort\"` from this crate's profile"
        );
    };
}
