//! What a step after a `Batch` takes: a list of payloads.

use crate::Payload;
use crate::abi::Codec;
use crate::codec::{self, DecodeError, EncodeError, Seed, Written, json};
use crate::describe::{Scope, Shape};
use crate::shape::Type;
use serde::Serializer;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// A list of payloads: what a function after a `Batch` takes, and a payload itself. In Python it is a `list`.
///
/// `Vec<T>` isn't a payload, since a function that returns a `Vec` gives any number of outputs.
///
/// ```
/// use oxflow::{List, Message};
///
/// #[oxflow::function]
/// fn total(msg: &Message<List<f64>>) -> f64 {
///     msg.payload().iter().sum()
/// }
///
/// assert_eq!(total(&Message::new(vec![1.5, 2.0].into())), 3.5);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct List<T>(Vec<T>);

impl<T> List<T> {
    /// The payloads, without a copy.
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<T> Deref for List<T> {
    type Target = Vec<T>;

    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<T> DerefMut for List<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        &mut self.0
    }
}

impl<T> From<Vec<T>> for List<T> {
    fn from(items: Vec<T>) -> Self {
        Self(items)
    }
}

impl<T> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}

impl<T> IntoIterator for List<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'l, T> IntoIterator for &'l List<T> {
    type Item = &'l T;
    type IntoIter = std::slice::Iter<'l, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T: Shape> Shape for List<T> {
    fn describe(scope: &mut Scope) -> Type {
        Vec::<T>::describe(scope)
    }
}

impl<T: Payload> Payload for List<T> {
    type Borrowed<'a> = List<T::Borrowed<'a>>;
    const REJECTS_UNKNOWN: bool = T::REJECTS_UNKNOWN;
    const DIRECT: bool = T::DIRECT;
    const CODECS: u32 = codec::OF_SERDE;
    const ABSENT_CODECS: u32 = codec::OF_SERDE_ABSENT;

    fn name() -> &'static str {
        "list"
    }

    fn shape() -> Type {
        Type::List(Box::new(T::shape()))
    }

    fn decode(bytes: &[u8]) -> Result<Self::Borrowed<'_>, DecodeError> {
        json::decode_payload::<Self>(bytes)
    }

    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        json::encode(&Written(self), out)
    }

    fn decode_as(codec: Codec, bytes: &[u8]) -> Result<Self::Borrowed<'_>, DecodeError> {
        codec::decode::<Self>(codec, bytes)
    }

    fn encode_as(&self, codec: Codec, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        codec::encode(self, codec, out)
    }

    fn read<'a, D: Deserializer<'a>>(from: D) -> Result<Self::Borrowed<'a>, D::Error> {
        from.deserialize_seq(Reader::<T>(PhantomData)).map(List)
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut list = to.serialize_seq(Some(self.len()))?;
        self.iter().try_for_each(|item| list.serialize_element(&Written(item)))?;
        list.end()
    }
}

struct Reader<T>(PhantomData<T>);

impl<'de, T: Payload> Visitor<'de> for Reader<T> {
    type Value = Vec<T::Borrowed<'de>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        // What the input says of its length isn't believed.
        let mut list = Vec::with_capacity(items.size_hint().unwrap_or_default().min(4096));
        while let Some(item) = items.next_element_seed(Seed::<T>(PhantomData))? {
            list.push(item);
        }
        Ok(list)
    }
}
