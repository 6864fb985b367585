//! What takes long to free is freed without the interpreter.

use std::ops::{Deref, DerefMut};

use pyo3::prelude::*;

/// A value whose memory is given back by a thread that has let go of the interpreter, whoever drops it.
pub(crate) struct Large<T: Send>(Option<T>);

impl<T: Send> Large<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T: Send> Deref for Large<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().unwrap_or_else(|| unreachable!("it is taken when it is dropped"))
    }
}

impl<T: Send> DerefMut for Large<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().unwrap_or_else(|| unreachable!("it is taken when it is dropped"))
    }
}

impl<T: Send> Drop for Large<T> {
    fn drop(&mut self) {
        let value = self.0.take();
        // Where there is no interpreter any more it goes with the closure.
        let _ = Python::try_attach(move |py| py.detach(move || drop(value)));
    }
}
