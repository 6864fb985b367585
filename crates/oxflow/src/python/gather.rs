//! The entries that read Python objects one by one, as the steps of a pipeline give them.
//!
//! An object is read as soon as it is there. A step that holds it, and changes it while the next messages come, changes nothing
//! of what was read. What can't be read directly comes as JSON of that moment, and is decoded with its neighbours at the end, by
//! a thread that need not hold the interpreter.

use super::kept::Kept;
use super::look::Source;
use super::objects::value;
use crate::abi::{Bytes, Faults, GatherTable, Gathering, Lent, Object, Rows};
use crate::codec::{DecodeError, restore_dropped, take_dropped};
use crate::columns::{Columns, borrow};
use crate::guard::{drop_each, each};
use crate::metadata::Metadata;
use crate::report::Reporter;
use crate::run::{Pass, Row, give};
use crate::{Message, Payload};
use pyo3::prelude::*;
use std::cell::Cell;
use std::iter;
use std::sync::Arc;

/// What was added so far. The rows will borrow from `kept`, which is a box.
struct Open<'k, T> {
    kept: *mut Kept,
    slots: Vec<Slot<'k, T>>,
}

enum Slot<'k, T> {
    /// A payload, and how many fields were dropped in reading it.
    Read(T, u64),
    /// Bytes of one.
    Bytes(&'k [u8]),
}

/// The entries of a type.
pub(super) fn gather_table<T: Payload>() -> *const GatherTable {
    let (begin, add, add_bytes, end) = (begin::<T>, add::<T>, add_bytes::<T>, end::<T>);
    Box::leak(Box::new(GatherTable { size: size_of::<GatherTable>(), begin, add, add_bytes, end }))
}

unsafe extern "C" fn begin<T: Payload>(expected: usize) -> *mut Gathering {
    let kept = Box::into_raw(Box::new(Kept::for_rows(expected)));
    let open = Open::<T::Borrowed<'_>> { kept, slots: Vec::with_capacity(expected) };
    Box::into_raw(Box::new(open)).cast()
}

/// # Safety
///
/// `gathering` came from [`begin`] with the same `T`, and was not ended.
unsafe fn opened<'o, 'k, T: Payload>(gathering: *mut Gathering) -> (&'o mut Open<'k, T::Borrowed<'k>>, &'k Kept) {
    // SAFETY: the caller's promise; what is kept lives until the rows are gone.
    unsafe {
        let open = &mut *gathering.cast::<Open<'k, T::Borrowed<'k>>>();
        let kept = &*open.kept;
        (open, kept)
    }
}

/// # Safety
///
/// `gathering` is as [`opened`] wants it, `object` is a Python object, and this thread holds the interpreter.
unsafe extern "C" fn add<T: Payload>(gathering: *mut Gathering, object: *mut Object) -> u32 {
    // SAFETY: the caller's promise.
    let (open, kept) = unsafe { opened::<T>(gathering) };
    let source = Source { kept, odd: Cell::new(false) };
    let before = take_dropped();
    let mut read = None;
    Python::attach(|py| {
        // SAFETY: the caller lends the object for the call.
        let object = unsafe { Bound::from_borrowed_ptr(py, object.cast()) };
        // What is wrong with a value, and a panic over it, is told by way of JSON.
        each(
            iter::once(object),
            &mut read,
            |read, object| *read = value::<T>(&source, object).ok(),
            |read, _| *read = None,
        );
    });
    let dropped = take_dropped();
    restore_dropped(before);
    match read {
        Some(payload) if !source.odd.get() => open.slots.push(Slot::Read(payload, dropped)),
        other => {
            drop_each(other.into_iter());
            return 0;
        }
    }
    1
}

/// # Safety
///
/// `gathering` is as [`opened`] wants it, and `bytes` is borrowed for the call.
unsafe extern "C" fn add_bytes<T: Payload>(gathering: *mut Gathering, bytes: Bytes) {
    // SAFETY: the caller's promise.
    let (open, kept) = unsafe { opened::<T>(gathering) };
    // SAFETY: the caller's promise.
    open.slots.push(Slot::Bytes(kept.copy(unsafe { borrow(bytes.data, bytes.len) })));
}

/// # Safety
///
/// `gathering` is as [`opened`] wants it, and isn't used again; `rows` and `faults` keep what the ABI promises, for the call.
unsafe extern "C" fn end<T: Payload>(gathering: *mut Gathering, rows: *const Rows, faults: *const Faults) -> Lent {
    // SAFETY: the caller's promise.
    let (open, rows, faults) =
        unsafe { (Box::from_raw(gathering.cast::<Open<'_, T::Borrowed<'_>>>()), &*rows, Reporter::new(faults)) };
    // SAFETY: the caller's promise.
    let columns = unsafe { Columns::copy(rows) };
    rows_of::<T>(*open, rows.len, &Arc::new(columns), faults)
}

/// Rows of the first `len` slots.
fn rows_of<'k, T: Payload>(
    Open { kept, slots }: Open<'k, T::Borrowed<'k>>,
    len: usize,
    columns: &Arc<Columns>,
    faults: Reporter<'_>,
) -> Lent {
    let mut pass = Pass::<T::Borrowed<'k>>::new(faults, len);
    let mut slots = slots.into_iter();
    let row = |pass: &mut Pass<'_, T::Borrowed<'k>>, (row, slot): (u32, Slot<'k, T::Borrowed<'k>>)| {
        pass.begin(row);
        match taken::<T>(slot) {
            Ok(payload) => {
                let metadata = Metadata::new(Arc::clone(columns), row);
                pass.output.push(Row { row, message: Message::with_metadata(payload, metadata) });
            }
            Err(error) => pass.faults.undecodable(row, &error),
        }
    };
    each((0..).zip(slots.by_ref().take(len)), &mut pass, row, Pass::recover);
    drop_each(slots);
    Lent { held: give(pass.output), loan: kept.cast() }
}

fn taken<'k, T: Payload>(slot: Slot<'k, T::Borrowed<'k>>) -> Result<T::Borrowed<'k>, DecodeError> {
    match slot {
        Slot::Read(payload, dropped) => {
            restore_dropped(take_dropped() + dropped);
            Ok(payload)
        }
        Slot::Bytes(bytes) => T::decode(bytes),
    }
}
