//! Nodes to typed values, by serde, so that the types alone say what a configuration may hold.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};

use super::failure::{Failure, list};
use super::node::{Entry, Node, Origin, Value};

/// Reads a value of a type out of a node.
pub(crate) fn read<'de, T: Deserialize<'de>>(node: &'de Node) -> Result<T, Failure> {
    T::deserialize(Reader(node))
}

/// The name by which a type asks for the place of its value.
pub(crate) const PLACED: &str = "$oxflow::Placed";

#[derive(Clone, Copy)]
struct Reader<'de>(&'de Node);

impl<'de> Reader<'de> {
    /// A section without entries, as is left when all of them are commented out, is null in YAML.
    fn section<V: Visitor<'de>>(self, visitor: V, expected: &str) -> Result<V::Value, Failure> {
        match &self.0.value {
            Value::Map(entries) => visitor.visit_map(Entries::new(entries)),
            Value::Null => visitor.visit_map(Entries::new(&[])),
            _ => Err(Failure::invalid_type(self.unexpected(), &expected)),
        }
        .map_err(|failure| failure.at(self.0))
    }

    fn unexpected(self) -> Unexpected<'de> {
        match &self.0.value {
            Value::Null => Unexpected::Unit,
            Value::Bool(value) => Unexpected::Bool(*value),
            Value::Signed(value) => Unexpected::Signed(*value),
            Value::Unsigned(value) => Unexpected::Unsigned(*value),
            Value::Float(value) => Unexpected::Float(*value),
            Value::Text(text) => Unexpected::Str(text),
            Value::List(_) => Unexpected::Seq,
            Value::Map(_) => Unexpected::Map,
        }
    }
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match &self.0.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Signed(value) => visitor.visit_i64(*value),
            Value::Unsigned(value) => visitor.visit_u64(*value),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::List(items) => visitor.visit_seq(Items(items.iter())),
            Value::Map(entries) => visitor.visit_map(Entries::new(entries)),
        }
        .map_err(|failure: Failure| failure.at(self.0))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.0.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.section(visitor, "a map")
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.section(visitor, &format!("a map with keys of {}", list(fields, "and")))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        match &self.0.value {
            Value::Text(word) => visitor.visit_enum(Choice { word, settings: None }),
            Value::Map(entries) => match entries.as_slice() {
                [only] => visitor.visit_enum(Choice { word: &only.key, settings: Some(&only.node) }),
                several => Err(beside(several, variants)),
            },
            _ => Err(Failure::invalid_type(self.unexpected(), &list(variants, "or").as_str())),
        }
        .map_err(|failure| failure.at(self.0))
    }

    /// What asks for its place is given line, column and itself.
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Failure> {
        if name != PLACED {
            return visitor.visit_newtype_struct(self);
        }
        let (line, column) = match self.0.origin {
            Origin::File(line, column) => (line, column),
            Origin::Set(_) | Origin::Variable(_) => (0, 0),
        };
        visitor.visit_seq(Placing { place: [line, column].into_iter(), node: Some(self.0) })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct identifier ignored_any
    }
}

/// A word has settings, and some of them stand beside it: `{retry: {times: 3}, then: skip}`.
fn beside(entries: &[Entry], words: &'static [&'static str]) -> Failure {
    let (word, others): (Vec<&str>, Vec<&str>) =
        entries.iter().map(|entry| entry.key.as_str()).partition(|key| words.contains(key));
    match (word.as_slice(), others.as_slice()) {
        ([word], [other, ..]) => Failure::custom(format!(
            "`{other}` stands beside `{word}`, but belongs inside: write `{{{word}: {{{other}: ...}}}}`"
        )),
        _ => Failure::invalid_type(Unexpected::Map, &list(words, "or").as_str()),
    }
}

/// One of several words, alone or with settings of its own: `skip`, `{retry: {times: 3}}`.
struct Choice<'de> {
    word: &'de str,
    settings: Option<&'de Node>,
}

impl<'de> EnumAccess<'de> for Choice<'de> {
    type Error = Failure;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), Failure> {
        let word: StrDeserializer<'de, Failure> = self.word.into_deserializer();
        Ok((seed.deserialize(word)?, self))
    }
}

impl<'de> VariantAccess<'de> for Choice<'de> {
    type Error = Failure;

    fn unit_variant(self) -> Result<(), Failure> {
        let word = self.word;
        match self.settings {
            None => Ok(()),
            Some(node) => Err(Failure::custom(format!("`{word}` has no settings: write it alone")).at(node)),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Failure> {
        let word = self.word;
        match self.settings {
            Some(node) => seed.deserialize(Reader(node)).map_err(|failure| failure.inside(word)),
            None => Err(Failure::custom(format!("`{word}` has settings: write `{{{word}: {{...}}}}`"))),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Failure> {
        self.struct_variant(&[], visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _visitor: V) -> Result<V::Value, Failure> {
        Err(Failure::custom("a word with settings is a type of its own"))
    }
}

struct Placing<'de> {
    place: std::array::IntoIter<u32, 2>,
    node: Option<&'de Node>,
}

impl<'de> SeqAccess<'de> for Placing<'de> {
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Failure> {
        match self.place.next() {
            Some(number) => seed.deserialize(number.into_deserializer()).map(Some),
            None => self.node.take().map(|node| seed.deserialize(Reader(node))).transpose(),
        }
    }
}

struct Items<'de>(std::slice::Iter<'de, Node>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Failure> {
        self.0.next().map(|node| seed.deserialize(Reader(node))).transpose()
    }
}

struct Entries<'de> {
    rest: std::slice::Iter<'de, Entry>,
    current: Option<&'de Entry>,
}

impl<'de> Entries<'de> {
    fn new(entries: &'de [Entry]) -> Self {
        Self { rest: entries.iter(), current: None }
    }
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Failure> {
        self.current = self.rest.next();
        let Some(entry) = self.current else { return Ok(None) };
        let key: StrDeserializer<'de, Failure> = entry.key.as_str().into_deserializer();
        seed.deserialize(key).map(Some).map_err(|failure| failure.at_key(&entry.origin))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Failure> {
        let entry = self.current.ok_or_else(|| Failure::custom("a value was asked for before its key"))?;
        seed.deserialize(Reader(&entry.node)).map_err(|failure| failure.inside(&entry.key))
    }
}
