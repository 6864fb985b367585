//! What is inside of a Python object, one after the other.

use super::kept::{Entry, next_entry};
use super::key::Key;
use super::layout::Record;
use super::look::{Room, Source, Value};
use super::wrong::Wrong;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyInt, PyList, PyString, PyTuple};
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};
use std::sync::Arc;

/// The items of a list or tuple.
pub(super) struct Items<'s, 'de, 'py> {
    source: &'s Source<'de>,
    room: Room,
    from: Sequence<'py>,
    next: usize,
}

enum Sequence<'py> {
    List(Bound<'py, PyList>),
    Tuple(Bound<'py, PyTuple>),
}

impl<'s, 'de, 'py> Items<'s, 'de, 'py> {
    pub(super) fn of_list(source: &'s Source<'de>, list: Bound<'py, PyList>, room: Room) -> Self {
        Self { source, room, from: Sequence::List(list), next: 0 }
    }

    pub(super) fn of_tuple(source: &'s Source<'de>, tuple: Bound<'py, PyTuple>, room: Room) -> Self {
        Self { source, room, from: Sequence::Tuple(tuple), next: 0 }
    }

    fn len(&self) -> usize {
        match &self.from {
            Sequence::List(list) => list.len(),
            Sequence::Tuple(tuple) => tuple.len(),
        }
    }

    pub(super) fn next(&mut self) -> Option<Value<'s, 'de, 'py>> {
        // Asked each time: code of a user that is called on the way may change the list.
        if self.next >= self.len() {
            return None;
        }
        let object = match &self.from {
            Sequence::List(list) => list.get_item(self.next),
            Sequence::Tuple(tuple) => tuple.get_item(self.next),
        };
        self.next += 1;
        Some(Value { source: self.source, object: object.ok()?, room: self.room })
    }

    /// Gives the items to a visitor, which has to take all of them.
    pub(super) fn visit<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Wrong> {
        let value = visitor.visit_seq(&mut self)?;
        if self.next < self.len() {
            return Err(Wrong::new(format_args!("{} items, of which {} are read", self.len(), self.next)));
        }
        Ok(value)
    }
}

impl<'de> SeqAccess<'de> for &mut Items<'_, 'de, '_> {
    type Error = Wrong;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Wrong> {
        let index = self.next;
        let Some(value) = Items::next(self) else { return Ok(None) };
        seed.deserialize(value).map(Some).map_err(|wrong| wrong.below(format!("[{index}]")))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.len().saturating_sub(self.next))
    }
}

/// The entries of a dictionary, or the attributes of a record.
pub(super) struct Fields<'s, 'de, 'py> {
    source: &'s Source<'de>,
    room: Room,
    from: Mapping<'py>,
    key: &'de str,
    value: Option<Bound<'py, PyAny>>,
}

enum Mapping<'py> {
    Dict { dict: Bound<'py, PyDict>, place: isize },
    Record { object: Bound<'py, PyAny>, record: Arc<Record>, next: usize },
}

impl<'s, 'de, 'py> Fields<'s, 'de, 'py> {
    pub(super) fn of_dict(source: &'s Source<'de>, dict: Bound<'py, PyDict>, room: Room) -> Self {
        Self { source, room, from: Mapping::Dict { dict, place: 0 }, key: "", value: None }
    }

    pub(super) fn of_record(
        source: &'s Source<'de>,
        object: Bound<'py, PyAny>,
        record: Arc<Record>,
        room: Room,
    ) -> Self {
        Self { source, room, from: Mapping::Record { object, record, next: 0 }, key: "", value: None }
    }

    fn len(&self) -> usize {
        match &self.from {
            Mapping::Dict { dict, .. } => dict.len(),
            Mapping::Record { record, .. } => record.fields.len(),
        }
    }

    /// Goes to the next field; gives its name.
    #[inline]
    pub(super) fn advance(&mut self) -> Result<Option<&'de str>, Wrong> {
        let entry = match &mut self.from {
            Mapping::Dict { dict, place } => next_entry(dict, place),
            Mapping::Record { object, record, next } => attribute(self.source, object, record, next)?,
        };
        let Some((key, value)) = entry else { return Ok(None) };
        self.key = name(self.source, key, self.room)?;
        self.value = Some(value);
        Ok(Some(self.key))
    }

    /// The value of the field at hand.
    #[inline]
    pub(super) fn value(&mut self) -> Result<Value<'s, 'de, 'py>, Wrong> {
        let object = self.value.take().ok_or_else(|| Wrong::new("a value was asked for before its key"))?;
        Ok(Value { source: self.source, object, room: self.room })
    }

    /// Gives the fields to a visitor, which has to take all of them.
    pub(super) fn visit<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Wrong> {
        let value = visitor.visit_map(&mut self)?;
        if self.advance()?.is_some() {
            return Err(Wrong::new(format_args!("field `{}` is not read", self.key)));
        }
        Ok(value)
    }

    /// Gives the only field to a visitor: its name is that of a variant.
    pub(super) fn visit_variant<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Wrong> {
        if self.len() != 1 {
            return Err(Wrong::new(format_args!(
                "expected one field with the name of a variant, found {}",
                self.len()
            )));
        }
        let name = self.advance()?.unwrap_or_default();
        let value = self.value()?;
        visitor.visit_enum(Variant { name, value }).map_err(|wrong| wrong.below(format!(".{name}")))
    }
}

fn attribute<'py>(
    source: &Source<'_>,
    object: &Bound<'py, PyAny>,
    record: &Record,
    next: &mut usize,
) -> Result<Option<Entry<'py>>, Wrong> {
    let Some((attribute, name)) = record.fields.get(*next) else { return Ok(None) };
    *next += 1;
    match object.getattr(attribute.bind(object.py())) {
        Ok(value) => Ok(Some((name.bind(object.py()).clone().into_any(), value))),
        // The package meets the same error, and tells it.
        Err(_) => Err(source.odd("an attribute that can't be read")),
    }
}

/// A key as JSON has it.
#[inline]
fn name<'de>(source: &Source<'de>, key: Bound<'_, PyAny>, room: Room) -> Result<&'de str, Wrong> {
    if !key.is_exact_instance_of::<PyString>() && !room.is_plain() {
        return Err(source.odd("a key of a Struct"));
    }
    let key = match key.cast_into_exact::<PyString>() {
        Ok(key) => key,
        Err(error) => other_name(source, &error.into_inner())?,
    };
    source.kept.text(key).ok_or_else(|| source.odd("half of a surrogate pair"))
}

#[cold]
fn other_name<'py>(source: &Source<'_>, key: &Bound<'py, PyAny>) -> Result<Bound<'py, PyString>, Wrong> {
    let py = key.py();
    if key.is_none() {
        return Ok(PyString::new(py, "null"));
    }
    if let Ok(truth) = key.cast_exact::<PyBool>() {
        return Ok(PyString::new(py, if truth.is_true() { "true" } else { "false" }));
    }
    let digits = if key.is_exact_instance_of::<PyInt>() { key.str().ok() } else { None };
    digits.ok_or_else(|| source.odd("a key that is no text"))
}

impl<'de> MapAccess<'de> for &mut Fields<'_, 'de, '_> {
    type Error = Wrong;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Wrong> {
        self.advance()?.map(|key| seed.deserialize(Key(key))).transpose()
    }

    #[inline]
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Wrong> {
        let value = self.value()?;
        seed.deserialize(value).map_err(|wrong| wrong.below(format!(".{}", self.key)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.len())
    }
}

/// A variant of an enum that holds something.
struct Variant<'s, 'de, 'py> {
    name: &'de str,
    value: Value<'s, 'de, 'py>,
}

impl<'s, 'de, 'py> EnumAccess<'de> for Variant<'s, 'de, 'py> {
    type Error = Wrong;
    type Variant = Value<'s, 'de, 'py>;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self::Variant), Wrong> {
        Ok((seed.deserialize(BorrowedStrDeserializer::<Wrong>::new(self.name))?, self.value))
    }
}

impl<'de> VariantAccess<'de> for Value<'_, 'de, '_> {
    type Error = Wrong;

    fn unit_variant(self) -> Result<(), Wrong> {
        Deserialize::deserialize(self)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Wrong> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_struct("", fields, visitor)
    }
}
