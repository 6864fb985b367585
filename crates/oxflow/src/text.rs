//! Text that is borrowed from the message wherever it stands.

use crate::Payload;
use crate::describe::{Form, Scope, Shape};
use crate::shape::Type;
use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::{Borrow, Cow};
use std::fmt;
use std::ops::Deref;

/// Text that a payload borrows from the message that it is read from.
///
/// It is a `Cow<str>`: what stands in the message as it is, is borrowed; text with escapes is not, since it has to be put
/// together. `#[serde(borrow)] name: Cow<'a, str>` does the same, but only as a field of its own: serde makes each `Cow` inside
/// of a list, map or `Option` a `String`. This type borrows there, too.
///
/// ```
/// use oxflow::{Payload, Text};
/// use serde::{Deserialize, Serialize};
/// use std::collections::BTreeMap;
///
/// #[derive(Serialize, Deserialize, Payload)]
/// struct Event<'a> {
///     #[serde(borrow)]
///     name: Text<'a>,
///     #[serde(borrow)]
///     tags: BTreeMap<Text<'a>, Text<'a>>,
/// }
///
/// let event = Event::decode(br#"{"name": "paid", "tags": {"unit": "\u20ac"}}"#)?;
/// assert!(event.name.is_borrowed());
/// assert_eq!(event.tags["unit"], "€");
/// # Ok::<(), oxflow::DecodeError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<'a>(Cow<'a, str>);

impl<'a> Text<'a> {
    /// Whether it lies in the message, and not in memory of its own.
    pub fn is_borrowed(&self) -> bool {
        matches!(self.0, Cow::Borrowed(_))
    }

    /// The text, copied if it is borrowed.
    pub fn into_string(self) -> String {
        self.0.into_owned()
    }

    /// The text as a `Cow`.
    pub fn into_cow(self) -> Cow<'a, str> {
        self.0
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Text<'_> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl<'a> From<Cow<'a, str>> for Text<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self(text)
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        *self.0 == *other
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self.0 == **other
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text))
    }
}

impl Shape for Text<'_> {
    const FORM: Form = Form::Text;

    fn describe(_: &mut Scope) -> Type {
        Type::Str
    }
}

impl Payload for Text<'_> {
    type Borrowed<'a> = Text<'a>;
    const DIRECT: bool = true;

    fn name() -> &'static str {
        "str"
    }

    fn shape() -> Type {
        <Self as Shape>::shape()
    }

    crate::__serde_payload! {}
}
