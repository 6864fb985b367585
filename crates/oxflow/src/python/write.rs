//! Makes Python objects by serde: what `json.loads` would give for the JSON that `serde_json` writes.

use super::names::Names;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyList, PyString};
use serde::ser::{
    Error, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use std::cell::RefCell;
use std::fmt::{self, Display};

/// Values in values that are made here; what is deeper goes by way of JSON.
const DEPTH: usize = 100;

/// The value has to go by way of JSON, which also finds out what is wrong with it.
#[derive(Debug)]
pub(super) struct Left;

impl Display for Left {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("no Python object is made of it directly")
    }
}

impl std::error::Error for Left {}

impl Error for Left {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

impl From<PyErr> for Left {
    fn from(_: PyErr) -> Self {
        Self
    }
}

type Made<'py> = Result<Bound<'py, PyAny>, Left>;

/// Makes an object of a value.
#[derive(Clone, Copy)]
pub(super) struct Writer<'n, 'py> {
    py: Python<'py>,
    names: &'n RefCell<Names>,
    depth: usize,
}

impl<'n, 'py> Writer<'n, 'py> {
    pub(super) fn new(py: Python<'py>, names: &'n RefCell<Names>) -> Self {
        Self { py, names, depth: DEPTH }
    }

    fn inside(self) -> Result<Self, Left> {
        Ok(Self { depth: self.depth.checked_sub(1).ok_or(Left)?, ..self })
    }

    #[inline]
    fn key(self, text: &str) -> Bound<'py, PyString> {
        self.names.borrow_mut().key(self.py, text)
    }

    fn dict(self) -> Result<Dict<'n, 'py>, Left> {
        Ok(Dict { writer: self.inside()?, made: PyDict::new(self.py), key: None, variant: None })
    }

    fn list(self, len: usize) -> Result<List<'n, 'py>, Left> {
        // What a value says of its length isn't believed.
        Ok(List { writer: self.inside()?, items: Vec::with_capacity(len.min(4096)), variant: None })
    }

    fn variant(self, name: &str, value: Bound<'py, PyAny>) -> Made<'py> {
        let dict = PyDict::new(self.py);
        dict.set_item(self.key(name), value)?;
        Ok(dict.into_any())
    }
}

macro_rules! numbers {
    ($($method:ident: $type:ty),+) => {$(
        #[inline]
        fn $method(self, value: $type) -> Made<'py> {
            let Ok(made) = value.into_pyobject(self.py);
            Ok(made.into_any())
        }
    )+};
}

impl<'n, 'py> Serializer for Writer<'n, 'py> {
    type Ok = Bound<'py, PyAny>;
    type Error = Left;
    type SerializeSeq = List<'n, 'py>;
    type SerializeTuple = List<'n, 'py>;
    type SerializeTupleStruct = List<'n, 'py>;
    type SerializeTupleVariant = List<'n, 'py>;
    type SerializeMap = Dict<'n, 'py>;
    type SerializeStruct = Dict<'n, 'py>;
    type SerializeStructVariant = Dict<'n, 'py>;

    numbers! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128
    }

    #[inline]
    fn serialize_bool(self, value: bool) -> Made<'py> {
        Ok(PyBool::new(self.py, value).to_owned().into_any())
    }

    fn serialize_f32(self, value: f32) -> Made<'py> {
        // As it is written: 0.1, not 0.10000000149011612.
        self.serialize_f64(value.to_string().parse().map_err(|_| Left)?)
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Made<'py> {
        if value.is_finite() { Ok(PyFloat::new(self.py, value).into_any()) } else { Err(Left) }
    }

    fn serialize_char(self, value: char) -> Made<'py> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Made<'py> {
        Ok(PyString::new(self.py, value).into_any())
    }

    fn serialize_bytes(self, value: &[u8]) -> Made<'py> {
        Ok(PyList::new(self.py, value.iter().copied().map(i64::from))?.into_any())
    }

    fn serialize_none(self) -> Made<'py> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Made<'py> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Made<'py> {
        Ok(self.py.None().into_bound(self.py))
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Made<'py> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _name: &'static str, _index: u32, variant: &'static str) -> Made<'py> {
        Ok(self.key(variant).into_any())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _name: &'static str, value: &T) -> Made<'py> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Made<'py> {
        self.variant(variant, value.serialize(self.inside()?)?)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<List<'n, 'py>, Left> {
        self.list(len.unwrap_or_default())
    }

    fn serialize_tuple(self, len: usize) -> Result<List<'n, 'py>, Left> {
        self.list(len)
    }

    fn serialize_tuple_struct(self, _name: &'static str, len: usize) -> Result<List<'n, 'py>, Left> {
        self.list(len)
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<List<'n, 'py>, Left> {
        Ok(List { variant: Some(variant), ..self.list(len)? })
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Dict<'n, 'py>, Left> {
        self.dict()
    }

    #[inline]
    fn serialize_struct(self, name: &'static str, _len: usize) -> Result<Dict<'n, 'py>, Left> {
        // These stand for text that is put into the JSON as it is.
        if name.starts_with("$serde_json") { Err(Left) } else { self.dict() }
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Dict<'n, 'py>, Left> {
        Ok(Dict { variant: Some(variant), ..self.dict()? })
    }
}

/// A list on its way.
pub(super) struct List<'n, 'py> {
    writer: Writer<'n, 'py>,
    items: Vec<Bound<'py, PyAny>>,
    variant: Option<&'static str>,
}

impl<'py> List<'_, 'py> {
    #[inline]
    fn add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Left> {
        self.items.push(value.serialize(self.writer)?);
        Ok(())
    }

    fn finish(self) -> Made<'py> {
        let list = PyList::new(self.writer.py, self.items)?.into_any();
        self.variant.map_or(Ok(list.clone()), |variant| self.writer.variant(variant, list))
    }
}

macro_rules! lists {
    ($($trait:ident $method:ident),+) => {$(
        impl<'py> $trait for List<'_, 'py> {
            type Ok = Bound<'py, PyAny>;
            type Error = Left;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Left> {
                self.add(value)
            }

            fn end(self) -> Made<'py> {
                self.finish()
            }
        }
    )+};
}

lists! {
    SerializeSeq serialize_element, SerializeTuple serialize_element, SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field
}

/// A dictionary on its way.
pub(super) struct Dict<'n, 'py> {
    writer: Writer<'n, 'py>,
    made: Bound<'py, PyDict>,
    key: Option<Bound<'py, PyString>>,
    variant: Option<&'static str>,
}

impl<'py> Dict<'_, 'py> {
    #[inline]
    fn add<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Left> {
        let value = value.serialize(self.writer)?;
        Ok(self.made.set_item(self.writer.key(key), value)?)
    }

    fn finish(self) -> Made<'py> {
        let dict = self.made.into_any();
        self.variant.map_or(Ok(dict.clone()), |variant| self.writer.variant(variant, dict))
    }
}

impl<'py> SerializeMap for Dict<'_, 'py> {
    type Ok = Bound<'py, PyAny>;
    type Error = Left;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Left> {
        self.key = Some(key.serialize(KeyWriter(self.writer))?);
        Ok(())
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Left> {
        let key = self.key.take().ok_or(Left)?;
        Ok(self.made.set_item(key, value.serialize(self.writer)?)?)
    }

    fn end(self) -> Made<'py> {
        self.finish()
    }
}

macro_rules! records {
    ($($trait:ident),+) => {$(
        impl<'py> $trait for Dict<'_, 'py> {
            type Ok = Bound<'py, PyAny>;
            type Error = Left;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Left> {
                self.add(key, value)
            }

            fn end(self) -> Made<'py> {
                self.finish()
            }
        }
    )+};
}

records! { SerializeStruct, SerializeStructVariant }

/// Makes the key of an entry.
struct KeyWriter<'n, 'py>(Writer<'n, 'py>);

type MadeKey<'py> = Result<Bound<'py, PyString>, Left>;

macro_rules! written_keys {
    ($($method:ident: $type:ty),+) => {$(
        fn $method(self, value: $type) -> MadeKey<'py> {
            self.serialize_str(&value.to_string())
        }
    )+};
}

/// What has no text here has none in JSON; or it is a float, whose text is JSON's business.
macro_rules! no_keys {
    ($($method:ident($($type:ty),*) -> $made:ty;)+) => {$(
        fn $method(self, $(_: $type),*) -> Result<$made, Left> {
            Err(Left)
        }
    )+};
}

impl<'py> Serializer for KeyWriter<'_, 'py> {
    type Ok = Bound<'py, PyString>;
    type Error = Left;
    type SerializeSeq = Impossible<Self::Ok, Left>;
    type SerializeTuple = Impossible<Self::Ok, Left>;
    type SerializeTupleStruct = Impossible<Self::Ok, Left>;
    type SerializeTupleVariant = Impossible<Self::Ok, Left>;
    type SerializeMap = Impossible<Self::Ok, Left>;
    type SerializeStruct = Impossible<Self::Ok, Left>;
    type SerializeStructVariant = Impossible<Self::Ok, Left>;

    #[inline]
    fn serialize_str(self, value: &str) -> MadeKey<'py> {
        Ok(self.0.key(value))
    }

    written_keys! {
        serialize_bool: bool, serialize_char: char,
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128
    }

    fn serialize_unit_variant(self, _name: &'static str, _index: u32, variant: &'static str) -> MadeKey<'py> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _name: &'static str, value: &T) -> MadeKey<'py> {
        value.serialize(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> MadeKey<'py> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _value: &T,
    ) -> MadeKey<'py> {
        Err(Left)
    }

    no_keys! {
        serialize_f32(f32) -> Self::Ok;
        serialize_f64(f64) -> Self::Ok;
        serialize_bytes(&[u8]) -> Self::Ok;
        serialize_none() -> Self::Ok;
        serialize_unit() -> Self::Ok;
        serialize_unit_struct(&'static str) -> Self::Ok;
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct(&'static str, usize) -> Self::SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }
}
