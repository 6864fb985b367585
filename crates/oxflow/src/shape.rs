//! The shape of a payload, in the words of Python's type system.
//!
//! Rust types describe themselves with it (`derive(Payload)`), Python types are read into it, and the checker compares the
//! two. Its JSON form travels in the ABI and in the plan.

use serde::{Deserialize, Serialize};

/// A type as both languages see it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// Not known; agrees with everything.
    Any,
    /// Python's `None`, JSON's `null`.
    None,
    /// `bool`.
    Bool,
    /// `int`.
    Int,
    /// `float`; an `int` is welcome where one is taken.
    Float,
    /// `str`.
    Str,
    /// `bytes`.
    Bytes,
    /// `list[T]`.
    List(Box<Type>),
    /// `dict[K, V]`.
    Dict(Box<Type>, Box<Type>),
    /// `tuple[A, B]`.
    Tuple(Vec<Type>),
    /// `A | B`.
    Union(Vec<Type>),
    /// `Literal["a", "b"]`.
    Literal(Vec<String>),
    /// A struct, dataclass, `TypedDict`, msgspec or pydantic model.
    Record(Box<Record>),
    /// A record that encloses this place, by name: recursion ends here.
    Enclosing(String),
}

/// A type with named fields.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Record {
    /// Name without its module.
    pub name: String,
    /// Module that defines it; empty for a Rust type that isn't in a Python module.
    pub module: String,
    /// What it is in its language.
    pub kind: RecordKind,
    /// Its fields in the order of their definition, by their name in JSON.
    pub fields: Vec<Field>,
}

/// What a record is in its language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// A Rust struct.
    Rust,
    /// `typing.TypedDict`.
    TypedDict,
    /// A standard dataclass.
    Dataclass,
    /// `msgspec.Struct`.
    Msgspec,
    /// A pydantic v2 model.
    Pydantic,
}

/// One field of a record.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Field {
    /// Name in JSON.
    pub name: String,
    /// Type of its value.
    #[serde(rename = "type")]
    pub shape: Type,
    /// False if it may be absent from what is read.
    pub required: bool,
    /// True if it is always written, although it isn't required: a Rust struct writes what a default filled in.
    #[serde(default, skip_serializing_if = "is_false")]
    pub always: bool,
}

/// One argument that a function is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name and type, and whether it may be left out.
    #[serde(flatten)]
    pub field: Field,
    /// What stands for it where it is left out, as JSON; none if that isn't known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}
