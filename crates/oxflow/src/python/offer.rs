//! The entries that make Python objects of rows one by one, as the steps of a pipeline take them.
//!
//! An object is made right before a step is given it, so that it is still near when the step looks at it, and rows wait in the
//! module until then. What can't be made directly is written as bytes, whose reader also finds out what is wrong with them.

use super::names::Names;
use super::objects::changes_of;
use super::write::Writer;
use crate::Payload;
use crate::abi::{Bytes, Change, Faults, Handle, Header, Object, Offer, OfferTable};
use crate::guard::{drop_each, each};
use crate::report::{NONE, Reporter, lend};
use crate::run::{Row, claim};
use pyo3::prelude::*;
use std::cell::RefCell;
use std::ptr;

/// An offer, with the memory behind it. `face` stays first: the runtime sees nothing else.
#[repr(C)]
struct Open<T> {
    face: Offer,
    held: Vec<Row<T>>,
    /// What `face` points to.
    _rows: Vec<u32>,
    _changes: Vec<Change>,
    _headers: Vec<Header>,
    names: RefCell<Names>,
    bytes: Vec<u8>,
}

/// The entries of a type.
pub(super) fn offer_table<T: Payload>() -> *const OfferTable {
    let (open, make, bytes, close) = (open::<T>, make::<T>, bytes::<T>, close::<T>);
    Box::leak(Box::new(OfferTable { size: size_of::<OfferTable>(), open, make, bytes, close }))
}

/// # Safety
///
/// `handle` holds rows of `T` and isn't used again.
unsafe extern "C" fn open<T: Payload>(handle: *mut Handle) -> *mut Offer {
    // SAFETY: the caller's promise.
    let held = unsafe { claim::<T::Borrowed<'_>>(handle) };
    let rows: Vec<u32> = held.iter().map(|row| row.row).collect();
    let (headers, changes) = changes_of(&held);
    let face = Offer { len: held.len(), rows: rows.as_ptr(), changes: changes.as_ptr(), changes_len: changes.len() };
    let names = RefCell::new(Names::borrowed());
    let open = Open { face, held, _rows: rows, _changes: changes, _headers: headers, names, bytes: Vec::new() };
    Box::into_raw(Box::new(open)).cast()
}

/// # Safety
///
/// `offer` came from [`open`] with the same `T`, and was not closed; this thread holds the interpreter.
unsafe extern "C" fn make<T: Payload>(offer: *mut Offer, output: usize) -> *mut Object {
    // SAFETY: the caller's promise.
    let open = unsafe { &*offer.cast::<Open<T::Borrowed<'_>>>() };
    let mut object = ptr::null_mut();
    Python::attach(|py| {
        let writer = Writer::new(py, &open.names);
        let write = |object: &mut *mut Object, row: &Row<T::Borrowed<'_>>| {
            *object = row.message.payload().write(writer).map_or(ptr::null_mut(), |made| made.into_ptr().cast());
        };
        // The bytes meet the same panic, and report it.
        each(open.held.get(output).into_iter(), &mut object, write, |_, _| {});
    });
    object
}

/// # Safety
///
/// `offer` is as [`make`] wants it; `faults` keeps what its type promises, for the call.
unsafe extern "C" fn bytes<T: Payload>(offer: *mut Offer, output: usize, faults: *const Faults) -> Bytes {
    // SAFETY: the caller's promise.
    let (open, faults) = unsafe { (&mut *offer.cast::<Open<T::Borrowed<'_>>>(), Reporter::new(faults)) };
    let number = u32::try_from(output).unwrap_or(u32::MAX);
    let mut state = (&mut open.bytes, false);
    let write = |(bytes, whole): &mut (&mut Vec<u8>, bool), row: &Row<T::Borrowed<'_>>| {
        bytes.clear();
        match row.message.payload().encode(bytes) {
            Ok(()) => *whole = true,
            Err(error) => faults.unencodable(number, &error),
        }
    };
    each(open.held.get(output).into_iter(), &mut state, write, |_, panic| faults.panicked(number, panic));
    let (bytes, whole) = state;
    if whole { lend(bytes) } else { NONE }
}

/// # Safety
///
/// `offer` is as [`make`] wants it, but for the interpreter, and isn't used again.
unsafe extern "C" fn close<T: Payload>(offer: *mut Offer) {
    // SAFETY: `open` gave the first field of a boxed `Open`, which is where that box begins.
    let open = unsafe { Box::from_raw(offer.cast::<Open<T::Borrowed<'_>>>()) };
    drop_each(open.held.into_iter());
    open.names.into_inner().give_back();
}
