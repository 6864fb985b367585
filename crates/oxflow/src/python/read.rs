//! Reads Python objects by serde, as `serde_json` would read their JSON.

use super::look::{Seen, Value};
use super::wrong::Wrong;
use crate::codec::count_dropped;
use pyo3::prelude::*;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{Deserializer, Error, Visitor};
use std::str::FromStr;

impl<'de> Seen<'_, 'de, '_> {
    fn refuse<T>(&self, expected: &impl Visitor<'de>) -> Result<T, Wrong> {
        Err(Wrong::invalid_type(self.unexpected(), expected))
    }

    #[inline]
    fn visit_number<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self {
            Self::Whole(number) => match u64::try_from(number) {
                Ok(number) => visitor.visit_u64(number),
                Err(_) => visitor.visit_i64(number),
            },
            Self::Large(number) => visitor.visit_u64(number),
            Self::Real(number) => visitor.visit_f64(number),
            Self::Huge(number) => visitor.visit_f64(number.extract().map_err(|_| out_of_range())?),
            other => other.refuse(&visitor),
        }
    }
}

fn out_of_range() -> Wrong {
    Wrong::new("number out of range")
}

/// An integer of more than 64 bits.
fn huge<T: FromStr>(number: &Bound<'_, PyAny>) -> Result<T, Wrong> {
    let digits = number.str().ok();
    digits.and_then(|digits| digits.to_str().ok()?.parse().ok()).ok_or_else(out_of_range)
}

/// The nearest number of single precision, found by the digits: of two roundings one may go astray.
fn single<T: ToString>(number: &T) -> Result<f64, Wrong> {
    let single = number.to_string().parse::<f32>().ok().filter(|single| single.is_finite());
    single.map(f64::from).ok_or_else(out_of_range)
}

macro_rules! numbers {
    ($($method:ident)+) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            self.look()?.visit_number(visitor)
        }
    )+};
}

macro_rules! texts {
    ($($method:ident)+) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            match self.look()? {
                Seen::Text(text) => visitor.visit_borrowed_str(text),
                other => other.refuse(&visitor),
            }
        }
    )+};
}

macro_rules! bytes {
    ($($method:ident)+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            match self.look()? {
                Seen::Text(text) => visitor.visit_borrowed_bytes(text.as_bytes()),
                Seen::Items(items) => items.visit(visitor),
                other => other.refuse(&visitor),
            }
        }
    )+};
}

impl<'de> Deserializer<'de> for Value<'_, 'de, '_> {
    type Error = Wrong;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.look()? {
            Seen::Nothing => visitor.visit_unit(),
            Seen::Truth(truth) => visitor.visit_bool(truth),
            Seen::Text(text) => visitor.visit_borrowed_str(text),
            Seen::Items(items) => items.visit(visitor),
            Seen::Fields(fields) => fields.visit(visitor),
            number => number.visit_number(visitor),
        }
    }

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f64
    }

    texts! { deserialize_char deserialize_str deserialize_string deserialize_identifier }

    bytes! { deserialize_bytes deserialize_byte_buf }

    #[inline]
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.look()? {
            Seen::Truth(truth) => visitor.visit_bool(truth),
            other => other.refuse(&visitor),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.look()? {
            Seen::Real(number) => visitor.visit_f64(single(&number)?),
            Seen::Huge(number) => visitor.visit_f64(single(&number)?),
            other => other.visit_number(visitor),
        }
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.look()? {
            Seen::Whole(number) => visitor.visit_i128(number.into()),
            Seen::Large(number) => visitor.visit_i128(number.into()),
            Seen::Huge(number) => visitor.visit_i128(huge(&number)?),
            other => other.refuse(&visitor),
        }
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.look()? {
            Seen::Whole(number) => visitor.visit_u128(number.try_into().map_err(|_| out_of_range())?),
            Seen::Large(number) => visitor.visit_u128(number.into()),
            Seen::Huge(number) => visitor.visit_u128(huge(&number)?),
            other => other.refuse(&visitor),
        }
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        if self.object.is_none() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.look()? {
            Seen::Nothing => visitor.visit_unit(),
            other => other.refuse(&visitor),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_unit(visitor)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Wrong> {
        if name.starts_with("$serde_json") {
            return Err(self.source.odd("a value that wants its JSON"));
        }
        visitor.visit_newtype_struct(self)
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.look()? {
            Seen::Items(items) => items.visit(visitor),
            other => other.refuse(&visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.deserialize_seq(visitor)
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.look()? {
            Seen::Fields(fields) => fields.visit(visitor),
            other => other.refuse(&visitor),
        }
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        match self.look()? {
            Seen::Fields(fields) => fields.visit(visitor),
            Seen::Items(items) => items.visit(visitor),
            other => other.refuse(&visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        match self.look()? {
            Seen::Text(text) => visitor.visit_enum(BorrowedStrDeserializer::<Wrong>::new(text)),
            Seen::Fields(fields) => fields.visit_variant(visitor),
            other => other.refuse(&visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        count_dropped();
        self.pass()?;
        visitor.visit_unit()
    }
}
