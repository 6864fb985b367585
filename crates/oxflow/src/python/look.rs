//! What a Python object is to JSON, found by its class.

use super::access::{Fields, Items};
use super::kept::Kept;
use super::layout::Layout;
use super::wrong::Wrong;
use pyo3::PyTypeInfo;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use serde::de::Unexpected;
use std::cell::Cell;

/// What all values of a message have in common.
#[derive(Debug)]
pub(super) struct Source<'de> {
    pub(super) kept: &'de Kept,
    /// Whether a value was met that has to be read by way of JSON: it is of a class that isn't known here, or has no JSON.
    pub(super) odd: Cell<bool>,
}

impl Source<'_> {
    /// Whether or not what was found is an error depends on what the package says of it.
    pub(super) fn odd(&self, what: &str) -> Wrong {
        self.odd.set(true);
        Wrong::new(what)
    }
}

/// What may be inside of a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// How many values may still be inside of each other.
    depth: u8,
    /// Whether it is part of a record of `msgspec`, which has rules of its own for all but the plain types.
    of_msgspec: bool,
}

impl Room {
    /// As deep as `serde_json` reads.
    pub(super) const WHOLE: Self = Self { depth: 127, of_msgspec: false };

    fn inside(self) -> Option<Self> {
        Some(Self { depth: self.depth.checked_sub(1)?, ..self })
    }

    pub(super) fn is_plain(self) -> bool {
        !self.of_msgspec
    }
}

/// A Python object to be read.
#[derive(Debug)]
pub(super) struct Value<'s, 'de, 'py> {
    pub(super) source: &'s Source<'de>,
    pub(super) object: Bound<'py, PyAny>,
    pub(super) room: Room,
}

/// What it is.
pub(super) enum Seen<'s, 'de, 'py> {
    Nothing,
    Truth(bool),
    Whole(i64),
    Large(u64),
    /// An integer of more than 64 bits.
    Huge(Bound<'py, PyAny>),
    Real(f64),
    Text(&'de str),
    Items(Items<'s, 'de, 'py>),
    Fields(Fields<'s, 'de, 'py>),
}

impl Seen<'_, '_, '_> {
    pub(super) fn unexpected(&self) -> Unexpected<'_> {
        match self {
            Self::Nothing => Unexpected::Unit,
            Self::Truth(truth) => Unexpected::Bool(*truth),
            Self::Whole(number) => Unexpected::Signed(*number),
            Self::Large(number) => Unexpected::Unsigned(*number),
            Self::Huge(_) => Unexpected::Other("integer of more than 64 bits"),
            Self::Real(number) => Unexpected::Float(*number),
            Self::Text(text) => Unexpected::Str(text),
            Self::Items(_) => Unexpected::Seq,
            Self::Fields(_) => Unexpected::Map,
        }
    }
}

impl<'s, 'de, 'py> Value<'s, 'de, 'py> {
    #[inline]
    pub(super) fn look(self) -> Result<Seen<'s, 'de, 'py>, Wrong> {
        let Self { source, object, room } = self;
        let object = match exactly::<PyString>(object) {
            Ok(string) => return text(source, string).map(Seen::Text),
            Err(object) => object,
        };
        if object.is_exact_instance_of::<PyInt>() {
            return Ok(integer(&object));
        }
        let object = match exactly::<PyFloat>(object) {
            Ok(float) => return real(source, float.value()),
            Err(object) => object,
        };
        let object = match exactly::<PyDict>(object) {
            Ok(dict) => return Ok(Seen::Fields(Fields::of_dict(source, dict, inside(source, room)?))),
            Err(object) => object,
        };
        let object = match exactly::<PyList>(object) {
            Ok(list) => return Ok(Seen::Items(Items::of_list(source, list, inside(source, room)?))),
            Err(object) => object,
        };
        let object = match exactly::<PyBool>(object) {
            Ok(truth) => return Ok(Seen::Truth(truth.is_true())),
            Err(object) => object,
        };
        if object.is_none() {
            return Ok(Seen::Nothing);
        }
        Self { source, object, room }.look_closely()
    }

    /// At what is none of the types that parsed JSON has.
    #[cold]
    fn look_closely(self) -> Result<Seen<'s, 'de, 'py>, Wrong> {
        let Self { source, object, room } = self;
        let object = match exactly::<PyTuple>(object) {
            Ok(tuple) => return Ok(Seen::Items(Items::of_tuple(source, tuple, inside(source, room)?))),
            Err(object) => object,
        };
        if !room.is_plain() {
            return match Layout::of(&object) {
                Layout::Record(record) if record.of_msgspec => {
                    Ok(Seen::Fields(Fields::of_record(source, object, record, inside(source, room)?)))
                }
                _ => Err(source.odd("part of a Struct")),
            };
        }
        // As the package does: a class that is made of one of these is one of these.
        if object.is_instance_of::<PyInt>() {
            return Ok(integer(&object));
        }
        let object = match object.cast_into::<PyString>() {
            Ok(string) => return text(source, string).map(Seen::Text),
            Err(error) => error.into_inner(),
        };
        let object = match object.cast_into::<PyFloat>() {
            Ok(float) => return real(source, float.value()),
            Err(error) => error.into_inner(),
        };
        let inside = inside(source, room)?;
        let object = match object.cast_into::<PyList>() {
            Ok(list) => return Ok(Seen::Items(Items::of_list(source, list, inside))),
            Err(error) => error.into_inner(),
        };
        let object = match object.cast_into::<PyTuple>() {
            Ok(tuple) => return Ok(Seen::Items(Items::of_tuple(source, tuple, inside))),
            Err(error) => error.into_inner(),
        };
        match Layout::of(&object) {
            Layout::Record(record) => {
                let inside = Room { of_msgspec: record.of_msgspec, ..inside };
                Ok(Seen::Fields(Fields::of_record(source, object, record, inside)))
            }
            Layout::Enum => match object.getattr("value") {
                Ok(object) => Self { source, object, room: inside }.look(),
                Err(_) => Err(source.odd("a member of an enum without a value")),
            },
            Layout::Unknown => Err(source.odd("an object of an unknown class")),
        }
    }

    /// Whether the value, which nobody wants, could be JSON; it is odd where it could not.
    pub(super) fn pass(self) -> Result<(), Wrong> {
        let source = self.source;
        match self.look()? {
            Seen::Huge(_) => Err(source.odd("an integer of more than 64 bits")),
            Seen::Items(mut items) => {
                while let Some(item) = items.next() {
                    item.pass()?;
                }
                Ok(())
            }
            Seen::Fields(mut fields) => {
                while fields.advance()?.is_some() {
                    fields.value()?.pass()?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// The object as what it is, if it is of exactly this type. A cast that fails makes an error, which costs more than to ask
/// first.
#[inline]
fn exactly<T: PyTypeInfo>(object: Bound<'_, PyAny>) -> Result<Bound<'_, T>, Bound<'_, PyAny>> {
    if object.is_exact_instance_of::<T>() {
        object.cast_into_exact().map_err(pyo3::CastIntoError::into_inner)
    } else {
        Err(object)
    }
}

fn inside(source: &Source<'_>, room: Room) -> Result<Room, Wrong> {
    // It may contain itself.
    room.inside().ok_or_else(|| source.odd("recursion limit exceeded"))
}

fn text<'de>(source: &Source<'de>, string: Bound<'_, PyString>) -> Result<&'de str, Wrong> {
    source.kept.text(string).ok_or_else(|| source.odd("half of a surrogate pair"))
}

fn real<'s, 'de, 'py>(source: &Source<'_>, number: f64) -> Result<Seen<'s, 'de, 'py>, Wrong> {
    if number.is_finite() { Ok(Seen::Real(number)) } else { Err(source.odd("no finite number")) }
}

fn integer<'s, 'de, 'py>(object: &Bound<'py, PyAny>) -> Seen<'s, 'de, 'py> {
    if let Ok(number) = object.extract::<i64>() {
        return Seen::Whole(number);
    }
    object.extract::<u64>().map_or_else(|_| Seen::Huge(object.clone()), Seen::Large)
}
