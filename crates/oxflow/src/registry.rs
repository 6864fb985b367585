//! Where types and functions enter themselves, from all over a user's crate.

use crate::Payload;
use crate::function::{BatchFunction, Construct, Function};
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

    /// A function of many messages.
    pub const fn batch_function<F: BatchFunction>() -> Self {
        Self(Draft::batch_function::<F>)
    }

    /// A function that is made of arguments.
    pub const fn constructed<F: Function + Construct>() -> Self {
        Self(|draft| {
            draft.function::<F>();
            draft.construct::<F>();
        })
    }

    /// A function of many messages that is made of arguments.
    pub const fn constructed_batch<F: BatchFunction + Construct>() -> Self {
        Self(|draft| {
            draft.batch_function::<F>();
            draft.construct::<F>();
        })
    }
}

inventory::collect!(Entry);
