//! The entries of the tables: decode, apply, select, encode, free, release.
//!
//! A handle is a boxed vector of [`Row`]s. Each entry but `decode` and `release` consumes one, and every row goes through
//! user code inside [`each`], so that a panic costs its row only. `batch.rs` has the entries of functions of many messages.
//!
//! Payloads may borrow from the bytes that they were decoded from. The lifetime of these bytes is known to the runtime alone:
//! here it is an `'a` that each entry chooses, and that user code, being generic over it, can't keep anything beyond.

use crate::abi::{Codec, Faults, Handle, Held, Instance, Rows};
use crate::codec::{self, DecodeError};
use crate::columns::{Columns, borrow};
use crate::function::{Described, Emitter, Failure, Function, In, Out, Peek};
use crate::guard::{Panic, drop_each, each};
use crate::metadata::Metadata;
use crate::report::Reporter;
use crate::{Message, Payload};
use std::sync::Arc;

/// A message in a handle, and the row of the batch that it came from.
#[derive(Debug)]
pub(crate) struct Row<T> {
    pub(crate) row: u32,
    pub(crate) message: Message<T>,
}

/// One pass over rows: the outputs so far, and where the row at hand began.
#[derive(Debug)]
pub(crate) struct Pass<'r, T> {
    pub(crate) faults: Reporter<'r>,
    pub(crate) output: Vec<Row<T>>,
    row: u32,
    start: usize,
}

impl<'r, T> Pass<'r, T> {
    pub(crate) fn new(faults: Reporter<'r>, capacity: usize) -> Self {
        Self { faults, output: Vec::with_capacity(capacity), row: 0, start: 0 }
    }

    /// The row at hand.
    pub(crate) fn row(&self) -> u32 {
        self.row
    }

    pub(crate) fn begin(&mut self, row: u32) {
        (self.row, self.start) = (row, self.output.len());
    }

    pub(crate) fn recover(&mut self, panic: &Panic) {
        drop_each(self.output.drain(self.start.min(self.output.len())..));
        self.faults.panicked(self.row, panic);
    }

    /// Gives `call` the emitter of the row at hand.
    pub(crate) fn emit(&mut self, metadata: Metadata, call: impl FnOnce(Emitter<'_, T>) -> Result<(), Failure>) {
        let outcome = call(Emitter { rows: &mut self.output, row: self.row, metadata });
        if let Err(failure) = outcome {
            self.faults.failed(self.row, &failure);
        }
    }
}

/// # Safety
///
/// `rows` and `faults` keep what their types promise, for the call.
pub(crate) unsafe extern "C" fn decode<T: Payload>(codec: u32, rows: *const Rows, faults: *const Faults) -> Held {
    // SAFETY: the caller's promise.
    let (rows, faults) = unsafe { (&*rows, Reporter::new(faults)) };
    match Codec::of(codec) {
        // SAFETY: the caller's promise.
        Some(codec) if codec != T::CODEC => unsafe { decode_by::<T>(rows, faults, |bytes| T::decode_as(codec, bytes)) },
        // That between steps has a loop of its own, into which it is inlined. A codec that this version doesn't know is none
        // that the table offers.
        // SAFETY: as above.
        _ => unsafe { decode_by::<T>(rows, faults, T::decode) },
    }
}

/// # Safety
///
/// `rows` keeps what its type promises.
unsafe fn decode_by<'a, T: Payload>(
    rows: &Rows,
    faults: Reporter<'_>,
    read: impl Fn(&'a [u8]) -> Result<T::Borrowed<'a>, DecodeError>,
) -> Held {
    // SAFETY: the caller's promise.
    let (columns, payloads) = unsafe { (Arc::new(Columns::copy(rows)), borrow(rows.payloads, rows.len)) };
    let mut pass = Pass::<T::Borrowed<'a>>::new(faults, rows.len);
    let decode = |pass: &mut Pass<'_, T::Borrowed<'a>>, (row, payload): (u32, &crate::abi::Bytes)| {
        pass.begin(row);
        // SAFETY: the caller's promise covers each payload, for as long as what is decoded of it lives.
        match read(unsafe { borrow(payload.data, payload.len) }) {
            Ok(payload) => {
                let metadata = Metadata::new(Arc::clone(&columns), row);
                pass.output.push(Row { row, message: Message::with_metadata(payload, metadata) });
            }
            Err(error) => pass.faults.undecodable(row, &error),
        }
    };
    each((0..).zip(payloads), &mut pass, decode, Pass::recover);
    give(pass.output)
}

/// # Safety
///
/// `instance` is what the function's `create` gave, if it has one; `handle` holds rows of `F::Input` and isn't used again;
/// `faults` keeps what its type promises, for the call.
pub(crate) unsafe extern "C" fn apply<F: Function>(
    instance: *const Instance,
    handle: *mut Handle,
    faults: *const Faults,
) -> Held {
    // SAFETY: the caller's promise.
    let (function, rows, faults) =
        unsafe { (instance_of::<F>(instance), claim::<In<'_, F>>(handle), Reporter::new(faults)) };
    give(outputs(function, rows, faults))
}

fn outputs<'a, F: Function>(function: &F, rows: Vec<Row<In<'a, F>>>, faults: Reporter<'_>) -> Vec<Row<Out<'a, F>>> {
    let mut pass = Pass::new(faults, rows.len());
    let call = |pass: &mut Pass<'_, Out<'a, F>>, Row { row, message }: Row<In<'a, F>>| {
        pass.begin(row);
        let metadata = message.metadata().clone();
        pass.emit(metadata, |to| function.call(message, to));
    };
    each(rows.into_iter(), &mut pass, call, Pass::recover);
    pass.output
}

/// Keeps the rows for which the filter says true.
///
/// # Safety
///
/// As for [`apply`].
pub(crate) unsafe extern "C" fn select<F: Function>(
    instance: *const Instance,
    handle: *mut Handle,
    faults: *const Faults,
) -> Held {
    // SAFETY: the caller's promise.
    let (function, rows, faults) =
        unsafe { (instance_of::<F>(instance), claim::<In<'_, F>>(handle), Reporter::new(faults)) };
    let mut selected = rows;
    if let (Some(peek), Some(selects)) = (F::peek(), Out::<'_, F>::SELECTS) {
        let answers = answers(function, &selected, faults, peek, selects);
        selected = keep(selected, answers);
    }
    give(selected)
}

/// The rows for which the answer is true.
pub(crate) fn keep<T>(rows: Vec<Row<T>>, answers: Vec<bool>) -> Vec<Row<T>> {
    let mut answers = answers.into_iter();
    let (kept, dropped) = rows.into_iter().partition::<Vec<_>, _>(|_| answers.next().unwrap_or(false));
    drop_each(dropped.into_iter());
    kept
}

/// What the filter says of each row; false where it failed.
fn answers<'a, F: Function>(
    function: &F,
    rows: &[Row<In<'a, F>>],
    faults: Reporter<'_>,
    peek: Peek<'a, F>,
    selects: fn(&Out<'a, F>) -> bool,
) -> Vec<bool> {
    let mut pass = (Pass::<Out<'a, F>>::new(faults, 1), Vec::with_capacity(rows.len()));
    let ask = |(pass, answers): &mut (Pass<'_, Out<'a, F>>, Vec<bool>), Row { row, message }: &Row<In<'a, F>>| {
        answers.push(false);
        pass.begin(*row);
        pass.emit(message.metadata().clone(), |to| peek(function, message, to));
        if let (Some(answer), Some(slot)) = (pass.output.pop(), answers.last_mut()) {
            *slot = selects(answer.message.payload());
        }
    };
    each(rows.iter(), &mut pass, ask, |(pass, _), panic| pass.recover(panic));
    pass.1
}

/// # Safety
///
/// `handle` holds rows of `T` and isn't used again.
pub(crate) unsafe extern "C" fn free<T: Payload>(handle: *mut Handle) {
    // SAFETY: the caller's promise.
    drop_each(unsafe { claim::<T::Borrowed<'_>>(handle) }.into_iter());
}

/// How many fields were dropped in decoding on this thread since the last call.
pub(crate) extern "C" fn take_unknown() -> u64 {
    codec::take_dropped()
}

pub(crate) fn give<T>(rows: Vec<Row<T>>) -> Held {
    let len = rows.len();
    Held { handle: Box::into_raw(Box::new(rows)).cast(), len }
}

/// # Safety
///
/// `handle` came from [`give`] with the same `T` and isn't used again.
pub(crate) unsafe fn claim<T>(handle: *mut Handle) -> Vec<Row<T>> {
    // SAFETY: the caller's promise.
    *unsafe { Box::from_raw(handle.cast::<Vec<Row<T>>>()) }
}

/// # Safety
///
/// `instance` came from the `create` of this function, if it has one, and lives for `'f`.
pub(crate) unsafe fn instance_of<'f, F: Described>(instance: *const Instance) -> &'f F {
    match F::ONLY {
        Some(only) => only,
        // SAFETY: the caller's promise.
        None => unsafe { &*instance.cast::<F>() },
    }
}
