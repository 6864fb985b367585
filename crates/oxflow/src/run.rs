//! The entries of the tables: decode, apply, select, encode, free, release.
//!
//! A handle is a boxed vector of [`Row`]s. Each entry but `decode` and `release` consumes one, and every row goes through
//! user code inside [`each`], so that a panic costs its row only.

use crate::abi::{Change, Encoded, Faults, Handle, Header, Held, Instance, Rows};
use crate::codec::json;
use crate::columns::{Columns, borrow};
use crate::function::{Emitter, Function, Output, Peek};
use crate::guard::{Panic, drop_each, each};
use crate::metadata::{Changes, Metadata};
use crate::report::{NONE, Reporter, lend};
use crate::{Message, Payload};
use std::sync::Arc;

/// A message in a handle, and the row of the batch that it came from.
#[derive(Debug)]
pub(crate) struct Row<T> {
    pub(crate) row: u32,
    pub(crate) message: Message<T>,
}

/// One pass over rows: the outputs so far, and where the row at hand began.
struct Pass<'a, T> {
    faults: Reporter<'a>,
    output: Vec<Row<T>>,
    row: u32,
    start: usize,
}

impl<'a, T> Pass<'a, T> {
    fn new(faults: Reporter<'a>, capacity: usize) -> Self {
        Self { faults, output: Vec::with_capacity(capacity), row: 0, start: 0 }
    }

    fn begin(&mut self, row: u32) {
        (self.row, self.start) = (row, self.output.len());
    }

    fn recover(&mut self, panic: &Panic) {
        drop_each(self.output.drain(self.start.min(self.output.len())..));
        self.faults.panicked(self.row, panic);
    }

    fn emit<R: Output<Payload = T>>(&mut self, result: R, metadata: Metadata) {
        let outcome = result.emit(Emitter { rows: &mut self.output, row: self.row, metadata });
        if let Err(failure) = outcome {
            self.faults.failed(self.row, &failure);
        }
    }
}

/// # Safety
///
/// `rows` and `faults` keep what their types promise, for the call.
pub(crate) unsafe extern "C" fn decode<T: Payload>(rows: *const Rows, faults: *const Faults) -> Held {
    // SAFETY: the caller's promise.
    let (rows, faults) = unsafe { (&*rows, Reporter::new(faults)) };
    // SAFETY: the caller's promise.
    let (columns, payloads) = unsafe { (Arc::new(Columns::copy(rows)), borrow(rows.payloads, rows.len)) };
    let mut pass = Pass::<T>::new(faults, rows.len);
    let decode = |pass: &mut Pass<'_, T>, (row, payload): (u32, &crate::abi::Bytes)| {
        pass.begin(row);
        // SAFETY: the caller's promise covers each payload.
        match T::decode(unsafe { borrow(payload.data, payload.len) }) {
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
/// `handle` holds rows of `F::Input` and isn't used again; `faults` keeps what its type promises, for the call.
pub(crate) unsafe extern "C" fn apply<F: Function>(
    _: *const Instance,
    handle: *mut Handle,
    faults: *const Faults,
) -> Held {
    // SAFETY: the caller's promise.
    let (rows, faults) = unsafe { (claim::<F::Input>(handle), Reporter::new(faults)) };
    let mut pass = Pass::new(faults, rows.len());
    let call = |pass: &mut Pass<'_, F::Output>, Row { row, message }| {
        pass.begin(row);
        let metadata = message.metadata().clone();
        pass.emit(F::call(message), metadata);
    };
    each(rows.into_iter(), &mut pass, call, Pass::recover);
    give(pass.output)
}

/// Keeps the rows for which the filter says true.
///
/// # Safety
///
/// As for [`apply`].
pub(crate) unsafe extern "C" fn select<F: Function>(
    _: *const Instance,
    handle: *mut Handle,
    faults: *const Faults,
) -> Held {
    // SAFETY: the caller's promise.
    let (rows, faults) = unsafe { (claim::<F::Input>(handle), Reporter::new(faults)) };
    let mut selected = rows;
    if let (Some(peek), Some(selects)) = (F::peek(), F::Output::SELECTS) {
        let answers = answers::<F>(&selected, faults, peek, selects);
        let mut answers = answers.into_iter();
        let (kept, dropped) = selected.into_iter().partition::<Vec<_>, _>(|_| answers.next().unwrap_or(false));
        drop_each(dropped.into_iter());
        selected = kept;
    }
    give(selected)
}

/// What the filter says of each row; false where it failed.
fn answers<F: Function>(
    rows: &[Row<F::Input>],
    faults: Reporter<'_>,
    peek: Peek<F>,
    selects: fn(&F::Output) -> bool,
) -> Vec<bool> {
    let mut pass = (Pass::<F::Output>::new(faults, 1), Vec::with_capacity(rows.len()));
    let ask = |(pass, answers): &mut (Pass<'_, F::Output>, Vec<bool>), Row { row, message }: &Row<F::Input>| {
        answers.push(false);
        pass.begin(*row);
        pass.emit(peek(message), message.metadata().clone());
        if let (Some(answer), Some(slot)) = (pass.output.pop(), answers.last_mut()) {
            *slot = selects(answer.message.payload());
        }
    };
    each(rows.iter(), &mut pass, ask, |(pass, _), panic| pass.recover(panic));
    pass.1
}

/// What `encode` gives, with the memory behind it. `face` stays first: the runtime sees nothing else.
#[repr(C)]
struct Owned {
    face: Encoded,
    rows: Vec<u32>,
    ends: Vec<usize>,
    data: Vec<u8>,
    changes: Vec<Change>,
    headers: Vec<Header>,
    metadata: Vec<Changes>,
}

/// Bytes that a row is given room for at first.
const ROOM: usize = 256;

/// Outputs as they are encoded.
#[derive(Default)]
struct Packed {
    row: u32,
    start: usize,
    rows: Vec<u32>,
    ends: Vec<usize>,
    data: Vec<u8>,
    /// Index of the output, its changes, and the timestamp that it has with them.
    changed: Vec<(u32, Changes, i64)>,
}

impl Packed {
    fn for_rows(rows: usize) -> Self {
        let (rows, ends, data) = (Vec::with_capacity(rows), Vec::with_capacity(rows), Vec::with_capacity(rows * ROOM));
        Self { rows, ends, data, ..Self::default() }
    }

    fn add<T: Payload>(&mut self, faults: Reporter<'_>, Row { row, message }: Row<T>) {
        (self.row, self.start) = (row, self.data.len());
        let timestamp = message.timestamp();
        let (payload, metadata) = message.into_parts();
        let outcome = payload.encode(&mut self.data);
        drop(payload);
        match outcome {
            Ok(()) => self.finish(metadata, timestamp),
            Err(error) => {
                self.data.truncate(self.start);
                faults.unencodable(row, &error);
            }
        }
    }

    fn finish(&mut self, metadata: Metadata, timestamp: i64) {
        if let (Some(changes), Ok(output)) = (metadata.into_changes(), u32::try_from(self.rows.len())) {
            self.changed.push((output, *changes, timestamp));
        }
        self.rows.push(self.row);
        self.ends.push(self.data.len());
    }

    fn into_encoded(self) -> *mut Encoded {
        let headers: Vec<Header> = self.changed.iter().flat_map(|(_, changes, _)| lend_headers(changes)).collect();
        let mut rest = headers.as_slice();
        let mut changes = Vec::with_capacity(self.changed.len());
        for (output, change, timestamp) in &self.changed {
            let (own, others) = rest.split_at_checked(change.headers.len()).unwrap_or_default();
            rest = others;
            changes.push(Change {
                output: *output,
                headers_len: u32::try_from(own.len()).unwrap_or(u32::MAX),
                headers: own.as_ptr(),
                key: change.key.as_ref().map_or(NONE, |key| lend(key)),
                timestamp: *timestamp,
            });
        }
        let face = Encoded {
            len: self.rows.len(),
            rows: self.rows.as_ptr(),
            ends: self.ends.as_ptr(),
            data: self.data.as_ptr(),
            data_len: self.data.len(),
            changes: changes.as_ptr(),
            changes_len: changes.len(),
        };
        let metadata = self.changed.into_iter().map(|(_, changes, _)| changes).collect();
        let owned = Owned { face, rows: self.rows, ends: self.ends, data: self.data, changes, headers, metadata };
        Box::into_raw(Box::new(owned)).cast()
    }
}

fn lend_headers(changes: &Changes) -> impl Iterator<Item = Header> {
    changes.headers.iter().map(|(name, value)| Header { name: lend(name.as_bytes()), value: lend(value) })
}

/// # Safety
///
/// `handle` holds rows of `T` and isn't used again; `faults` keeps what its type promises, for the call.
pub(crate) unsafe extern "C" fn encode<T: Payload>(handle: *mut Handle, faults: *const Faults) -> *mut Encoded {
    // SAFETY: the caller's promise.
    let (rows, faults) = unsafe { (claim::<T>(handle), Reporter::new(faults)) };
    let mut packed = Packed::for_rows(rows.len());
    let add = |packed: &mut Packed, row| packed.add(faults, row);
    let recover = |packed: &mut Packed, panic: &Panic| {
        packed.data.truncate(packed.start);
        faults.panicked(packed.row, panic);
    };
    each(rows.into_iter(), &mut packed, add, recover);
    packed.into_encoded()
}

/// # Safety
///
/// `handle` holds rows of `T` and isn't used again.
pub(crate) unsafe extern "C" fn free<T: Payload>(handle: *mut Handle) {
    // SAFETY: the caller's promise.
    drop_each(unsafe { claim::<T>(handle) }.into_iter());
}

/// # Safety
///
/// `encoded` came from [`encode`] and isn't used again.
pub(crate) unsafe extern "C" fn release(encoded: *mut Encoded) {
    // SAFETY: `encode` gave the first field of a boxed `Owned`, which is where that box begins.
    drop(unsafe { Box::from_raw(encoded.cast::<Owned>()) });
}

/// How many fields were dropped in decoding on this thread since the last call.
pub(crate) extern "C" fn take_unknown() -> u64 {
    json::take_dropped()
}

fn give<T>(rows: Vec<Row<T>>) -> Held {
    let len = rows.len();
    Held { handle: Box::into_raw(Box::new(rows)).cast(), len }
}

/// # Safety
///
/// `handle` came from [`give`] with the same `T` and isn't used again.
unsafe fn claim<T>(handle: *mut Handle) -> Vec<Row<T>> {
    // SAFETY: the caller's promise.
    *unsafe { Box::from_raw(handle.cast::<Vec<Row<T>>>()) }
}
