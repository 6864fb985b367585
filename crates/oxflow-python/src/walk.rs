//! Walks through containers of Python without counting references, and calls functions without making tuples.
//!
//! To count each key and item up and down again is a good part of what it costs to look at them. It isn't needed as long as nothing
//! else can run in between: no code of Python, and so no collection of garbage, which only new containers and exceptions start. So
//! whoever walks makes neither, and ends the walk at the first thing that raises.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::ptr;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyList};
use pyo3::{Borrowed, ffi};

/// Whether something is true of each key and its value. `each` runs no code of Python, and is false where it raises.
pub(crate) fn entries<'py>(
    dict: &Bound<'py, PyDict>,
    mut each: impl FnMut(&Bound<'py, PyAny>, &Bound<'py, PyAny>) -> bool,
) -> bool {
    let (mut place, mut key, mut value) = (0, ptr::null_mut(), ptr::null_mut());
    // SAFETY: it is a dictionary, and the interpreter is held.
    while unsafe { ffi::PyDict_Next(dict.as_ptr(), &raw mut place, &raw mut key, &raw mut value) } != 0 {
        // SAFETY: both are there where there is an entry, and stay, since nothing else runs meanwhile.
        let (key, value) = unsafe { (Borrowed::from_ptr(dict.py(), key), Borrowed::from_ptr(dict.py(), value)) };
        if !each(&key, &value) {
            return false;
        }
    }
    true
}

/// The same of the items of a list.
pub(crate) fn items<'py>(list: &Bound<'py, PyList>, mut each: impl FnMut(&Bound<'py, PyAny>) -> bool) -> bool {
    // SAFETY: it is a list, and the interpreter is held.
    let len = unsafe { ffi::PyList_Size(list.as_ptr()) };
    (0..len).all(|index| {
        // SAFETY: as above, and the list has as many items as before, since nothing else runs meanwhile.
        let item = unsafe { Borrowed::from_ptr(list.py(), ffi::PyList_GetItem(list.as_ptr(), index)) };
        each(&item)
    })
}

/// An integer, if it is short. That it isn't raises nothing.
pub(crate) fn short(number: &Bound<'_, PyInt>) -> Option<i64> {
    let mut overflow: c_int = 0;
    // SAFETY: it is an integer, so that nothing is raised; the interpreter is held.
    let value = unsafe { ffi::PyLong_AsLongLongAndOverflow(number.as_ptr(), &raw mut overflow) };
    (overflow == 0).then_some(value)
}

/// Calls a function with one argument. Where the stable ABI has no such call, this makes no tuple of it either.
pub(crate) fn call<'py>(function: &Bound<'py, PyAny>, argument: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let none = ptr::null_mut::<ffi::PyObject>();
    // SAFETY: both are objects, null ends the arguments, and the interpreter is held.
    let made = unsafe { ffi::PyObject_CallFunctionObjArgs(function.as_ptr(), argument.as_ptr(), none) };
    // SAFETY: it is a reference of ours, or null where something was raised.
    unsafe { Bound::from_owned_ptr_or_err(function.py(), made) }
}
