//! The entries of functions that are made of arguments.

use crate::abi::{Bytes, Faults, Instance};
use crate::codec::json;
use crate::columns::borrow;
use crate::function::{Construct, Failure};
use crate::guard::{drop_each, each};
use crate::report::Reporter;
use serde::Deserialize;
use std::ptr;

/// Reads the arguments of a constructor.
#[doc(hidden)]
pub fn read_arguments<'a, T: Deserialize<'a>>(arguments: &'a [u8]) -> Result<T, Failure> {
    json::decode(arguments).map_err(|error| Failure::of(&error))
}

/// # Safety
///
/// `arguments` and `faults` keep what their types promise, for the call.
pub(crate) unsafe extern "C" fn create<F: Construct>(arguments: Bytes, faults: *const Faults) -> *mut Instance {
    // SAFETY: the caller's promise.
    let (arguments, faults) = unsafe { (borrow(arguments.data, arguments.len), Reporter::new(faults)) };
    let mut created = ptr::null_mut();
    let create = |created: &mut *mut Instance, arguments: &[u8]| match F::create(arguments) {
        Ok(function) => *created = Box::into_raw(Box::new(function)).cast(),
        Err(failure) => faults.failed(0, &failure),
    };
    each(std::iter::once(arguments), &mut created, create, |_, panic| faults.panicked(0, panic));
    created
}

/// # Safety
///
/// `instance` came from [`create`] of the same function and isn't used again.
pub(crate) unsafe extern "C" fn destroy<F: Construct>(instance: *mut Instance) {
    // SAFETY: the caller's promise.
    drop_each(std::iter::once(unsafe { Box::from_raw(instance.cast::<F>()) }));
}
