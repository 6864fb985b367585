//! What a function is to the tables: it takes a message and gives an [`Output`].
//!
//! [`rust_function!`](crate::rust_function) and [`#[oxflow::function]`](macro@crate::function) implement [`Function`], or
//! [`BatchFunction`] for a function of many messages at once, and [`Construct`] for one that has arguments of its own; what a
//! function may return is decided by the implementations of [`Output`].

use crate::abi::{Form, Kind};
use crate::error_policy::{ErrorPolicy, Policy};
use crate::guard::{Panic, each};
use crate::metadata::Metadata;
use crate::run::{Pass, Row};
use crate::shape::Parameter;
use crate::{Message, Payload};
use std::convert::Infallible;
use std::fmt::Display;
use std::iter;
use std::marker::PhantomData;

/// What every function says of itself.
pub trait Described: Send + Sync + Sized + 'static {
    /// Payload of the message that it takes, with `'static` for what it borrows.
    type Input: Payload + 'static;
    /// Payload that it gives, likewise.
    type Output: Payload + 'static;
    /// How it shows itself in the Python module.
    const FORM: Form;
    /// Name in the Python module.
    const NAME: &'static str;
    /// What Python shows as its documentation.
    const DOC: &'static str;
    /// How many outputs it gives for a message.
    const KIND: Kind;
    /// The function itself, unless it is [constructed](Construct).
    const ONLY: Option<&'static Self>;

    /// What its errors may wish for.
    fn wishes() -> &'static [Policy];
}

/// A function of a message.
pub trait Function: Described {
    /// Calls it and hands its outputs over.
    fn call<'a>(&self, message: Message<In<'a, Self>>, to: Emitter<'_, Out<'a, Self>>) -> Result<(), Failure>;

    /// The function on a message that stays, if there is a way: a filter needs it to select.
    fn peek<'a>() -> Option<Peek<'a, Self>>;
}

/// A function of many messages, which gives a result for each.
pub trait BatchFunction: Described {
    /// Whether a call changes it: then it isn't called again for messages that it has seen.
    const STATEFUL: bool;

    /// Calls it and hands its outputs over.
    fn call<'a>(&self, batch: &[Message<In<'a, Self>>], to: Collector<'_, '_, Out<'a, Self>>);
}

/// A function that is made of arguments.
pub trait Construct: Described {
    /// Whether a call changes it.
    const STATEFUL: bool;

    /// Its parameters, in their order.
    fn parameters() -> Vec<Parameter>;

    /// Makes one of arguments: a JSON object.
    fn create(arguments: &[u8]) -> Result<Self, Failure>;
}

/// The payload that a function takes, borrowing for `'a`.
pub type In<'a, F> = <<F as Described>::Input as Payload>::Borrowed<'a>;
/// The payload that a function gives, borrowing for `'a`.
pub type Out<'a, F> = <<F as Described>::Output as Payload>::Borrowed<'a>;
/// A function of a message that stays.
pub type Peek<'a, F> = fn(&F, &Message<In<'a, F>>, Emitter<'_, Out<'a, F>>) -> Result<(), Failure>;

/// What a function may return.
#[diagnostic::on_unimplemented(
    message = "a function of oxflow can't return `{Self}`",
    note = "it returns a payload `T`, a `Message<T>`, an `Option` or `Vec` of these, or a `Result` of these whose error is `Display`",
    note = "a payload has `#[derive(oxflow::Payload)]` or `oxflow::convert_via_json!`; raw bytes are `oxflow::Bytes`"
)]
pub trait Output {
    /// The payload.
    type Payload: Payload;
    /// What it says when there is none.
    type Error: Display;
    /// How many there are.
    const KIND: Kind;

    /// Hands every output over.
    fn emit(self, to: Emitter<'_, Self::Payload>) -> Result<(), Self::Error>;
}

/// Takes the outputs of one row.
#[derive(Debug)]
pub struct Emitter<'r, T> {
    pub(crate) rows: &'r mut Vec<Row<T>>,
    pub(crate) row: u32,
    pub(crate) metadata: Metadata,
}

/// Takes the results of a batch function, one for each message.
#[derive(Debug)]
pub struct Collector<'r, 'f, T> {
    pub(crate) pass: &'r mut Pass<'f, T>,
    /// The row and the metadata of each message.
    pub(crate) places: &'r [(u32, Metadata)],
    /// For each message the end of its outputs in the pass.
    pub(crate) ends: &'r mut Vec<usize>,
}

impl<T> Collector<'_, '_, T> {
    /// Takes the results; each message fails if they are not as many as the messages.
    pub fn take<R: Output<Payload = T>>(self, results: Vec<R>, failure: impl Fn(&R::Error) -> Failure) {
        let Self { pass, places, ends } = self;
        let (given, expected) = (results.len(), places.len());
        let fits = given == expected;
        let mut results = results.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
        let send = |(pass, ends): &mut (&mut Pass<'_, T>, &mut Vec<usize>),
                    (place, result): (&(u32, Metadata), Option<R>)| {
            pass.begin(place.0);
            pass.emit(place.1.clone(), |to| match result.filter(|_| fits) {
                Some(result) => result.emit(to).map_err(|error| failure(&error)),
                None => Err(Failure::count(given, expected)),
            });
            ends.push(pass.output.len());
        };
        let recover = |(pass, ends): &mut (&mut Pass<'_, T>, &mut Vec<usize>), panic: &Panic| {
            pass.recover(panic);
            ends.push(pass.output.len());
        };
        let rows = places.iter().map(|place| (place, results.next().flatten()));
        each(rows, &mut (pass, ends), send, recover);
    }
}

/// The error that a function returned.
#[derive(Debug)]
pub struct Failure {
    pub(crate) class: &'static str,
    pub(crate) text: String,
    pub(crate) policy: Option<Policy>,
}

impl Failure {
    /// What an error says.
    pub fn of<E: Display>(error: &E) -> Self {
        Self { class: std::any::type_name::<E>(), text: error.to_string(), policy: None }
    }

    fn count(given: usize, expected: usize) -> Self {
        let text =
            format!("the function of a batch gave {given} results for {expected} messages; it gives one for each");
        Self { class: "oxflow::ResultCount", text, policy: None }
    }
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
    type Error = Infallible;
    const KIND: Kind = if I::Payload::SELECTS.is_some() { Kind::Filter } else { Kind::Map };

    fn emit(self, to: Emitter<'_, Self::Payload>) -> Result<(), Infallible> {
        self.send(to);
        Ok(())
    }
}

impl<I: Item> Output for Option<I> {
    type Payload = I::Payload;
    type Error = Infallible;
    const KIND: Kind = Kind::FilterMap;

    fn emit(self, to: Emitter<'_, Self::Payload>) -> Result<(), Infallible> {
        if let Some(item) = self {
            item.send(to);
        }
        Ok(())
    }
}

impl<I: Item> Output for Vec<I> {
    type Payload = I::Payload;
    type Error = Infallible;
    const KIND: Kind = Kind::FlatMap;

    fn emit(self, to: Emitter<'_, Self::Payload>) -> Result<(), Infallible> {
        for item in self {
            item.send(Emitter { rows: &mut *to.rows, row: to.row, metadata: to.metadata.clone() });
        }
        Ok(())
    }
}

impl<R: Output<Error = Infallible>, E: Display> Output for Result<R, E> {
    type Payload = R::Payload;
    type Error = E;
    const KIND: Kind = R::KIND;

    fn emit(self, to: Emitter<'_, Self::Payload>) -> Result<(), E> {
        match self?.emit(to) {
            Ok(()) => Ok(()),
            Err(never) => match never {},
        }
    }
}

/// Names the payload of the argument that a function was written with, behind aliases too.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a function of oxflow takes a `Message<T>`, a `&Message<T>` or a `&[Message<T>]`, not `{Self}`",
    label = "expected `oxflow::Message<T>`"
)]
pub trait Argument {
    type Payload: Payload;
}

impl<T: Payload> Argument for Message<T> {
    type Payload = T;
}

/// What a constructor gives: the function, or an error.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`new` gives the function, or a `Result` of it whose error is `Display`, not `{Self}`",
    label = "expected `Self` or `Result<Self, E>`"
)]
pub trait Constructed<T> {
    fn constructed(self) -> Result<T, Failure>;
}

impl<T> Constructed<T> for T {
    fn constructed(self) -> Result<T, Failure> {
        Ok(self)
    }
}

impl<T, E: Display> Constructed<T> for Result<T, E> {
    fn constructed(self) -> Result<T, Failure> {
        self.map_err(|error| Failure::of(&error))
    }
}

/// Finds, where a macro knows the types, whether a function that takes its message by value can be called on a clone.
/// Method lookup prefers [`ByClone`] on `Probe` to [`ByNothing`] on `&Probe`.
#[doc(hidden)]
#[derive(Debug)]
pub struct Probe<F>(pub PhantomData<F>);

#[doc(hidden)]
pub trait ByClone<F: Function> {
    fn peek<'a>(&self) -> Option<Peek<'a, F>>;
}

impl<F: Function> ByClone<F> for Probe<F>
where
    for<'a> In<'a, F>: Clone,
{
    fn peek<'a>(&self) -> Option<Peek<'a, F>> {
        Some(|function, message, to| function.call(message.clone(), to))
    }
}

#[doc(hidden)]
pub trait ByNothing<F: Function> {
    fn peek<'a>(&self) -> Option<Peek<'a, F>>;
}

impl<F: Function> ByNothing<F> for &Probe<F> {
    fn peek<'a>(&self) -> Option<Peek<'a, F>> {
        None
    }
}

/// What a default is, as JSON. It is code of the user's, which may panic: that is told to who leaves the argument out.
#[doc(hidden)]
pub fn known(json: impl Fn() -> Option<String>) -> Option<String> {
    let mut known = None;
    each(iter::once(()), &mut known, |known, ()| *known = json(), |_, _| {});
    known
}

/// Finds likewise whether the default of an argument has a JSON.
#[doc(hidden)]
#[derive(Debug)]
pub struct Default<T>(pub T);

#[doc(hidden)]
pub trait Written {
    fn json(&self) -> Option<String>;
}

impl<T: serde::Serialize> Written for Default<T> {
    fn json(&self) -> Option<String> {
        serde_json::to_string(&self.0).ok()
    }
}

#[doc(hidden)]
pub trait Unwritten {
    fn json(&self) -> Option<String>;
}

impl<T> Unwritten for &Default<T> {
    fn json(&self) -> Option<String> {
        None
    }
}

/// Finds likewise whether the error of a function has an [`ErrorPolicy`].
#[doc(hidden)]
#[derive(Debug)]
pub struct Errors<E>(pub PhantomData<E>);

#[doc(hidden)]
pub trait ByPolicy<E> {
    fn wishes(&self) -> &'static [Policy];
    fn failure(&self, error: &E) -> Failure;
}

impl<E: Display + ErrorPolicy> ByPolicy<E> for Errors<E> {
    fn wishes(&self) -> &'static [Policy] {
        E::POLICIES
    }

    fn failure(&self, error: &E) -> Failure {
        Failure { policy: error.policy(), ..Failure::of(error) }
    }
}

#[doc(hidden)]
pub trait ByConfiguration<E> {
    fn wishes(&self) -> &'static [Policy];
    fn failure(&self, error: &E) -> Failure;
}

impl<E: Display> ByConfiguration<E> for &Errors<E> {
    fn wishes(&self) -> &'static [Policy] {
        &[]
    }

    fn failure(&self, error: &E) -> Failure {
        Failure::of(error)
    }
}
