//! What msgpack is without the feature `msgpack`.

use super::{DecodeError, EncodeError, unread};
use crate::Payload;
use crate::abi::Codec;
use serde::Serialize;

/// The bit of the codec, if it is built.
pub(super) const BUILT: u32 = 0;

pub(super) fn decode_payload<T: Payload>(_: &[u8]) -> Result<T::Borrowed<'_>, DecodeError> {
    Err(unread::<T>(Codec::MsgPack))
}

pub(super) fn encode<T: Serialize + ?Sized>(_: &T, _: &mut Vec<u8>) -> Result<(), EncodeError> {
    Err(EncodeError::MsgPack { reason: "`oxflow` was built without its feature `msgpack`".to_owned() })
}
