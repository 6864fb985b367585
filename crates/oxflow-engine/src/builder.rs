//! Pipelines that are built in Rust, with types that the compiler checks.
//!
//! ```
//! use oxflow_engine::{Message, Pipeline};
//!
//! let pipeline = Pipeline::source("numbers", "in")
//!     .parse::<u64>()
//!     .filter(|message: &Message<u64>| *message.payload() > 3)
//!     .map(|message: Message<u64>| message.payload() * 2)
//!     .serialize()
//!     .sink("out", "doubled");
//! assert_eq!(5, pipeline.resolve().unwrap().plan.steps.len());
//! ```
//!
//! A step is a closure or a function of a message, or a function of oxflow by the type that stands for it
//! ([`map_by`](Chain::map_by) and the like). What one gives the next takes as it is, so a type between two steps needs no trait of
//! oxflow's at all; what becomes bytes on its way is a [`Payload`]: what is parsed and serialized, what is gathered into lists,
//! and what goes to branches. A step is named after its function, or by what it does; `named` gives it another name.
//!
//! ```
//! use oxflow_engine::{Limits, List, Message, Pipeline, branch};
//!
//! let parity = |message: &Message<u64>| *message.payload() % 2 == 0;
//! let pipeline = Pipeline::source("numbers", "in").parse::<u64>().route("parity", parity, [
//!     (true, branch("even").serialize().sink("out", "even")),
//!     (
//!         false,
//!         branch("odd")
//!             .batch(Limits::messages(100))
//!             .map(|message: Message<List<u64>>| message.payload().iter().sum::<u64>())
//!             .serialize()
//!             .sink("sums", "odd-sums"),
//!     ),
//! ]);
//! assert!(pipeline.resolve().is_ok());
//! ```

mod chain;
mod lent;
mod resolve;
mod row;

use std::marker::PhantomData;

use oxflow::{Bytes, Payload};

pub use self::chain::Chain;
pub use self::lent::Lent;
pub use self::row::Origin;
use self::row::{Row, Sealed};
use crate::plan;

/// A pipeline that ends in a sink, or in branches that do.
#[derive(Debug)]
pub struct Pipeline {
    source: plan::Source,
    row: Row,
}

/// A way on from a route or a broadcast, for payloads `T`: see [`branch`].
#[derive(Debug)]
pub struct Branch<T> {
    name: String,
    row: Row,
    payload: PhantomData<fn() -> T>,
}

/// Where the steps of a [`Pipeline`] begin.
#[derive(Debug)]
pub struct FromSource(plan::Source);

/// Where the steps of a [`Branch`] begin.
#[derive(Debug)]
pub struct FromBranch<T> {
    name: String,
    payload: PhantomData<fn() -> T>,
}

impl Pipeline {
    /// Begins a pipeline: `name` is that of the source, `stream` the logical name of what it reads. Its messages carry bytes.
    #[must_use]
    pub fn source(name: &str, stream: &str) -> Chain<Bytes> {
        let source = plan::Source { name: name.to_owned(), stream: stream.to_owned(), more: Vec::new(), place: None };
        Chain::begin(FromSource(source))
    }
}

/// Begins a branch, whose name is unique in the pipeline like that of a step: steps and a sink for what a
/// [`route`](Chain::route) or [`broadcast`](Chain::broadcast) gives it.
#[must_use]
pub fn branch<T>(name: &str) -> Chain<T, FromBranch<T>>
where
    for<'a> T: Payload<Borrowed<'a> = T> + 'static,
{
    Chain::begin(FromBranch { name: name.to_owned(), payload: PhantomData })
}

/// Begins a branch of payloads that borrow from the message: see [`branch`] and [`Chain::parse_borrowed`].
#[must_use]
pub fn borrowed_branch<T: Payload + 'static>(name: &str) -> Lent<T, FromBranch<T>> {
    Lent::begin(FromBranch { name: name.to_owned(), payload: PhantomData })
}

impl Chain<Bytes> {
    /// Reads this stream, too. Its messages go the same way.
    #[must_use]
    pub fn and_stream(mut self, stream: &str) -> Self {
        self.origin_mut().0.more.push(stream.to_owned());
        self
    }
}

impl Origin for FromSource {
    type End = Pipeline;
}

impl Sealed for FromSource {
    type Ended = Pipeline;

    fn end(self, row: Row) -> Pipeline {
        Pipeline { source: self.0, row }
    }

    fn rename(&mut self, name: &str) {
        name.clone_into(&mut self.0.name);
    }
}

impl<T> Origin for FromBranch<T> {
    type End = Branch<T>;
}

impl<T> Sealed for FromBranch<T> {
    type Ended = Branch<T>;

    fn end(self, row: Row) -> Branch<T> {
        Branch { name: self.name, row, payload: PhantomData }
    }

    fn rename(&mut self, name: &str) {
        name.clone_into(&mut self.name);
    }
}

#[cfg(test)]
mod tests;
