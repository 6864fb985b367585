//! Msgpack as serde reads it.

use super::Error;
use super::key::Key;
use super::token::{NIL, Reader, Token};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};

/// Values in values; each costs stack. As many as `serde_json` reads.
const DEPTH: u32 = 128;
/// Items that there is room for at first, whatever a message says.
const ROOM: usize = 1024;

/// A pass through a message.
pub(super) struct Decoder<'de> {
    reader: Reader<'de>,
    /// How many values may still begin inside of the one at hand.
    depth: u32,
}

impl<'de> Decoder<'de> {
    pub(super) fn new(bytes: &'de [u8]) -> Self {
        Self { reader: Reader::new(bytes), depth: DEPTH }
    }

    /// The byte where the last piece began, counted from 1.
    pub(super) fn byte(&self) -> usize {
        self.reader.byte()
    }

    /// Nothing may come after the value.
    pub(super) fn end(&mut self) -> Result<(), Error> {
        if self.reader.left() == 0 {
            return Ok(());
        }
        self.reader.blame_next();
        Err(Error("something comes after the value".to_owned()))
    }

    #[inline]
    pub(super) fn token(&mut self) -> Result<Token<'de>, Error> {
        Ok(self.reader.token()?)
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.reader.peek()
    }

    /// Shows a piece to whom it may concern.
    #[inline]
    pub(super) fn visit<V: Visitor<'de>>(&mut self, token: Token<'de>, visitor: V) -> Result<V::Value, Error> {
        match token {
            Token::Nil => visitor.visit_unit(),
            Token::Bool(truth) => visitor.visit_bool(truth),
            Token::Unsigned(number) => visitor.visit_u64(number),
            Token::Signed(number) => visitor.visit_i64(number),
            Token::Single(number) => visitor.visit_f32(number),
            Token::Float(number) => visitor.visit_f64(number),
            Token::Text(text) => visitor.visit_borrowed_str(text),
            Token::Binary(bytes) => visitor.visit_borrowed_bytes(bytes),
            Token::List(length) => self.within(length, |items| visitor.visit_seq(items)),
            Token::Map(length) => self.within(length, |fields| visitor.visit_map(fields)),
            Token::Extension(kind) => Err(unexpected(&extension(kind), &visitor)),
        }
    }

    /// Reads what is inside of a list or map, to its end.
    #[inline]
    fn within<T>(
        &mut self,
        length: u32,
        read: impl FnOnce(&mut Inside<'_, 'de>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.depth = self.depth.checked_sub(1).ok_or_else(|| Error("values lie too deep in each other".to_owned()))?;
        let mut inside = Inside { decoder: self, left: length };
        let value = read(&mut inside)?;
        let left = inside.left;
        self.depth += 1;
        if left > 0 {
            self.reader.blame_next();
            return Err(Error(format!("{left} more than expected")));
        }
        Ok(value)
    }

    /// Text and nothing else: serde would take bytes that look like text, and numbers for fields.
    #[inline]
    fn text<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Error> {
        match self.token()? {
            Token::Text(text) => visitor.visit_borrowed_str(text),
            Token::Binary(bytes) => Err(unexpected(&Unexpected::Bytes(bytes), &visitor)),
            Token::Unsigned(number) => Err(unexpected(&Unexpected::Unsigned(number), &visitor)),
            other => self.visit(other, visitor),
        }
    }
}

fn unexpected<'de>(what: &Unexpected<'_>, wanted: &impl Visitor<'de>) -> Error {
    Error::invalid_type(*what, wanted)
}

fn extension(kind: i8) -> Unexpected<'static> {
    Unexpected::Other(if kind == -1 { "a timestamp" } else { "an extension type" })
}

impl<'de> Deserializer<'de> for &mut Decoder<'de> {
    type Error = Error;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let token = self.token()?;
        self.visit(token, visitor)
    }

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.text(visitor)
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.text(visitor)
    }

    #[inline]
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.text(visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.peek() == Some(NIL) {
            self.token()?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.token()? {
            Token::Text(name) => visitor.visit_enum(serde::de::value::BorrowedStrDeserializer::new(name)),
            Token::Map(1) => self.within(0, |inside| visitor.visit_enum(&mut *inside.decoder)),
            Token::Map(_) => Err(Error("an enum is a map of one field".to_owned())),
            other => self.visit(other, visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.reader.skip()?;
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct seq tuple tuple_struct map
        struct
    }
}

/// What is left of a list or map.
struct Inside<'d, 'de> {
    decoder: &'d mut Decoder<'de>,
    left: u32,
}

impl Inside<'_, '_> {
    #[inline]
    fn next(&mut self) -> bool {
        let next = self.left.checked_sub(1);
        self.left = next.unwrap_or_default();
        next.is_some()
    }

    /// Each item takes a byte at least.
    fn room(&self) -> usize {
        (self.left as usize).min(self.decoder.reader.left()).min(ROOM)
    }
}

impl<'de> SeqAccess<'de> for &mut Inside<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        if self.next() { seed.deserialize(&mut *self.decoder).map(Some) } else { Ok(None) }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.room())
    }
}

impl<'de> MapAccess<'de> for &mut Inside<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        if self.next() { seed.deserialize(Key(&mut *self.decoder)).map(Some) } else { Ok(None) }
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(&mut *self.decoder)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.room())
    }
}

impl<'de> EnumAccess<'de> for &mut Decoder<'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        Ok((seed.deserialize(&mut *self)?, self))
    }
}

impl<'de> VariantAccess<'de> for &mut Decoder<'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        serde::Deserialize::deserialize(self)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }
}
