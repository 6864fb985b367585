//! Where types and functions enter themselves, from all over a user's crate.

use crate::Payload;
use crate::function::Function;
use crate::table::Draft;

/// One type or function of the library.
#[derive(Debug)]
pub struct Entry(pub(crate) fn(&mut Draft));

impl Entry {
    /// A type that Python sees as a class.
    pub const fn payload<T: Payload>() -> Self {
        Self(Draft::publish::<T>)
    }

    /// A function.
    pub const fn function<F: Function>() -> Self {
        Self(Draft::function::<F>)
    }
}

inventory::collect!(Entry);
