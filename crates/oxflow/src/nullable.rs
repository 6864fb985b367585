//! A field that may be absent and may be null, which is not the same.

use crate::describe::{Scope, Shape};
use crate::shape::Type;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value, null, or nothing at all.
///
/// An `Option` is one of two things, so a field that was null is absent once it was read and written. As a field this keeps it
/// as it was:
///
/// ```
/// use oxflow::{Nullable, Payload};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, Payload)]
/// struct Release {
///     #[serde(default, skip_serializing_if = "Nullable::is_absent")]
///     version: Nullable<String>,
/// }
///
/// for text in [r#"{"version":"1.2"}"#, r#"{"version":null}"#, "{}"] {
///     let release: Release = serde_json::from_str(text)?;
///     assert_eq!(serde_json::to_string(&release)?, text);
/// }
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// Without `skip_serializing_if` what is absent is written as null.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Nullable<T> {
    /// The field isn't there.
    #[default]
    Absent,
    /// The field is null.
    Null,
    /// The field has a value.
    Value(T),
}

impl<T> Nullable<T> {
    /// Whether the field isn't there.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The value, if there is one.
    pub const fn as_ref(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// The value, if there is one.
    pub const fn as_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// The value, if there is one.
    pub fn into_option(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }
}

/// Reads a field that may be absent but not null, for `#[serde(default, deserialize_with = "oxflow::present")]`.
///
/// Serde reads null as an `Option` that is `None`. In an enum without tags that is one variant too many: the next one may keep
/// null as it is.
pub fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl<T> From<T> for Nullable<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl<T: Serialize> Serialize for Nullable<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Nullable<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Null, Self::Value))
    }
}

impl<T: Shape> Shape for Nullable<T> {
    fn describe(scope: &mut Scope) -> Type {
        Option::<T>::describe(scope)
    }
}
