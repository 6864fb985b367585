//! Finds out which field was dropped: the way to the value at hand, key by key.
//!
//! Only a message that is refused is read with this, a second time, so the keys may be copied.

use super::watch::Watch;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use std::cell::RefCell;
use std::fmt;

/// The keys on the way, and the first field that was dropped.
#[derive(Debug, Default)]
pub(super) struct Trail {
    keys: Vec<String>,
    pub(super) dropped: Option<String>,
}

impl Watch for &RefCell<Trail> {
    fn dropped(self) {
        let mut trail = self.borrow_mut();
        // A key that could not be read on its way is left out.
        let known: Vec<&str> = trail.keys.iter().map(String::as_str).filter(|key| !key.is_empty()).collect();
        let path = known.join(".");
        trail.dropped.get_or_insert(path);
    }

    fn key<'de, K: DeserializeSeed<'de>, A: MapAccess<'de>>(
        self,
        fields: &mut A,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        self.borrow_mut().keys.push(String::new());
        let key = fields.next_key_seed(Key { inner: seed, trail: self });
        if matches!(key, Ok(None)) {
            self.left();
        }
        key
    }

    fn left(self) {
        self.borrow_mut().keys.pop();
    }
}

/// A key on its way from the text to the type, read on the way.
struct Key<'t, T> {
    inner: T,
    trail: &'t RefCell<Trail>,
}

impl<'t, T> Key<'t, T> {
    fn around<U>(&self, inner: U) -> Key<'t, U> {
        Key { inner, trail: self.trail }
    }

    fn note(&self, key: &dyn fmt::Display) {
        if let Some(last) = self.trail.borrow_mut().keys.last_mut() {
            *last = key.to_string();
        }
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Key<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<S::Value, D::Error> {
        let key = self.around(key);
        self.inner.deserialize(key)
    }
}

macro_rules! keys {
    ($($method:ident($($argument:ident: $type:ty),*))+) => {$(
        fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, Self::Error> {
            let visitor = self.around(visitor);
            self.inner.$method($($argument,)* visitor)
        }
    )+};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Key<'_, D> {
    type Error = D::Error;

    keys! {
        deserialize_any() deserialize_bool() deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64()
        deserialize_i128() deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
        deserialize_f32() deserialize_f64() deserialize_char() deserialize_str() deserialize_string() deserialize_bytes()
        deserialize_byte_buf() deserialize_unit() deserialize_seq() deserialize_map() deserialize_identifier()
        deserialize_ignored_any() deserialize_tuple(len: usize) deserialize_unit_struct(name: &'static str)
        deserialize_tuple_struct(name: &'static str, len: usize)
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
    }

    // These three hand on a deserialiser of their own, in which the key would have to be looked for: the path lacks it.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_option(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_newtype_struct(name, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_enum(name, variants, visitor)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! visits {
    ($($method:ident($type:ty))+) => {$(
        fn $method<E: Error>(self, key: $type) -> Result<V::Value, E> {
            self.note(&key);
            self.inner.$method(key)
        }
    )+};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Key<'_, V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(formatter)
    }

    visits! {
        visit_bool(bool) visit_i8(i8) visit_i16(i16) visit_i32(i32) visit_i64(i64) visit_i128(i128)
        visit_u8(u8) visit_u16(u16) visit_u32(u32) visit_u64(u64) visit_u128(u128) visit_f32(f32) visit_f64(f64)
        visit_char(char) visit_str(&str) visit_borrowed_str(&'de str) visit_string(String)
    }
}
