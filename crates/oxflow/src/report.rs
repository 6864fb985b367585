//! Tells the runtime which rows failed.

use crate::abi::{self, Status, Wish};
use crate::codec::{DecodeError, EncodeError};
use crate::error_policy::Policy;
use crate::function::Failure;
use crate::guard::Panic;

/// The runtime's ear for one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reporter<'a>(&'a abi::Faults);

impl Reporter<'_> {
    /// # Safety
    ///
    /// `faults` lives for `'a` and keeps what `abi::Faults` promises.
    pub(crate) unsafe fn new(faults: *const abi::Faults) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { &*faults })
    }

    pub(crate) fn undecodable(self, row: u32, error: &DecodeError) {
        self.report(row, Status::Undecodable, "oxflow::DecodeError", &error.to_string(), None);
    }

    pub(crate) fn unencodable(self, row: u32, error: &EncodeError) {
        let source = std::error::Error::source(error).map(|source| format!("{error}: {source}"));
        self.report(
            row,
            Status::Unencodable,
            "oxflow::EncodeError",
            &source.unwrap_or_else(|| error.to_string()),
            None,
        );
    }

    pub(crate) fn failed(self, row: u32, failure: &Failure) {
        let wish = failure.policy.map(Policy::wish).unwrap_or_default();
        self.send(row, Status::Error, failure.class, &failure.text, None, wish);
    }

    pub(crate) fn panicked(self, row: u32, panic: &Panic) {
        self.report(row, Status::Panic, "panic", &panic.text, Some(&panic.detail));
    }

    fn report(self, row: u32, status: Status, class: &str, text: &str, detail: Option<&str>) {
        self.send(row, status, class, text, detail, Wish::default());
    }

    fn send(self, row: u32, status: Status, class: &str, text: &str, detail: Option<&str>, wish: Wish) {
        let fault = abi::Fault {
            size: size_of::<abi::Fault>(),
            row,
            status: status as u32,
            class: lend(class.as_bytes()),
            text: lend(text.as_bytes()),
            detail: detail.map_or(NONE, |detail| lend(detail.as_bytes())),
            wish,
        };
        // SAFETY: the fault and what it points to live for the call; the context goes back as it came.
        unsafe { (self.0.report)(self.0.context, &raw const fault) }
    }
}

/// No value.
pub(crate) const NONE: abi::Bytes = abi::Bytes { data: std::ptr::null(), len: 0 };

/// Bytes that the other side may read for as long as the borrow lasts.
pub(crate) const fn lend(bytes: &[u8]) -> abi::Bytes {
    abi::Bytes { data: bytes.as_ptr(), len: bytes.len() }
}
