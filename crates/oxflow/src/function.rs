//! What a function is to the tables: it takes a message and gives an [`Output`].
//!
//! [`rust_function!`](crate::rust_function) and [`#[oxflow::function]`](macro@crate::function) implement [`Function`]; what
//! a function may return is decided by the implementations of [`Output`].

use crate::abi::{Form, Kind};
use crate::metadata::Metadata;
use crate::run::Row;
use crate::{Message, Payload};
use std::fmt::Display;
use std::marker::PhantomData;

/// A function of messages.
pub trait Function: 'static {
    /// Payload of the message that it takes.
    type Input: Payload;
    /// Payload that it gives.
    type Output: Payload;
    /// What it returns.
    type Result: Output<Payload = Self::Output>;
    /// How it shows itself in the Python module.
    const FORM: Form;
    /// Name in the Python module.
    const NAME: &'static str;
    /// What Python shows as its documentation.
    const DOC: &'static str;

    /// Calls it.
    fn call(message: Message<Self::Input>) -> Self::Result;

    /// The function on a message that stays, if there is a way: a filter needs it to select.
    fn peek() -> Option<Peek<Self>>
    where
        Self: Sized;
}

/// A function of a borrowed message.
pub type Peek<F> = fn(&Message<<F as Function>::Input>) -> <F as Function>::Result;

/// What a function may return.
#[diagnostic::on_unimplemented(
    message = "a function of oxflow can't return `{Self}`",
    note = "it returns a payload `T`, a `Message<T>`, an `Option` or `Vec` of these, or a `Result` of these whose error is `Display`",
    note = "a payload has `#[derive(oxflow::Payload)]` or `oxflow::convert_via_json!`; raw bytes are `oxflow::Bytes`"
)]
pub trait Output {
    /// The payload.
    type Payload: Payload;
    /// How many there are.
    const KIND: Kind;

    /// Hands every output over.
    fn emit(self, to: Emitter<'_, Self::Payload>) -> Result<(), Failure>;
}

/// Takes the outputs of one row.
#[derive(Debug)]
pub struct Emitter<'a, T> {
    pub(crate) rows: &'a mut Vec<Row<T>>,
    pub(crate) row: u32,
    pub(crate) metadata: Metadata,
}

/// The error that a function returned.
#[derive(Debug)]
pub struct Failure {
    pub(crate) class: &'static str,
    pub(crate) text: String,
}

/// One output: a payload, or a message with metadata of its own.
pub trait Item {
    /// The payload.
    type Payload: Payload;

    /// Hands it over.
    fn send(self, to: Emitter<'_, Self::Payload>);
}

impl<T: Payload> Item for T {
    type Payload = T;

    fn send(self, to: Emitter<'_, T>) {
        to.rows.push(Row { row: to.row, message: Message::with_metadata(self, to.metadata) });
    }
}

impl<T: Payload> Item for Message<T> {
    type Payload = T;

    fn send(self, to: Emitter<'_, T>) {
        to.rows.push(Row { row: to.row, message: self.settle(to.metadata) });
    }
}

impl<I: Item> Output for I {
    type Payload = I::Payload;
    const KIND: Kind = if I::Payload::SELECTS.is_some() { Kind::Filter } else { Kind::Map };

    fn emit(self, to: Emitter<'_, Self::Payload>) -> Result<(), Failure> {
        self.send(to);
        Ok(())
    }
}

impl<I: Item> Output for Option<I> {
    type Payload = I::Payload;
    const KIND: Kind = Kind::FilterMap;

    fn emit(self, to: Emitter<'_, Self::Payload>) -> Result<(), Failure> {
        if let Some(item) = self {
            item.send(to);
        }
        Ok(())
    }
}

impl<I: Item> Output for Vec<I> {
    type Payload = I::Payload;
    const KIND: Kind = Kind::FlatMap;

    fn emit(self, to: Emitter<'_, Self::Payload>) -> Result<(), Failure> {
        for item in self {
            item.send(Emitter { rows: &mut *to.rows, row: to.row, metadata: to.metadata.clone() });
        }
        Ok(())
    }
}

impl<R: Output, E: Display> Output for Result<R, E> {
    type Payload = R::Payload;
    const KIND: Kind = R::KIND;

    fn emit(self, to: Emitter<'_, Self::Payload>) -> Result<(), Failure> {
        self.map_err(|error| Failure { class: std::any::type_name::<E>(), text: error.to_string() })?.emit(to)
    }
}

/// Names the payload of the argument that a function was written with, behind aliases too.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a function of oxflow takes a `Message<T>` or a `&Message<T>`, not `{Self}`",
    label = "expected `oxflow::Message<T>`"
)]
pub trait Argument {
    type Payload: Payload;
}

impl<T: Payload> Argument for Message<T> {
    type Payload = T;
}

/// Finds, where a macro knows the types, whether a function that takes its message by value can be called on a clone.
/// Method lookup prefers [`ByClone`] on `Probe` to [`ByNothing`] on `&Probe`.
#[doc(hidden)]
#[derive(Debug)]
pub struct Probe<F>(pub PhantomData<F>);

#[doc(hidden)]
pub trait ByClone<F: Function> {
    fn peek(&self) -> Option<Peek<F>>;
}

impl<F: Function> ByClone<F> for Probe<F>
where
    F::Input: Clone,
{
    fn peek(&self) -> Option<Peek<F>> {
        Some(|message| F::call(message.clone()))
    }
}

#[doc(hidden)]
pub trait ByNothing<F: Function> {
    fn peek(&self) -> Option<Peek<F>>;
}

impl<F: Function> ByNothing<F> for &Probe<F> {
    fn peek(&self) -> Option<Peek<F>> {
        None
    }
}
