//! Msgpack as serde writes it.

use super::token::{Reader, Token};
use super::{Error, put};
use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple, SerializeTupleStruct,
    SerializeTupleVariant, Serializer,
};

/// Writes values one after the other.
pub(super) struct Encoder<'o> {
    pub(super) out: &'o mut Vec<u8>,
}

impl Encoder<'_> {
    #[inline]
    fn list(&mut self, length: Option<usize>) -> Result<Inside<'_>, Error> {
        let start = self.out.len();
        put::list(length.unwrap_or_default(), self.out)?;
        Ok(Inside { out: self.out, is_map: false, start, length, items: 0 })
    }

    #[inline]
    fn map(&mut self, length: Option<usize>) -> Result<Inside<'_>, Error> {
        let start = self.out.len();
        put::map(length.unwrap_or_default(), self.out)?;
        Ok(Inside { out: self.out, is_map: true, start, length, items: 0 })
    }

    /// The name of a variant, as the key of a map that holds only it.
    fn variant(&mut self, name: &str) -> Result<(), Error> {
        put::map(1, self.out)?;
        Ok(put::text(name, self.out)?)
    }
}

impl From<put::TooLong> for Error {
    fn from(error: put::TooLong) -> Self {
        Self(error.to_string())
    }
}

macro_rules! numbers {
    ($($method:ident $put:ident $type:ty;)+) => {$(
        #[inline]
        fn $method(self, number: $type) -> Result<(), Error> {
            put::$put(number.into(), self.out);
            Ok(())
        }
    )+};
}

impl<'e> Serializer for &'e mut Encoder<'_> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Inside<'e>;
    type SerializeTuple = Inside<'e>;
    type SerializeTupleStruct = Inside<'e>;
    type SerializeTupleVariant = Inside<'e>;
    type SerializeMap = Inside<'e>;
    type SerializeStruct = Inside<'e>;
    type SerializeStructVariant = Inside<'e>;

    numbers! {
        serialize_bool bool bool;
        serialize_i8 signed i8;
        serialize_i16 signed i16;
        serialize_i32 signed i32;
        serialize_i64 signed i64;
        serialize_u8 unsigned u8;
        serialize_u16 unsigned u16;
        serialize_u32 unsigned u32;
        serialize_u64 unsigned u64;
        serialize_f32 single f32;
        serialize_f64 float f64;
    }

    fn serialize_i128(self, number: i128) -> Result<(), Error> {
        match (u64::try_from(number), i64::try_from(number)) {
            (Ok(number), _) => self.serialize_u64(number),
            (_, Ok(number)) => self.serialize_i64(number),
            _ => Err(Error(format!("{number} has more than 64 bits"))),
        }
    }

    fn serialize_u128(self, number: u128) -> Result<(), Error> {
        let short = u64::try_from(number).map_err(|_| Error(format!("{number} has more than 64 bits")))?;
        self.serialize_u64(short)
    }

    fn serialize_char(self, letter: char) -> Result<(), Error> {
        self.serialize_str(letter.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, text: &str) -> Result<(), Error> {
        Ok(put::text(text, self.out)?)
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Error> {
        Ok(put::binary(bytes, self.out)?)
    }

    #[inline]
    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_unit(self) -> Result<(), Error> {
        put::nil(self.out);
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.variant(variant)?;
        value.serialize(self)
    }

    #[inline]
    fn serialize_seq(self, length: Option<usize>) -> Result<Inside<'e>, Error> {
        self.list(length)
    }

    #[inline]
    fn serialize_tuple(self, length: usize) -> Result<Inside<'e>, Error> {
        self.list(Some(length))
    }

    #[inline]
    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Inside<'e>, Error> {
        self.list(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Inside<'e>, Error> {
        self.variant(variant)?;
        self.list(Some(length))
    }

    #[inline]
    fn serialize_map(self, length: Option<usize>) -> Result<Inside<'e>, Error> {
        self.map(length)
    }

    #[inline]
    fn serialize_struct(self, _: &'static str, length: usize) -> Result<Inside<'e>, Error> {
        self.map(Some(length))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Inside<'e>, Error> {
        self.variant(variant)?;
        self.map(Some(length))
    }
}

/// A list or map that is being written.
pub(super) struct Inside<'o> {
    out: &'o mut Vec<u8>,
    is_map: bool,
    start: usize,
    /// How many items or pairs it said that it has; none where it only comes to be known.
    length: Option<usize>,
    items: usize,
}

impl Inside<'_> {
    #[inline]
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.items += 1;
        value.serialize(&mut Encoder { out: self.out })
    }

    #[inline]
    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Error> {
        put::text(name, self.out)?;
        self.item(value)
    }

    /// Writes a key as text.
    #[inline]
    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        let start = self.out.len();
        key.serialize(&mut Encoder { out: self.out })?;
        match self.out.get(start) {
            Some(0xa0..=0xbf | 0xd9..=0xdb) => Ok(()),
            _ => self.spell(start),
        }
    }

    /// Replaces a key that isn't text by the text that it has in JSON.
    fn spell(&mut self, start: usize) -> Result<(), Error> {
        let text = match Reader::new(self.out.get(start..).unwrap_or_default()).token()? {
            Token::Bool(truth) => truth.to_string(),
            Token::Unsigned(number) => number.to_string(),
            Token::Signed(number) => number.to_string(),
            _ => return Err(Error("a key of a map must be text".to_owned())),
        };
        self.out.truncate(start);
        Ok(put::text(&text, self.out)?)
    }

    #[inline]
    fn finish(self) -> Result<(), Error> {
        if self.length == Some(self.items) {
            return Ok(());
        }
        self.write_length()
    }

    /// Writes the length that is only known now.
    fn write_length(self) -> Result<(), Error> {
        if let Some(length) = self.length {
            let items = self.items;
            return Err(Error(format!("a list or map that said it has {length} items has {items}")));
        }
        let mut begin = Vec::with_capacity(5);
        if self.is_map { put::map(self.items, &mut begin) } else { put::list(self.items, &mut begin) }?;
        // A length of nothing took one byte.
        self.out.splice(self.start..=self.start, begin);
        Ok(())
    }
}

macro_rules! items {
    ($($trait:ident $method:ident)+) => {$(
        impl $trait for Inside<'_> {
            type Ok = ();
            type Error = Error;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.item(value)
            }

            #[inline]
            fn end(self) -> Result<(), Error> {
                self.finish()
            }
        }
    )+};
}

macro_rules! fields {
    ($($trait:ident)+) => {$(
        impl $trait for Inside<'_> {
            type Ok = ();
            type Error = Error;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
                self.field(name, value)
            }

            #[inline]
            fn end(self) -> Result<(), Error> {
                self.finish()
            }
        }
    )+};
}

items! {
    SerializeSeq serialize_element
    SerializeTuple serialize_element
    SerializeTupleStruct serialize_field
    SerializeTupleVariant serialize_field
}

fields! { SerializeStruct SerializeStructVariant }

impl SerializeMap for Inside<'_> {
    type Ok = ();
    type Error = Error;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key(key)
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.item(value)
    }

    #[inline]
    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}
