//! Steps whose payloads borrow nothing.

use std::fmt::Display;
use std::marker::PhantomData;

use oxflow::abi::Kind;
use oxflow::closure::{Own, Owned};
use oxflow::function::Described;
use oxflow::step::{Make, Step};
use oxflow::{Bytes, List, Message, Payload};

use super::row::{Does, Row, closure, is_bytes, registered};
use super::{Branch, FromSource, Lent, Origin};
use crate::plan::{Codec, Limits};

/// A pipeline or branch on its way, in which messages carry a `T`.
#[derive(Debug)]
pub struct Chain<T, S = FromSource> {
    origin: S,
    row: Row,
    payload: PhantomData<fn() -> T>,
}

impl<T, S: Origin> Chain<T, S> {
    pub(super) fn after(origin: S, row: Row) -> Self {
        Self { origin, row, payload: PhantomData }
    }

    pub(super) fn origin_mut(&mut self) -> &mut S {
        &mut self.origin
    }

    /// Gives the last step another name; before the first step, the source or branch.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        if !self.row.rename(name) {
            self.origin.rename(name);
        }
        self
    }

    fn then<U>(mut self, add: impl FnOnce(&mut Row)) -> Chain<U, S> {
        add(&mut self.row);
        Chain::after(self.origin, self.row)
    }

    fn end(mut self, add: impl FnOnce(&mut Row)) -> S::End {
        add(&mut self.row);
        self.origin.end(self.row)
    }
}

/// Messages as they are read and written.
impl<S: Origin> Chain<Bytes, S> {
    /// Reads JSON into a `T`.
    #[must_use]
    pub fn parse<T>(self) -> Chain<T, S>
    where
        for<'a> T: Payload<Borrowed<'a> = T> + 'static,
    {
        self.parse_as(Codec::Json)
    }

    /// Reads bytes of a codec into a `T`.
    #[must_use]
    pub fn parse_as<T>(self, codec: Codec) -> Chain<T, S>
    where
        for<'a> T: Payload<Borrowed<'a> = T> + 'static,
    {
        self.then(|row| {
            let payload = row.tables.own::<T>();
            row.parse::<T>(payload, codec);
        })
    }

    /// Reads JSON into a `T` that borrows from the message: `parse_borrowed::<Event<'_>>()`.
    #[must_use]
    pub fn parse_borrowed<T: Payload + 'static>(self) -> Lent<T, S> {
        self.parse_borrowed_as(Codec::Json)
    }

    /// Reads bytes of a codec into a `T` that borrows from the message.
    #[must_use]
    pub fn parse_borrowed_as<T: Payload + 'static>(mut self, codec: Codec) -> Lent<T, S> {
        let payload = self.row.tables.lent::<T>();
        self.row.parse::<T>(payload, codec);
        Lent::after(self.origin, self.row)
    }

    /// Takes the messages as those of a payload that makes its own bytes. No step is added.
    #[must_use]
    pub fn bytes_of<T>(self) -> Chain<T, S>
    where
        for<'a> T: Payload<Borrowed<'a> = T> + 'static,
    {
        const { assert!(is_bytes::<T>(), "`bytes_of` takes a type that makes its own bytes; others are parsed") }
        self.then(|row| {
            row.tables.own::<T>();
        })
    }

    /// Writes to the stream of this logical name, and ends the pipeline or branch.
    #[must_use]
    pub fn sink(self, name: &str, stream: &str) -> S::End {
        self.end(|row| row.push_named(name, Does::Sink(stream.to_owned())))
    }
}

impl<T: Own, S: Origin> Chain<T, S> {
    /// Gives one payload for each message, with its key, headers and time.
    #[must_use]
    pub fn map<U: Own, C: Fn(Message<T>) -> U + Send + Sync + 'static>(self, call: C) -> Chain<U, S> {
        self.then(|row| {
            row.tables.map::<Owned<T>, U, C>(call);
            row.push_closure::<C>("map", Does::Map);
        })
    }

    /// Gives one payload for each message, or an error that fails this message and no other. The configuration says what is done
    /// with it; what an error's own [`ErrorPolicy`](oxflow::ErrorPolicy) wants is known of registered functions:
    /// [`map_by`](Self::map_by).
    #[must_use]
    pub fn try_map<U: Own, E: Display + 'static, C>(self, call: C) -> Chain<U, S>
    where
        C: Fn(Message<T>) -> Result<U, E> + Send + Sync + 'static,
    {
        self.then(|row| {
            row.tables.try_map::<Owned<T>, U, E, C>(call);
            row.push_closure::<C>("map", Does::Map);
        })
    }

    /// Gives one payload for a message, or none.
    #[must_use]
    pub fn filter_map<U: Own, C: Fn(Message<T>) -> Option<U> + Send + Sync + 'static>(self, call: C) -> Chain<U, S> {
        self.then(|row| {
            row.tables.filter_map::<Owned<T>, U, C>(call);
            row.push_closure::<C>("map", Does::Map);
        })
    }

    /// Gives any number of payloads for each message.
    #[must_use]
    pub fn flat_map<U: Own, I: IntoIterator<Item = U> + 'static, C>(self, call: C) -> Chain<U, S>
    where
        C: Fn(Message<T>) -> I + Send + Sync + 'static,
    {
        self.then(|row| {
            row.tables.flat_map::<Owned<T>, U, I, C>(call);
            row.push_closure::<C>("flat_map", Does::FlatMap);
        })
    }

    /// Keeps the messages for which the function says true.
    #[must_use]
    pub fn filter<C: Fn(&Message<T>) -> bool + Send + Sync + 'static>(self, call: C) -> Self {
        self.then(|row| {
            row.tables.filter::<Owned<T>, C>(call);
            row.push_closure::<C>("filter", Does::Filter);
        })
    }
}

impl<T, S: Origin> Chain<T, S>
where
    for<'a> T: Payload<Borrowed<'a> = T> + 'static,
{
    pub(super) fn begin(origin: S) -> Self {
        let mut row = Row::default();
        row.tables.own::<T>();
        Self::after(origin, row)
    }

    /// A map by a registered function, which gives one payload or none: see [`Make`](oxflow::step::Make).
    ///
    /// ```
    /// # use oxflow_engine::{self as oxflow, Message, Pipeline};
    /// # use serde::{Deserialize, Serialize};
    /// struct Times(u64);
    ///
    /// #[oxflow::function]
    /// impl Times {
    ///     fn new(factor: u64) -> Self {
    ///         Self(factor)
    ///     }
    ///
    ///     fn call(&self, message: Message<u64>) -> u64 {
    ///         message.payload() * self.0
    ///     }
    /// }
    ///
    /// #[oxflow::function(step = Half)]
    /// fn half(message: &Message<u64>) -> Option<u64> {
    ///     message.payload().is_multiple_of(2).then(|| message.payload() / 2)
    /// }
    ///
    /// let pipeline = Pipeline::source("numbers", "in").parse::<u64>().map_by(Half).map_by(|| Times::new(3));
    /// # assert_eq!(4, pipeline.serialize().sink("out", "out").resolve().unwrap().plan.steps.len() - 1);
    /// ```
    #[must_use]
    pub fn map_by<F: Described<Input = T>, N: Step<F>, M: Make<F, N>>(self, make: M) -> Chain<F::Output, S>
    where
        for<'a> F::Output: Payload<Borrowed<'a> = F::Output>,
    {
        const {
            assert!(
                matches!(F::KIND, Kind::Map | Kind::FilterMap),
                "`map_by` takes a function that gives one value or none"
            );
        }
        self.then(|row| {
            row.push_registered(make, Does::Map);
            row.tables.takes_own::<T>();
            row.tables.gives_own::<F::Output>();
        })
    }

    /// A flat map by a registered function, which gives a `Vec`.
    #[must_use]
    pub fn flat_map_by<F: Described<Input = T>, N: Step<F>, M: Make<F, N>>(self, make: M) -> Chain<F::Output, S>
    where
        for<'a> F::Output: Payload<Borrowed<'a> = F::Output>,
    {
        const { assert!(matches!(F::KIND, Kind::FlatMap), "`flat_map_by` takes a function that gives a `Vec`") }
        self.then(|row| {
            row.push_registered(make, Does::FlatMap);
            row.tables.takes_own::<T>();
            row.tables.gives_own::<F::Output>();
        })
    }

    /// A filter by a registered function, which gives a `bool`.
    #[must_use]
    pub fn filter_by<F: Described<Input = T, Output = bool>, N: Step<F>, M: Make<F, N>>(self, make: M) -> Self {
        const { assert!(matches!(F::KIND, Kind::Filter), "`filter_by` takes a function that gives one `bool`") }
        self.then(|row| {
            row.push_registered(make, Does::Filter);
            row.tables.takes_own::<T>();
        })
    }

    /// Writes the payload as JSON.
    #[must_use]
    pub fn serialize(self) -> Chain<Bytes, S> {
        self.serialize_as(Codec::Json)
    }

    /// Writes the payload in a codec.
    #[must_use]
    pub fn serialize_as(self, codec: Codec) -> Chain<Bytes, S> {
        const { assert!(!is_bytes::<T>(), "there is nothing to serialize: the payload is bytes already") }
        self.then(|row| {
            row.tables.own::<T>();
            row.push("serialize", Does::Serialize(codec));
        })
    }

    /// Takes the payload by the bytes that it makes of itself. No step is added.
    #[must_use]
    pub fn bytes(self) -> Chain<Bytes, S> {
        const { assert!(is_bytes::<T>(), "`bytes` is for a type that makes its own bytes; others are serialized") }
        self.then(|_| {})
    }

    /// Gathers payloads into lists, each until a limit is reached.
    #[must_use]
    pub fn batch(self, limits: Limits) -> Chain<List<T>, S> {
        const { assert!(!is_bytes::<T>(), "lists are made of values: parse the bytes before that") }
        self.then(|row| {
            row.tables.own::<List<T>>();
            row.push("batch", Does::Batch(limits));
        })
    }

    /// Sends each message down the branch whose key the function gives, and ends the pipeline or branch. A key that no branch has
    /// fails its message.
    #[must_use]
    pub fn route<K, C>(self, name: &str, choose: C, ways: impl IntoIterator<Item = (K, Branch<T>)>) -> S::End
    where
        C: Fn(&Message<T>) -> K + Send + Sync + 'static,
        for<'a> K: Payload<Borrowed<'a> = K> + 'static,
    {
        self.end(|row| {
            row.tables.route::<Owned<T>, K, C>(choose);
            let ways = row.ways(ways);
            row.push_named(name, Does::Route(closure::<C>(), ways));
        })
    }

    /// A route by a registered function.
    #[must_use]
    pub fn route_by<F: Described<Input = T>, N: Step<F>, M: Make<F, N>>(
        self,
        name: &str,
        make: M,
        ways: impl IntoIterator<Item = (F::Output, Branch<T>)>,
    ) -> S::End {
        const { assert!(matches!(F::KIND, Kind::Map | Kind::Filter), "`route_by` takes a function that gives one key") }
        self.end(|row| {
            row.tables.registered::<F, N, M>(make);
            row.tables.takes_own::<T>();
            let ways = row.ways(ways);
            row.push_named(name, Does::Route(registered::<F>(), ways));
        })
    }

    /// Sends each message down every branch, and ends the pipeline or branch.
    #[must_use]
    pub fn broadcast(self, name: &str, branches: impl IntoIterator<Item = Branch<T>>) -> S::End {
        self.end(|row| {
            let ways = row.branches(branches);
            row.push_named(name, Does::Broadcast(ways));
        })
    }
}
