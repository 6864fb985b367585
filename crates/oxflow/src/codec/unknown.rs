//! Reads payloads whose types may refuse the fields that they don't name, whatever the format.

use super::DecodeError;
use super::trail::Trail;
use super::watch::{Count, Watch, restore_dropped, take_dropped};
use crate::Payload;
use serde::de::{DeserializeSeed, Deserializer};
use std::cell::RefCell;
use std::marker::PhantomData;

/// A message in a format that serde reads. It can be read more than once.
pub(super) trait Format<'a>: Copy {
    /// Reads the one value that it is; what it drops is told to `watch`.
    fn read<S: DeserializeSeed<'a>>(self, seed: S, watch: impl Watch) -> Result<S::Value, DecodeError>;
}

/// Reads a payload. What is dropped is counted, or an error where the type wants that.
pub(super) fn read_payload<'a, T: Payload, F: Format<'a>>(message: F) -> Result<T::Borrowed<'a>, DecodeError> {
    if !T::REJECTS_UNKNOWN {
        return message.read(Seed::<T>(PhantomData), Count);
    }
    let before = take_dropped();
    let decoded = message.read(Seed::<T>(PhantomData), Count);
    let dropped = take_dropped();
    restore_dropped(before);
    match decoded {
        Ok(_) if dropped > 0 => {
            let trail = RefCell::new(Trail::default());
            drop(message.read(Seed::<T>(PhantomData), &trail));
            Err(DecodeError::UnknownField { path: trail.into_inner().dropped.unwrap_or_default() })
        }
        decoded => decoded,
    }
}

/// Reads a payload where serde wants a seed.
pub(crate) struct Seed<T>(pub(crate) PhantomData<T>);

impl<'de, T: Payload> DeserializeSeed<'de> for Seed<T> {
    type Value = T::Borrowed<'de>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        T::read(from)
    }
}
