//! The entries of functions of many messages.
//!
//! Such a function is called with all rows of a handle. If it panics, it is called again with each of them alone: so only those
//! fail that it panics for. One with state would see its messages twice, so there all of them fail.

use crate::Message;
use crate::Payload;
use crate::abi::{Faults, Handle, Held, Instance};
use crate::function::{BatchFunction, Collector, In, Out};
use crate::guard::{drop_each, each};
use crate::metadata::Metadata;
use crate::report::Reporter;
use crate::run::{Pass, Row, claim, give, instance_of, keep};

/// # Safety
///
/// As for [`run::apply`](crate::run::apply).
pub(crate) unsafe extern "C" fn apply<F: BatchFunction>(
    instance: *const Instance,
    handle: *mut Handle,
    faults: *const Faults,
) -> Held {
    // SAFETY: the caller's promise.
    let (function, rows, faults) =
        unsafe { (instance_of::<F>(instance), claim::<In<'_, F>>(handle), Reporter::new(faults)) };
    let batch = Batch::of(rows);
    let called = batch.call(function, faults);
    drop_each(batch.messages.into_iter());
    give(called.pass.output)
}

/// Keeps the rows for which the filter says true.
///
/// # Safety
///
/// As for [`run::apply`](crate::run::apply).
pub(crate) unsafe extern "C" fn select<F: BatchFunction>(
    instance: *const Instance,
    handle: *mut Handle,
    faults: *const Faults,
) -> Held {
    // SAFETY: the caller's promise.
    let (function, rows, faults) =
        unsafe { (instance_of::<F>(instance), claim::<In<'_, F>>(handle), Reporter::new(faults)) };
    let batch = Batch::of(rows);
    let answers = batch.call(function, faults).answers();
    let rows = batch.places.into_iter().zip(batch.messages).map(|((row, _), message)| Row { row, message });
    give(keep(rows.collect(), answers))
}

/// Rows as the function sees them, and what belongs to each.
struct Batch<T> {
    places: Vec<(u32, Metadata)>,
    messages: Vec<Message<T>>,
}

/// What a function gave; for each message the end of its outputs.
struct Called<'f, T> {
    pass: Pass<'f, T>,
    ends: Vec<usize>,
}

impl<T> Batch<T> {
    fn of(rows: Vec<Row<T>>) -> Self {
        let places = |Row { row, message }: Row<T>| ((row, Message::metadata(&message).clone()), message);
        let (places, messages) = rows.into_iter().map(places).unzip();
        Self { places, messages }
    }

    fn call<'a, 'f, F: BatchFunction>(&self, function: &F, faults: Reporter<'f>) -> Called<'f, Out<'a, F>>
    where
        F::Input: Payload<Borrowed<'a> = T>,
    {
        let mut called = Called { pass: Pass::new(faults, self.messages.len()), ends: Vec::new() };
        let mut state = (&mut called, false);
        let call = |(called, _): &mut (&mut Called<'_, Out<'a, F>>, bool), (places, messages): Part<'_, T>| {
            called.pass.begin(places.first().map_or(0, |(row, _)| *row));
            function.call(messages, Collector { pass: &mut called.pass, places, ends: &mut called.ends });
        };
        let whole = (self.places.as_slice(), self.messages.as_slice());
        each(Some(whole).filter(|_| !self.messages.is_empty()).into_iter(), &mut state, call, |state, panic| {
            if F::STATEFUL || self.messages.len() == 1 {
                self.places.iter().for_each(|(row, _)| state.0.failed(*row, panic));
            } else {
                state.1 = true;
            }
        });
        if state.1 {
            let alone = self.places.chunks(1).zip(self.messages.chunks(1));
            each(alone, &mut state, call, |(called, _), panic| called.failed(called.pass.row(), panic));
        }
        called
    }
}

type Part<'b, T> = (&'b [(u32, Metadata)], &'b [Message<T>]);

impl<T> Called<'_, T> {
    /// The function panicked before it gave anything for the message at hand.
    fn failed(&mut self, row: u32, panic: &crate::guard::Panic) {
        self.pass.begin(row);
        self.pass.recover(panic);
        self.ends.push(self.pass.output.len());
    }
}

impl<T: Payload> Called<'_, T> {
    /// For each message whether the filter said true; false where it failed.
    fn answers(self) -> Vec<bool> {
        let Some(selects) = T::SELECTS else { return Vec::new() };
        let outputs = self.pass.output;
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let answer = |(start, end): (usize, &usize)| {
            outputs.get(start..*end).and_then(<[_]>::first).is_some_and(|row| selects(row.message.payload()))
        };
        starts.zip(&self.ends).map(answer).collect()
    }
}
