//! The standard library's types, by what serde makes of them.

use super::{Form, Part, Scope, Shape, flat_union};
use crate::Bytes;
use crate::shape::Type;
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::num::{NonZero, Saturating, Wrapping};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex, RwLock, atomic};
use std::time::{Duration, SystemTime};

macro_rules! scalars {
    ($($form:ident $shape:expr => $($type:ty),+;)+) => {$($(
        impl Shape for $type {
            const FORM: Form = Form::$form;

            fn describe(_: &mut Scope) -> Type {
                $shape
            }
        }
    )+)+};
}

scalars! {
    Text Type::Bool => bool, atomic::AtomicBool;
    Text Type::Int => i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize;
    Text Type::Int => atomic::AtomicI8, atomic::AtomicI16, atomic::AtomicI32, atomic::AtomicI64, atomic::AtomicIsize;
    Text Type::Int => atomic::AtomicU8, atomic::AtomicU16, atomic::AtomicU32, atomic::AtomicU64, atomic::AtomicUsize;
    Text Type::Float => f32, f64;
    Text Type::Str => String, str, char, Path, PathBuf;
    Text Type::Str => IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6;
    Value Type::None => ();
    Value Type::Any => serde_json::Value;
    Value Type::Union(vec![Type::Int, Type::Float]) => serde_json::Number;
    // What serde makes of bytes in JSON: a list of numbers.
    Value Type::List(Box::new(Type::Int)) => Bytes;
}

macro_rules! transparent {
    ($([$($generics:tt)*] $type:ty => $inner:ty;)+) => {$(
        impl<$($generics)*> Shape for $type {
            const OPTIONAL: bool = <$inner>::OPTIONAL;
            const FORM: Form = <$inner>::FORM;

            fn describe(scope: &mut Scope) -> Type {
                <$inner>::describe(scope)
            }
        }
    )+};
}

transparent! {
    [] &str => str;
    [T: Shape + ?Sized] Box<T> => T;
    [T: Shape + ?Sized] Rc<T> => T;
    [T: Shape + ?Sized] Arc<T> => T;
    [T: Shape + ToOwned + ?Sized] Cow<'_, T> => T;
    [T: Shape] Cell<T> => T;
    [T: Shape + ?Sized] RefCell<T> => T;
    [T: Shape + ?Sized] Mutex<T> => T;
    [T: Shape + ?Sized] RwLock<T> => T;
    [T: Shape] Reverse<T> => T;
    [T: Shape] Wrapping<T> => T;
    [T: Shape] Saturating<T> => T;
}

macro_rules! non_zero {
    ($($type:ty),+) => {$(
        impl Shape for NonZero<$type> {
            const FORM: Form = Form::Text;

            fn describe(_: &mut Scope) -> Type {
                Type::Int
            }
        }
    )+};
}

non_zero!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize);

impl<T: ?Sized> Shape for PhantomData<T> {
    fn describe(_: &mut Scope) -> Type {
        Type::None
    }
}

impl<T: Shape> Shape for Option<T> {
    const OPTIONAL: bool = true;
    const FORM: Form = if matches!(T::FORM, Form::Fields) { Form::Fields } else { Form::Value };

    fn describe(scope: &mut Scope) -> Type {
        flat_union(vec![T::describe(scope), Type::None])
    }
}

impl<T: Shape, E: Shape> Shape for Result<T, E> {
    fn describe(scope: &mut Scope) -> Type {
        let name = super::generic_name("Result", &[T::shape(), E::shape()]);
        let ok = scope.record::<Self>(&format!("{name}_Ok"), |scope| vec![Part::of::<T>(scope, "Ok").exactly()]);
        let err = scope.record::<Self>(&format!("{name}_Err"), |scope| vec![Part::of::<E>(scope, "Err").exactly()]);
        flat_union(vec![ok, err])
    }
}

macro_rules! lists {
    ($([$($generics:tt)*] $type:ty;)+) => {$(
        impl<$($generics)*> Shape for $type {
            fn describe(scope: &mut Scope) -> Type {
                Type::List(Box::new(T::describe(scope)))
            }
        }
    )+};
}

lists! {
    [T: Shape] Vec<T>;
    [T: Shape] [T];
    [T: Shape] VecDeque<T>;
    [T: Shape] LinkedList<T>;
    [T: Shape] BinaryHeap<T>;
    [T: Shape] BTreeSet<T>;
    [T: Shape, S] HashSet<T, S>;
}

impl<T: Shape, const N: usize> Shape for [T; N] {
    fn describe(scope: &mut Scope) -> Type {
        Type::Tuple((0..N).map(|_| T::describe(scope)).collect())
    }
}

macro_rules! maps {
    ($([$($generics:tt)*] $type:ty;)+) => {$(
        impl<K: Shape, V: Shape, $($generics)*> Shape for $type {
            const FORM: Form = Form::Map;

            fn describe(scope: &mut Scope) -> Type {
                const {
                    assert!(matches!(K::FORM, Form::Text), "JSON can't hold this key: it takes text, numbers, \
                         booleans and enums of plain names");
                }
                Type::Dict(Box::new(Type::Str), Box::new(V::describe(scope)))
            }
        }
    )+};
}

maps! {
    [S] HashMap<K, V, S>;
    [] BTreeMap<K, V>;
}

impl Shape for serde_json::Map<String, serde_json::Value> {
    const FORM: Form = Form::Map;

    fn describe(_: &mut Scope) -> Type {
        Type::Dict(Box::new(Type::Str), Box::new(Type::Any))
    }
}

macro_rules! records {
    ($([$($generics:tt)*] $type:ty, $name:expr, $($field:literal: $value:ty),+;)+) => {$(
        impl<$($generics)*> Shape for $type {
            const FORM: Form = Form::Fields;

            fn describe(scope: &mut Scope) -> Type {
                scope.record::<Self>(&$name, |scope| vec![$(Part::of::<$value>(scope, $field)),+])
            }
        }
    )+};
}

records! {
    [] Duration, "Duration", "secs": u64, "nanos": u32;
    [] SystemTime, "SystemTime", "secs_since_epoch": u64, "nanos_since_epoch": u32;
    [T: Shape] std::ops::Range<T>, super::generic_name("Range", &[T::shape()]), "start": T, "end": T;
    [T: Shape] std::ops::RangeInclusive<T>, super::generic_name("Range", &[T::shape()]), "start": T, "end": T;
}

macro_rules! tuples {
    ($($first:ident $($rest:ident)*;)+) => {$(
        impl<$first: Shape, $($rest: Shape),*> Shape for ($first, $($rest,)*) {
            fn describe(scope: &mut Scope) -> Type {
                Type::Tuple(vec![$first::describe(scope), $($rest::describe(scope)),*])
            }
        }
    )+};
}

tuples! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
    A B C D E F G H I;
    A B C D E F G H I J;
    A B C D E F G H I J K;
    A B C D E F G H I J K L;
    A B C D E F G H I J K L M;
    A B C D E F G H I J K L M N;
    A B C D E F G H I J K L M N O;
    A B C D E F G H I J K L M N O P;
}
