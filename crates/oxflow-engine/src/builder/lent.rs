//! Steps whose payloads borrow from the message that they were read from.

use std::fmt::Display;
use std::marker::PhantomData;

use oxflow::abi::Kind;
use oxflow::closure::{self, Own};
use oxflow::function::Described;
use oxflow::step::{Make, Step};
use oxflow::{Bytes, List, Message, Payload};

use super::row::{Does, Row, closure, is_bytes, registered};
use super::{Branch, Chain, FromSource, Origin};
use crate::plan::{Codec, Limits};

/// A pipeline or branch on its way, in which messages carry a `T` that may borrow from the message that was read:
/// [`Chain::parse_borrowed`] begins it. `T` is written with any lifetime, and steps are called with that of the message.
///
/// Closures make of it what borrows nothing; a function that gives what borrows, too, is registered, and called by its type.
///
/// ```
/// # use oxflow_engine::{self as oxflow, Message, Payload, Pipeline};
/// # use serde::{Deserialize, Serialize};
/// #[derive(Serialize, Deserialize, Payload)]
/// struct Event<'a> {
///     #[serde(borrow)]
///     name: oxflow::Text<'a>,
/// }
///
/// #[oxflow::function(step = Trimmed)]
/// fn trimmed<'a>(message: Message<Event<'a>>) -> Event<'a> {
///     message.take().0
/// }
///
/// let pipeline = Pipeline::source("events", "in")
///     .parse_borrowed::<Event<'_>>()
///     .filter(|message: &Message<Event<'_>>| !message.payload().name.is_empty())
///     .map_by(Trimmed)
///     .map(|message: Message<Event<'_>>| message.payload().name.len() as u64)
///     .serialize()
///     .sink("out", "lengths");
/// assert!(pipeline.resolve().is_ok());
/// ```
#[derive(Debug)]
pub struct Lent<T, S = FromSource> {
    origin: S,
    row: Row,
    payload: PhantomData<fn() -> T>,
}

impl<T: Payload + 'static, S: Origin> Lent<T, S> {
    pub(super) fn begin(origin: S) -> Self {
        let mut row = Row::default();
        row.tables.lent::<T>();
        Self::after(origin, row)
    }

    pub(super) fn after(origin: S, row: Row) -> Self {
        Self { origin, row, payload: PhantomData }
    }

    /// Gives the last step another name; before the first step, the branch.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        if !self.row.rename(name) {
            self.origin.rename(name);
        }
        self
    }

    fn then<U: Payload + 'static>(mut self, add: impl FnOnce(&mut Row)) -> Lent<U, S> {
        add(&mut self.row);
        Lent::after(self.origin, self.row)
    }

    fn own<U>(mut self, add: impl FnOnce(&mut Row)) -> Chain<U, S> {
        add(&mut self.row);
        Chain::after(self.origin, self.row)
    }

    fn end(mut self, add: impl FnOnce(&mut Row)) -> S::End {
        add(&mut self.row);
        self.origin.end(self.row)
    }

    /// As [`Chain::map`].
    #[must_use]
    pub fn map<U: Own, C>(self, call: C) -> Chain<U, S>
    where
        C: for<'a> Fn(Message<T::Borrowed<'a>>) -> U + Send + Sync + 'static,
    {
        self.own(|row| {
            row.tables.map::<closure::Lent<T>, U, C>(call);
            row.push_closure::<C>("map", Does::Map);
        })
    }

    /// As [`Chain::try_map`].
    #[must_use]
    pub fn try_map<U: Own, E: Display + 'static, C>(self, call: C) -> Chain<U, S>
    where
        C: for<'a> Fn(Message<T::Borrowed<'a>>) -> Result<U, E> + Send + Sync + 'static,
    {
        self.own(|row| {
            row.tables.try_map::<closure::Lent<T>, U, E, C>(call);
            row.push_closure::<C>("map", Does::Map);
        })
    }

    /// As [`Chain::filter_map`].
    #[must_use]
    pub fn filter_map<U: Own, C>(self, call: C) -> Chain<U, S>
    where
        C: for<'a> Fn(Message<T::Borrowed<'a>>) -> Option<U> + Send + Sync + 'static,
    {
        self.own(|row| {
            row.tables.filter_map::<closure::Lent<T>, U, C>(call);
            row.push_closure::<C>("map", Does::Map);
        })
    }

    /// As [`Chain::flat_map`].
    #[must_use]
    pub fn flat_map<U: Own, I: IntoIterator<Item = U> + 'static, C>(self, call: C) -> Chain<U, S>
    where
        C: for<'a> Fn(Message<T::Borrowed<'a>>) -> I + Send + Sync + 'static,
    {
        self.own(|row| {
            row.tables.flat_map::<closure::Lent<T>, U, I, C>(call);
            row.push_closure::<C>("flat_map", Does::FlatMap);
        })
    }

    /// As [`Chain::filter`].
    #[must_use]
    pub fn filter<C: for<'a> Fn(&Message<T::Borrowed<'a>>) -> bool + Send + Sync + 'static>(self, call: C) -> Self {
        self.then(|row| {
            row.tables.filter::<closure::Lent<T>, C>(call);
            row.push_closure::<C>("filter", Does::Filter);
        })
    }

    /// As [`Chain::map_by`].
    #[must_use]
    pub fn map_by<F: Described<Input = T>, N: Step<F>, M: Make<F, N>>(self, make: M) -> Lent<F::Output, S> {
        const {
            assert!(
                matches!(F::KIND, Kind::Map | Kind::FilterMap),
                "`map_by` takes a function that gives one value or none"
            );
        }
        self.then(|row| row.push_registered(make, Does::Map))
    }

    /// As [`Chain::flat_map_by`].
    #[must_use]
    pub fn flat_map_by<F: Described<Input = T>, N: Step<F>, M: Make<F, N>>(self, make: M) -> Lent<F::Output, S> {
        const { assert!(matches!(F::KIND, Kind::FlatMap), "`flat_map_by` takes a function that gives a `Vec`") }
        self.then(|row| row.push_registered(make, Does::FlatMap))
    }

    /// As [`Chain::filter_by`].
    #[must_use]
    pub fn filter_by<F: Described<Input = T, Output = bool>, N: Step<F>, M: Make<F, N>>(self, make: M) -> Self {
        const { assert!(matches!(F::KIND, Kind::Filter), "`filter_by` takes a function that gives one `bool`") }
        self.then(|row| row.push_registered(make, Does::Filter))
    }

    /// As [`Chain::serialize`].
    #[must_use]
    pub fn serialize(self) -> Chain<Bytes, S> {
        self.serialize_as(Codec::Json)
    }

    /// As [`Chain::serialize_as`].
    #[must_use]
    pub fn serialize_as(self, codec: Codec) -> Chain<Bytes, S> {
        const { assert!(!is_bytes::<T>(), "there is nothing to serialize: the payload is bytes already") }
        self.own(|row| {
            row.tables.lent::<T>();
            row.push("serialize", Does::Serialize(codec));
        })
    }

    /// As [`Chain::batch`].
    #[must_use]
    pub fn batch(self, limits: Limits) -> Lent<List<T>, S> {
        const { assert!(!is_bytes::<T>(), "lists are made of values: parse the bytes before that") }
        self.then(|row| {
            row.tables.lent::<List<T>>();
            row.push("batch", Does::Batch(limits));
        })
    }

    /// As [`Chain::route`]; its branches begin with [`borrowed_branch`](super::borrowed_branch).
    #[must_use]
    pub fn route<K, C>(self, name: &str, choose: C, ways: impl IntoIterator<Item = (K, Branch<T>)>) -> S::End
    where
        C: for<'a> Fn(&Message<T::Borrowed<'a>>) -> K + Send + Sync + 'static,
        for<'a> K: Payload<Borrowed<'a> = K> + 'static,
    {
        self.end(|row| {
            row.tables.route::<closure::Lent<T>, K, C>(choose);
            let ways = row.ways(ways);
            row.push_named(name, Does::Route(closure::<C>(), ways));
        })
    }

    /// As [`Chain::route_by`].
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
            let ways = row.ways(ways);
            row.push_named(name, Does::Route(registered::<F>(), ways));
        })
    }

    /// As [`Chain::broadcast`].
    #[must_use]
    pub fn broadcast(self, name: &str, branches: impl IntoIterator<Item = Branch<T>>) -> S::End {
        self.end(|row| {
            let ways = row.branches(branches);
            row.push_named(name, Does::Broadcast(ways));
        })
    }
}
