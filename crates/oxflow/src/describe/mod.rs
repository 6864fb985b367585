//! How Rust types tell their shape.
//!
//! `standard.rs` says it of the standard library's types, `dates.rs` and `identifiers.rs` of those of other crates,
//! `parts.rs` puts the fields of a record together, and `derive(Payload)` writes the rest.

#[cfg(any(feature = "chrono", feature = "time"))]
mod dates;
#[cfg(feature = "uuid")]
mod identifiers;
mod parts;
mod standard;

pub use parts::{Part, generic_name};

use crate::shape::Type;
use parts::compose;

/// A type that has a [shape](crate::shape::Type), by what serde makes of it in JSON.
///
/// [`derive(Payload)`](derive@crate::Payload) writes it, and the fields of such a struct must have it.
///
/// ```
/// use oxflow::{Shape, shape::Type};
///
/// assert_eq!(Vec::<f64>::shape(), Type::List(Box::new(Type::Float)));
/// ```
///
/// What can't be the key of an object in JSON doesn't compile:
///
/// ```compile_fail,E0080
/// <std::collections::BTreeMap<Vec<u8>, u8> as oxflow::Shape>::shape();
/// ```
#[diagnostic::on_unimplemented(
    message = "oxflow doesn't know the shape of `{Self}`",
    note = "add `#[derive(oxflow::Payload)]` to it, or `#[payload(shape = Type)]` to the field, with a type that looks the same in JSON"
)]
pub trait Shape {
    /// True if serde takes a field of this type as absent without `#[serde(default)]`.
    const OPTIONAL: bool = false;

    /// How serde writes it.
    const FORM: Form = Form::Value;

    /// The shape, inside of the records that `scope` holds.
    fn describe(scope: &mut Scope) -> Type;

    /// The shape on its own.
    fn shape() -> Type {
        Self::describe(&mut Scope::default())
    }
}

/// How serde writes values of a type, where that matters to what holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Named fields: they can be flattened into the struct that holds them.
    Fields,
    /// An object with keys of its own: it can take the rest of the fields.
    Map,
    /// Text, or what becomes text where it is the key of an object.
    Text,
    /// Anything else.
    Value,
}

/// The types that are being described: where one of them comes up again, the description ends.
#[derive(Debug, Default)]
pub struct Scope {
    open: Vec<(&'static str, String)>,
}

impl Scope {
    /// Describes a record of the type `T`: a struct, or a variant of an enum, called `name`.
    pub fn record<T: ?Sized>(&mut self, name: &str, parts: impl FnOnce(&mut Self) -> Vec<Part>) -> Type {
        self.enter::<T>(name, |scope| compose(name, parts(scope))).unwrap_or_else(|| Type::Enclosing(name.to_owned()))
    }

    /// Describes the union `T`. A union has no name that its inside could refer to, so recursion through nothing but unions
    /// and lists ends in [`Type::Any`].
    pub fn union<T: ?Sized>(&mut self, members: impl FnOnce(&mut Self) -> Vec<Type>) -> Type {
        self.enter::<T>("", |scope| flat_union(members(scope))).unwrap_or(Type::Any)
    }

    fn enter<T: ?Sized>(&mut self, name: &str, describe: impl FnOnce(&mut Self) -> Type) -> Option<Type> {
        let id = (std::any::type_name::<T>(), name.to_owned());
        if self.open.contains(&id) {
            return None;
        }
        self.open.push(id);
        let shape = describe(self);
        self.open.pop();
        Some(shape)
    }
}

/// The name of a type without its path and its parameters.
#[doc(hidden)]
pub fn short_name<T: ?Sized>() -> &'static str {
    let path = std::any::type_name::<T>();
    let path = path.split_once('<').map_or(path, |(path, _)| path);
    path.rsplit_once("::").map_or(path, |(_, name)| name)
}

/// The union of these types, each once and without unions in it; all words in one literal, as one enum would say them.
pub(crate) fn flat_union(members: Vec<Type>) -> Type {
    let mut flat: Vec<Type> = Vec::with_capacity(members.len());
    for member in members {
        let inner = if let Type::Union(inner) = member { inner } else { vec![member] };
        for member in inner {
            add(&mut flat, member);
        }
    }
    if flat.contains(&Type::Any) {
        return Type::Any;
    }
    match <[Type; 1]>::try_from(flat) {
        Ok([only]) => only,
        Err(flat) => Type::Union(flat),
    }
}

fn add(flat: &mut Vec<Type>, member: Type) {
    let known = flat.iter().position(|known| matches!(known, Type::Literal(_)));
    match (member, known.and_then(|place| flat.get_mut(place))) {
        (Type::Literal(words), Some(Type::Literal(known))) => {
            let new: Vec<String> = words.into_iter().filter(|word| !known.contains(word)).collect();
            known.extend(new);
        }
        (member, _) => {
            if !flat.contains(&member) {
                flat.push(member);
            }
        }
    }
}
