//! A list whose first items are known.

use crate::describe::{Scope, Shape};
use crate::shape::Type;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{SeqAccess, Visitor};
use serde::ser::{Error, Impossible, SerializeSeq, SerializeTuple, SerializeTupleStruct};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::fmt;
use std::marker::PhantomData;

/// A tuple that more items may follow, which are kept.
///
/// Serde refuses a list that is longer than the tuple. JSON Schema doesn't, unless a schema says so.
///
/// ```
/// use oxflow::OpenTuple;
///
/// let text = r#"[2,"insert",{"id":1}]"#;
/// let message: OpenTuple<(u64, String)> = serde_json::from_str(text)?;
/// assert_eq!(message.items.1, "insert");
/// assert_eq!(message.more.len(), 1);
/// assert_eq!(serde_json::to_string(&message)?, text);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpenTuple<T> {
    /// The items that are known: a tuple or a tuple struct.
    pub items: T,
    /// Those that follow.
    pub more: Vec<Value>,
}

impl<T: Shape> Shape for OpenTuple<T> {
    /// No shape says which items a list begins with.
    fn describe(_: &mut Scope) -> Type {
        Type::List(Box::new(Type::Any))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OpenTuple<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Reader(PhantomData))
    }
}

struct Reader<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
    type Value = OpenTuple<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let items = T::deserialize(SeqAccessDeserializer::new(&mut list))?;
        let mut more = Vec::new();
        while let Some(item) = list.next_element()? {
            more.push(item);
        }
        Ok(OpenTuple { items, more })
    }
}

impl<T: Serialize> Serialize for OpenTuple<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        self.items.serialize(Items(&mut list))?;
        for item in &self.more {
            list.serialize_element(item)?;
        }
        list.end()
    }
}

/// Writes the items of a tuple into a list that goes on.
struct Items<'a, S>(&'a mut S);

impl<S: SerializeSeq> SerializeTuple for Items<'_, S> {
    type Ok = ();
    type Error = S::Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        self.0.serialize_element(value)
    }

    fn end(self) -> Result<(), S::Error> {
        Ok(())
    }
}

impl<S: SerializeSeq> SerializeTupleStruct for Items<'_, S> {
    type Ok = ();
    type Error = S::Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        self.0.serialize_element(value)
    }

    fn end(self) -> Result<(), S::Error> {
        Ok(())
    }
}

macro_rules! refuse {
    ($($name:ident($($argument:ty),*) -> $given:ty;)+) => {$(
        fn $name(self, $(_: $argument),*) -> Result<$given, S::Error> {
            Err(S::Error::custom("the items of an `OpenTuple` are a tuple"))
        }
    )+};
}

impl<S: SerializeSeq> Serializer for Items<'_, S> {
    type Ok = ();
    type Error = S::Error;
    type SerializeSeq = Impossible<(), S::Error>;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Impossible<(), S::Error>;
    type SerializeMap = Impossible<(), S::Error>;
    type SerializeStruct = Impossible<(), S::Error>;
    type SerializeStructVariant = Impossible<(), S::Error>;

    fn serialize_tuple(self, _: usize) -> Result<Self, S::Error> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, S::Error> {
        Ok(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), S::Error> {
        value.serialize(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), S::Error> {
        self.serialize_unit()
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), S::Error> {
        self.serialize_unit()
    }

    refuse! {
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_str(&str) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct(&'static str, usize) -> Self::SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }
}
