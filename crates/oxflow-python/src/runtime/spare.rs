//! The object of a message that nobody kept, used again for the next one.
//!
//! To make a message and to free it is a tenth of what a short step in Python costs, and few steps keep what they are given.
#![allow(unsafe_code)]

use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;

use crate::message::{Message, Metadata};

/// At most one such object.
#[derive(Debug, Default)]
pub(super) struct Spare(Option<Py<Message>>);

impl Spare {
    /// A step is through with a message.
    pub(super) fn put(&mut self, message: Option<Py<Message>>) {
        if message.is_some() {
            self.0 = message;
        }
    }

    /// A message with this in it.
    pub(super) fn message(&mut self, py: Python<'_>, payload: Py<PyAny>, metadata: Metadata) -> PyResult<Py<Message>> {
        let message = Message { payload, metadata };
        match self.0.take() {
            Some(object) if is_only_ours(py, &object) => {
                fill(py, &object, message);
                Ok(object)
            }
            _ => Py::new(py, message),
        }
    }
}

/// Whether this reference is the only one. Who looks for objects, as `gc.get_objects` does, gets another one.
fn is_only_ours(_: Python<'_>, object: &Py<Message>) -> bool {
    // SAFETY: the object is there, and the interpreter is held.
    unsafe { ffi::Py_REFCNT(object.as_ptr()) == 1 }
}

/// Puts other contents into an object that nobody else has.
fn fill(py: Python<'_>, object: &Py<Message>, message: Message) {
    // Where in the object the contents are is PyO3's to know.
    let place = ptr::from_ref(object.bind(py).get()).addr() - object.as_ptr().addr();
    // SAFETY: the pointer is the object's own, so it may be written through; nobody else has the object, the interpreter is
    // held, and no reference to its contents is alive, so nobody sees them change.
    let old = unsafe { object.as_ptr().byte_add(place).cast::<Message>().replace(message) };
    // Only now, when the contents are whole again: that may run code of Python.
    drop(old);
}
