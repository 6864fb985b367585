//! The entries between payloads and Python objects: read, give back, write, release.
//!
//! They do what is usual and quick. An object of a class that isn't known here, or that has no JSON, makes them give up: then
//! the runtime goes by way of JSON, which knows all classes and finds out what is wrong with a value.

use super::gather::gather_table;
use super::kept::Kept;
use super::look::{Room, Source, Value};
use super::names::Names;
use super::offer::offer_table;
use super::write::Writer;
use crate::abi::{Change, Faults, Handle, Header, Held, Lent, Loan, Object, ObjectTable, Rows, Written};
use crate::codec::DecodeError;
use crate::codec::{restore_dropped, take_dropped};
use crate::columns::{Columns, borrow};
use crate::encode::{change, lend_headers};
use crate::guard::{drop_each, each};
use crate::metadata::Metadata;
use crate::report::Reporter;
use crate::run::{Pass, Row, give};
use crate::{Message, Payload};
use pyo3::ffi;
use pyo3::prelude::*;
use std::cell::{Cell, RefCell};
use std::ptr;
use std::sync::Arc;

/// The entries of a type.
#[expect(clippy::unnecessary_wraps, reason = "without the feature `python` there are none")]
pub(crate) fn object_table<T: Payload>() -> Option<ObjectTable> {
    let (read, write) = (read::<T>, write::<T>);
    let (gather, offer) = (gather_table::<T>(), offer_table::<T>());
    Some(ObjectTable { size: size_of::<ObjectTable>(), read, give_back, write, release, gather, offer })
}

/// # Safety
///
/// `rows`, `objects` and `faults` keep what the ABI promises, for the call.
unsafe extern "C" fn read<T: Payload>(rows: *const Rows, objects: *const *mut Object, faults: *const Faults) -> Lent {
    // SAFETY: the caller's promise.
    let (rows, faults) = unsafe { (&*rows, Reporter::new(faults)) };
    // SAFETY: the caller's promise.
    let (columns, objects) = unsafe { (Arc::new(Columns::copy(rows)), borrow(objects, rows.len)) };
    let kept = Box::into_raw(Box::new(Kept::for_rows(rows.len)));
    // SAFETY: it was made just now, and is dropped only when no row is left: here, or by `give_back`.
    let source = Source { kept: unsafe { &*kept }, odd: Cell::new(false) };
    let before = take_dropped();
    let output = Python::attach(|py| {
        let mut pass = Pass::new(faults, rows.len);
        let read = |pass: &mut Pass<'_, T::Borrowed<'_>>, (row, object): (u32, &*mut Object)| {
            pass.begin(row);
            // SAFETY: the caller lends a Python object for each row, and the interpreter is held.
            let object = unsafe { Bound::from_borrowed_ptr(py, (*object).cast()) };
            match value::<T>(&source, object) {
                Ok(payload) => {
                    let metadata = Metadata::new(Arc::clone(&columns), row);
                    pass.output.push(Row { row, message: Message::with_metadata(payload, metadata) });
                }
                Err(error) => pass.faults.undecodable(row, &error),
            }
        };
        each((0..).zip(objects).take_while(|_| !source.odd.get()), &mut pass, read, Pass::recover);
        pass.output
    });
    if source.odd.get() {
        take_dropped();
        restore_dropped(before);
        drop_each(output.into_iter());
        // SAFETY: no row is left that could borrow from it.
        unsafe { give_back(kept.cast()) };
        return Lent { held: Held { handle: ptr::null_mut(), len: 0 }, loan: ptr::null_mut() };
    }
    restore_dropped(before + take_dropped());
    Lent { held: give(output), loan: kept.cast() }
}

/// The payload that an object is.
pub(super) fn value<'de, T: Payload>(
    source: &Source<'de>,
    object: Bound<'_, PyAny>,
) -> Result<T::Borrowed<'de>, DecodeError> {
    let before = take_dropped();
    let read = T::read(Value { source, object, room: Room::WHOLE });
    let dropped = take_dropped();
    restore_dropped(before + dropped);
    if T::REJECTS_UNKNOWN && dropped > 0 && read.is_ok() {
        // JSON knows which field it is.
        source.odd.set(true);
    }
    read.map_err(|wrong| DecodeError::Invalid { reason: wrong.to_string() })
}

/// # Safety
///
/// `loan` came from [`read`] and isn't used again, and what borrows from it is gone.
unsafe extern "C" fn give_back(loan: *mut Loan) {
    // SAFETY: the caller's promise.
    drop(unsafe { Box::from_raw(loan.cast::<Kept>()) });
}

/// What `write` gives, with the memory behind it. `face` stays first: the runtime sees nothing else.
#[repr(C)]
struct Owned {
    face: Written,
    rows: Vec<u32>,
    objects: Vec<*mut Object>,
    changes: Vec<Change>,
    headers: Vec<Header>,
}

/// # Safety
///
/// `handle` holds rows of `T`.
unsafe extern "C" fn write<T: Payload>(handle: *const Handle) -> *mut Written {
    // SAFETY: the caller's promise.
    let rows = unsafe { &*handle.cast::<Vec<Row<T::Borrowed<'_>>>>() };
    Python::attach(|py| made(py, rows)).map_or(ptr::null_mut(), |objects| into_written(rows, objects))
}

/// The objects of all rows, if each of them can be made here.
fn made<T: Payload>(py: Python<'_>, rows: &[Row<T>]) -> Option<Vec<*mut Object>> {
    let names = RefCell::new(Names::borrowed());
    let mut state = (Vec::<Bound<'_, PyAny>>::with_capacity(rows.len()), true);
    let writer = Writer::new(py, &names);
    let make = |(objects, whole): &mut (Vec<_>, bool), row: &Row<T>| match row.message.payload().write(writer) {
        Ok(object) => objects.push(object),
        Err(_) => *whole = false,
    };
    // JSON meets the same panic, and reports it.
    each(rows.iter(), &mut state, make, |(_, whole), _| *whole = false);
    let (objects, whole) = state;
    names.into_inner().give_back();
    whole.then(|| objects.into_iter().map(|object| object.into_ptr().cast()).collect())
}

fn into_written<T>(rows: &[Row<T>], objects: Vec<*mut Object>) -> *mut Written {
    let (headers, changes) = changes_of(rows);
    let rows: Vec<u32> = rows.iter().map(|row| row.row).collect();
    let face = Written {
        len: rows.len(),
        rows: rows.as_ptr(),
        objects: objects.as_ptr(),
        changes: changes.as_ptr(),
        changes_len: changes.len(),
    };
    Box::into_raw(Box::new(Owned { face, rows, objects, changes, headers })).cast()
}

/// What functions changed beside the payloads. The changes borrow from the rows and from the headers, which lie still.
pub(super) fn changes_of<T>(rows: &[Row<T>]) -> (Vec<Header>, Vec<Change>) {
    let altered =
        || rows.iter().zip(0..).filter_map(|(row, output)| Some((row.message.metadata().changes()?, row, output)));
    let headers: Vec<Header> = altered().flat_map(|(changes, ..)| lend_headers(changes)).collect();
    let mut rest = headers.as_slice();
    let changes = altered().map(|(of, row, output)| change(output, of, row.message.timestamp(), &mut rest)).collect();
    (headers, changes)
}

/// # Safety
///
/// `written` came from [`write`] and isn't used again; the interpreter is held.
unsafe extern "C" fn release(written: *mut Written) {
    // SAFETY: `write` gave the first field of a boxed `Owned`, which is where that box begins.
    let owned = unsafe { Box::from_raw(written.cast::<Owned>()) };
    for object in owned.objects {
        // SAFETY: the reference is ours, and the interpreter is held.
        unsafe { ffi::Py_DECREF(object.cast()) };
    }
}
