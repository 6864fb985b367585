//! Values of attributes and bodies: what OTLP calls `AnyValue`.

use std::borrow::Cow;

use crate::wire::{self, Field, Fields};

/// Lists in lists in lists: deeper ones are cut off.
const MOST_DEPTH: usize = 16;

/// A value, which may lie in what it was read from.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// None.
    Null,
    /// A flag.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// A text.
    Text(Cow<'a, str>),
    /// Bytes that are no text.
    Bytes(Cow<'a, [u8]>),
    /// Some values.
    List(Vec<Value<'a>>),
    /// Values by name.
    Map(Vec<(Cow<'a, str>, Value<'a>)>),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Value<'_> {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

/// The beginning of a text, at most so many characters.
pub(crate) fn cut(text: &str, most: Option<usize>) -> &str {
    match most {
        // A character has a byte at least.
        Some(most) if text.len() > most => {
            let end = text.char_indices().nth(most).map_or(text.len(), |(at, _)| at);
            text.get(..end).unwrap_or(text)
        }
        _ => text,
    }
}

impl<'a> Value<'a> {
    /// Writes the fields of an `AnyValue`; texts and bytes have at most `most` characters or bytes.
    pub(crate) fn write(&self, to: &mut Vec<u8>, most: Option<usize>) {
        self.write_at(to, most, 0);
    }

    fn write_at(&self, to: &mut Vec<u8>, most: Option<usize>, depth: usize) {
        match self {
            Self::Null => {}
            Self::Text(text) => wire::bytes(to, 1, cut(text, most).as_bytes()),
            Self::Bool(value) => wire::number(to, 2, u64::from(*value)),
            Self::Int(value) => wire::number(to, 3, value.cast_unsigned()),
            Self::Float(value) => wire::double(to, 4, *value),
            Self::Bytes(bytes) => wire::bytes(to, 7, bytes.get(..most.unwrap_or(usize::MAX)).unwrap_or(bytes)),
            Self::List(_) | Self::Map(_) if depth >= MOST_DEPTH => {}
            Self::List(values) => wire::message(to, 5, |to| {
                for value in values {
                    wire::message(to, 1, |to| value.write_at(to, most, depth + 1));
                }
            }),
            Self::Map(pairs) => wire::message(to, 6, |to| {
                for (name, value) in pairs {
                    wire::message(to, 1, |to| {
                        wire::bytes(to, 1, name.as_bytes());
                        wire::message(to, 2, |to| value.write_at(to, most, depth + 1));
                    });
                }
            }),
        }
    }

    /// Reads the fields of an `AnyValue`.
    pub(crate) fn read(written: &'a [u8]) -> Self {
        match Fields(written).next() {
            Some((1, text)) => wire::as_text(text).into(),
            Some((2, Field::Number(value))) => Self::Bool(value != 0),
            Some((3, Field::Number(value))) => Self::Int(value.cast_signed()),
            Some((4, Field::Fixed64(bits))) => Self::Float(f64::from_bits(bits)),
            Some((5, Field::Bytes(list))) => Self::List(parts(list).map(Self::read).collect()),
            Some((6, Field::Bytes(map))) => Self::Map(parts(map).map(Self::pair).collect()),
            Some((7, Field::Bytes(bytes))) => Self::Bytes(Cow::Borrowed(bytes)),
            _ => Self::Null,
        }
    }

    /// Reads a `KeyValue`.
    pub(crate) fn pair(written: &'a [u8]) -> (Cow<'a, str>, Self) {
        let (mut name, mut value) = ("", Self::Null);
        for field in Fields(written) {
            match field {
                (1, text) => name = wire::as_text(text),
                (2, Field::Bytes(bytes)) => value = Self::read(bytes),
                _ => {}
            }
        }
        (Cow::Borrowed(name), value)
    }
}

/// The messages of field 1.
fn parts(written: &[u8]) -> impl Iterator<Item = &[u8]> {
    Fields(written).filter_map(|field| if let (1, Field::Bytes(bytes)) = field { Some(bytes) } else { None })
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Any value.
    pub(crate) fn any_value() -> impl Strategy<Value = Value<'static>> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            (-1e300..1e300).prop_map(Value::Float),
            ".{0,200}".prop_map(|text| Value::Text(text.into())),
            any::<Vec<u8>>().prop_map(|bytes| Value::Bytes(bytes.into())),
        ];
        leaf.prop_recursive(4, 32, 8, |inner| {
            let pair = (".{0,8}".prop_map(Cow::Owned), inner.clone());
            prop_oneof![
                prop::collection::vec(inner, 0..8).prop_map(Value::List),
                prop::collection::vec(pair, 0..8).prop_map(Value::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn values_come_back(value in any_value()) {
            let mut written = Vec::new();
            value.write(&mut written, None);
            prop_assert_eq!(value, Value::read(&written));
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!("grün", cut("grüne", Some(4)));
        assert_eq!("grüne", cut("grüne", Some(5)));
        assert_eq!("", cut("grüne", Some(0)));
    }

    #[test]
    fn a_list_in_itself_ends() {
        let mut value = Value::Int(1);
        for _ in 0..100 {
            value = Value::List(vec![value]);
        }
        let mut written = Vec::new();
        value.write(&mut written, None);
        assert!(written.len() < 100);
    }
}
