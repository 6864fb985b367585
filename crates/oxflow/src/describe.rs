//! How Rust types tell their shape.

use crate::shape::{Field, Record, RecordKind, Type};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// A type that has a [shape](crate::shape::Type), by what serde makes of it in JSON.
///
/// [`derive(Payload)`](derive@crate::Payload) writes it, and the fields of such a struct must have it.
///
/// ```
/// use oxflow::{Shape, shape::Type};
///
/// assert_eq!(Vec::<f64>::shape(), Type::List(Box::new(Type::Float)));
/// ```
#[diagnostic::on_unimplemented(
    message = "oxflow doesn't know the shape of `{Self}`",
    note = "add `#[derive(oxflow::Payload)]` to it, or `oxflow::convert_via_json!({Self})`"
)]
pub trait Shape {
    /// True if serde takes a field of this type as absent without `#[serde(default)]`.
    const OPTIONAL: bool = false;

    /// The shape, inside of the records that `scope` holds.
    fn describe(scope: &mut Scope) -> Type;

    /// The shape on its own.
    fn shape() -> Type {
        Self::describe(&mut Scope::default())
    }
}

/// The types that are being described: where one of them comes up again, the description ends.
#[derive(Debug, Default)]
pub struct Scope {
    open: Vec<&'static str>,
}

impl Scope {
    /// Describes the record `T`, called `name`, whose fields are known inside of it.
    pub fn record<T: ?Sized>(&mut self, name: &str, fields: impl FnOnce(&mut Self) -> Vec<Field>) -> Type {
        let inside = |scope: &mut Self| {
            let fields = fields(scope);
            Type::Record(Box::new(Record {
                name: name.to_owned(),
                module: String::new(),
                kind: RecordKind::Rust,
                fields,
            }))
        };
        self.enter::<T>(inside).unwrap_or_else(|| Type::Enclosing(name.to_owned()))
    }

    /// Describes the union `T`. A union has no name that its inside could refer to, so recursion through nothing but unions
    /// and lists ends in [`Type::Any`].
    pub fn union<T: ?Sized>(&mut self, members: impl FnOnce(&mut Self) -> Vec<Type>) -> Type {
        self.enter::<T>(|scope| flat_union(members(scope))).unwrap_or(Type::Any)
    }

    fn enter<T: ?Sized>(&mut self, describe: impl FnOnce(&mut Self) -> Type) -> Option<Type> {
        let id = std::any::type_name::<T>();
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

fn flat_union(members: Vec<Type>) -> Type {
    let mut flat = Vec::with_capacity(members.len());
    for member in members {
        let inner = if let Type::Union(inner) = member { inner } else { vec![member] };
        for member in inner {
            if !flat.contains(&member) {
                flat.push(member);
            }
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

macro_rules! shapes {
    ($($shape:expr => $($type:ty),+;)+) => {$($(
        impl Shape for $type {
            fn describe(_: &mut Scope) -> Type {
                $shape
            }
        }
    )+)+};
}

shapes! {
    Type::Bool => bool;
    Type::Int => i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize;
    Type::Float => f32, f64;
    Type::Str => String, str, char, Cow<'_, str>;
    Type::None => ();
    Type::Any => serde_json::Value;
    Type::Union(vec![Type::Int, Type::Float]) => serde_json::Number;
    Type::Dict(Box::new(Type::Str), Box::new(Type::Any)) => serde_json::Map<String, serde_json::Value>;
}

macro_rules! lists {
    ($($type:ty),+) => {$(
        impl<T: Shape> Shape for $type {
            fn describe(scope: &mut Scope) -> Type {
                Type::List(Box::new(T::describe(scope)))
            }
        }
    )+};
}

lists!(Vec<T>, [T], BTreeSet<T>);

impl<T: Shape, S> Shape for HashSet<T, S> {
    fn describe(scope: &mut Scope) -> Type {
        Vec::<T>::describe(scope)
    }
}

impl<T: Shape> Shape for Option<T> {
    const OPTIONAL: bool = true;

    fn describe(scope: &mut Scope) -> Type {
        flat_union(vec![T::describe(scope), Type::None])
    }
}

impl<T: Shape + ?Sized> Shape for Box<T> {
    const OPTIONAL: bool = T::OPTIONAL;

    fn describe(scope: &mut Scope) -> Type {
        T::describe(scope)
    }
}

impl<V: Shape, S> Shape for HashMap<String, V, S> {
    fn describe(scope: &mut Scope) -> Type {
        Type::Dict(Box::new(Type::Str), Box::new(V::describe(scope)))
    }
}

impl<V: Shape> Shape for BTreeMap<String, V> {
    fn describe(scope: &mut Scope) -> Type {
        Type::Dict(Box::new(Type::Str), Box::new(V::describe(scope)))
    }
}

macro_rules! tuples {
    ($(($($item:ident),+))+) => {$(
        impl<$($item: Shape),+> Shape for ($($item,)+) {
            fn describe(scope: &mut Scope) -> Type {
                Type::Tuple(vec![$($item::describe(scope)),+])
            }
        }
    )+};
}

tuples! { (A) (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) (A, B, C, D, E, F) }
