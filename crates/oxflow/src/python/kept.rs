//! Strings and texts that rows borrow from.
//!
//! The UTF-8 of a Python string lives as long as the string. The dictionary that holds it is no guarantee for that: while a
//! function runs without the interpreter, another thread may change the dictionary. So each string that is looked at is
//! held here until the rows are gone.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::cell::RefCell;
use std::{slice, str};

/// References to strings, and copies of bytes. Dropped by a thread that holds the interpreter.
#[derive(Debug)]
pub(super) struct Kept {
    strings: RefCell<Vec<*mut ffi::PyObject>>,
    /// Boxes, as pointers: to move a box would end what is borrowed from it.
    copies: RefCell<Vec<*mut [u8]>>,
}

/// Strings, keys too, that there is room for at first in each message.
const ROOM: usize = 32;

impl Kept {
    pub(super) fn for_rows(rows: usize) -> Self {
        Self { strings: RefCell::new(Vec::with_capacity(rows * ROOM)), copies: RefCell::default() }
    }

    /// A copy of bytes that lives as long as this.
    pub(super) fn copy(&self, bytes: &[u8]) -> &[u8] {
        let copy = Box::into_raw(Box::from(bytes));
        self.copies.borrow_mut().push(copy);
        // SAFETY: it was made just now, never changes, and is dropped with `self`.
        unsafe { &*copy }
    }

    /// The text of a string; none where the string holds half of a surrogate pair, which has no UTF-8.
    pub(super) fn text(&self, string: Bound<'_, PyString>) -> Option<&str> {
        let mut len = 0;
        // SAFETY: it is a string, and the interpreter is held, as the lifetime of `Bound` says.
        let data = unsafe { ffi::PyUnicode_AsUTF8AndSize(string.as_ptr(), &raw mut len) };
        if data.is_null() {
            // SAFETY: as above.
            unsafe { ffi::PyErr_Clear() };
            return None;
        }
        self.strings.borrow_mut().push(string.into_ptr());
        // SAFETY: the string lies still and never changes, and is held for as long as `self` lives.
        let bytes = unsafe { slice::from_raw_parts(data.cast::<u8>(), usize::try_from(len).unwrap_or_default()) };
        // SAFETY: that is what the call gives.
        Some(unsafe { str::from_utf8_unchecked(bytes) })
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        for string in self.strings.get_mut().drain(..) {
            // SAFETY: the reference was taken over from a `Bound`; the interpreter is held, as the type says.
            unsafe { ffi::Py_DECREF(string) };
        }
        for copy in self.copies.get_mut().drain(..) {
            // SAFETY: it is a box that `copy` made, and nothing borrows from it any more.
            drop(unsafe { Box::from_raw(copy) });
        }
    }
}

/// Key and value.
pub(super) type Entry<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>);

/// The entry of a dictionary after a place, which moves on. Unlike `PyO3`'s iterator it takes a dictionary as it is that
/// changes on the way, which code of a user that is called on the way may do.
pub(super) fn next_entry<'py>(dict: &Bound<'py, pyo3::types::PyDict>, place: &mut isize) -> Option<Entry<'py>> {
    let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: it is a dictionary, and the interpreter is held.
    if unsafe { ffi::PyDict_Next(dict.as_ptr(), place, &raw mut key, &raw mut value) } == 0 {
        return None;
    }
    // SAFETY: both are there where there is an entry, and borrowed from the dictionary, which nothing changes meanwhile.
    Some(unsafe { (Bound::from_borrowed_ptr(dict.py(), key), Bound::from_borrowed_ptr(dict.py(), value)) })
}
