//! Notices the fields that serde drops.
//!
//! A derived struct skips the value of a field that it doesn't know with `deserialize_ignored_any`. A deserialiser around the
//! real one sees that call and passes all others on. It holds nothing and inlines away: only a dropped field costs
//! something. What serde reads into a buffer first (behind `flatten`, an internal tag, or in an untagged enum) is dropped
//! out of that buffer, where nobody sees it.

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};
use std::cell::Cell;
use std::fmt;

thread_local! {
    static DROPPED: Cell<u64> = const { Cell::new(0) };
}

/// How many fields were dropped on this thread since it was last asked.
pub(crate) fn take_dropped() -> u64 {
    DROPPED.take()
}

/// Takes up a count that was [taken](take_dropped).
pub(crate) fn restore_dropped(count: u64) {
    DROPPED.set(count);
}

/// Counts a field that is dropped.
pub(crate) fn count_dropped() {
    DROPPED.set(DROPPED.get() + 1);
}

/// What is told of the way into a value.
pub(super) trait Watch: Copy {
    /// Whether what is read is text that may stand for a truth.
    const TEXT_OF_TRUTH: bool = false;

    /// A field is dropped.
    fn dropped(self);

    /// Reads the key of the next field.
    #[inline]
    fn key<'de, K: DeserializeSeed<'de>, A: MapAccess<'de>>(
        self,
        fields: &mut A,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        fields.next_key_seed(seed)
    }

    /// The value of that field was read.
    #[inline]
    fn left(self) {}
}

/// Counts them.
#[derive(Clone, Copy)]
pub(super) struct Count;

impl Watch for Count {
    fn dropped(self) {
        count_dropped();
    }
}

/// The same, with the keys of JSON read as [`OfKey`].
#[derive(Clone, Copy)]
pub(super) struct JsonKeys<W>(pub(super) W);

impl<W: Watch> Watch for JsonKeys<W> {
    fn dropped(self) {
        self.0.dropped();
    }

    #[inline]
    fn key<'de, K: DeserializeSeed<'de>, A: MapAccess<'de>>(
        self,
        fields: &mut A,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        self.0.key(fields, Watched { inner: seed, watch: OfKey })
    }

    #[inline]
    fn left(self) {
        self.0.left();
    }
}

/// Reads the key of a map as text where a truth is wanted. `serde_json` would take the first byte of any other key away and
/// believe that what is left is UTF-8, which it isn't where that byte was part of a character.
#[derive(Clone, Copy)]
struct OfKey;

impl Watch for OfKey {
    const TEXT_OF_TRUTH: bool = true;

    fn dropped(self) {}
}

/// Makes a truth of its text.
struct Truth<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Truth<V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(formatter)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<V::Value, E> {
        match text {
            "true" => self.0.visit_bool(true),
            "false" => self.0.visit_bool(false),
            _ => Err(E::invalid_type(Unexpected::Str(text), &self.0)),
        }
    }
}

/// Anything of serde's, watched.
pub(super) struct Watched<T, W> {
    pub(super) inner: T,
    pub(super) watch: W,
}

impl<T, W: Watch> Watched<T, W> {
    #[inline]
    fn around<U>(&self, inner: U) -> Watched<U, W> {
        Watched { inner, watch: self.watch }
    }
}

/// What holds no other value is passed on as it is.
macro_rules! scalars {
    ($($method:ident)+) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            self.inner.$method(visitor)
        }
    )+};
}

macro_rules! holders {
    ($($method:ident($($argument:ident: $type:ty),*))+) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, Self::Error> {
            let visitor = self.around(visitor);
            self.inner.$method($($argument,)* visitor)
        }
    )+};
}

impl<'de, D: Deserializer<'de>, W: Watch> Deserializer<'de> for Watched<D, W> {
    type Error = D::Error;

    scalars! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128 deserialize_u8
        deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32 deserialize_f64 deserialize_char
        deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf deserialize_unit deserialize_identifier
    }

    holders! {
        deserialize_any()
        deserialize_option()
        deserialize_unit_struct(name: &'static str)
        deserialize_newtype_struct(name: &'static str)
        deserialize_seq()
        deserialize_tuple(len: usize)
        deserialize_tuple_struct(name: &'static str, len: usize)
        deserialize_map()
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
    }

    #[inline]
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        if W::TEXT_OF_TRUTH { self.inner.deserialize_str(Truth(visitor)) } else { self.inner.deserialize_bool(visitor) }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.watch.dropped();
        self.inner.deserialize_ignored_any(visitor)
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! visits {
    ($($method:ident($type:ty))+) => {$(
        #[inline]
        fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.inner.$method(value)
        }
    )+};
}

impl<'de, V: Visitor<'de>, W: Watch> Visitor<'de> for Watched<V, W> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(formatter)
    }

    visits! {
        visit_bool(bool) visit_i8(i8) visit_i16(i16) visit_i32(i32) visit_i64(i64) visit_i128(i128)
        visit_u8(u8) visit_u16(u16) visit_u32(u32) visit_u64(u64) visit_u128(u128) visit_f32(f32) visit_f64(f64)
        visit_char(char) visit_str(&str) visit_borrowed_str(&'de str) visit_string(String)
        visit_bytes(&[u8]) visit_borrowed_bytes(&'de [u8]) visit_byte_buf(Vec<u8>)
    }

    #[inline]
    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    #[inline]
    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        let value = self.around(value);
        self.inner.visit_some(value)
    }

    #[inline]
    fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        let value = self.around(value);
        self.inner.visit_newtype_struct(value)
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        let items = self.around(items);
        self.inner.visit_seq(items)
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<V::Value, A::Error> {
        let fields = self.around(fields);
        self.inner.visit_map(fields)
    }

    #[inline]
    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        let variant = self.around(variant);
        self.inner.visit_enum(variant)
    }
}

impl<'de, S: DeserializeSeed<'de>, W: Watch> DeserializeSeed<'de> for Watched<S, W> {
    type Value = S::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<S::Value, D::Error> {
        let value = self.around(value);
        self.inner.deserialize(value)
    }
}

impl<'de, A: SeqAccess<'de>, W: Watch> SeqAccess<'de> for Watched<A, W> {
    type Error = A::Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let seed = self.around(seed);
        self.inner.next_element_seed(seed)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: MapAccess<'de>, W: Watch> MapAccess<'de> for Watched<A, W> {
    type Error = A::Error;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        self.watch.key(&mut self.inner, seed)
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let seed = self.around(seed);
        let value = self.inner.next_value_seed(seed)?;
        self.watch.left();
        Ok(value)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>, W: Watch> EnumAccess<'de> for Watched<A, W> {
    type Error = A::Error;
    type Variant = Watched<A::Variant, W>;

    #[inline]
    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let (value, inner) = self.inner.variant_seed(seed)?;
        Ok((value, Watched { inner, watch: self.watch }))
    }
}

impl<'de, A: VariantAccess<'de>, W: Watch> VariantAccess<'de> for Watched<A, W> {
    type Error = A::Error;

    #[inline]
    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    #[inline]
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        let seed = self.around(seed);
        self.inner.newtype_variant_seed(seed)
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        let visitor = self.around(visitor);
        self.inner.tuple_variant(len, visitor)
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let visitor = self.around(visitor);
        self.inner.struct_variant(fields, visitor)
    }
}
