//! The runtime's table, called safely.

use crate::abi::host::{CurrentSpan, Entry, Field, HostApi, Instrument, Recorded, TraceContext};
use crate::abi::{self, Bytes};
use std::ffi::c_void;
use std::panic::catch_unwind;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

static HOST: AtomicPtr<HostApi> = AtomicPtr::new(ptr::null_mut());

/// Entry `attach` of the module's table. The first runtime stays the only one.
///
/// # Safety
///
/// `host` is null or a table that lives as long as the process.
pub(crate) unsafe extern "C" fn attach(host: *const HostApi) {
    if host.is_null() {
        return;
    }
    let known = Host::get();
    // SAFETY: the caller's promise.
    let Some(host) = known.or_else(|| unsafe { abi::read(host) }.and_then(keep)) else { return };
    // What `tracing` and `log` do there may panic, in a library that they don't expect.
    let _ = catch_unwind(|| super::attached(host, known.is_none()));
}

/// Keeps the runtime's table as this SDK knows it, for good. None for a runtime of another major version, and for a second one.
fn keep(table: HostApi) -> Option<Host> {
    let table = ptr::from_mut(Box::leak(Box::new(Some(table).filter(|table| table.major == abi::MAJOR)?)));
    if HOST.compare_exchange(ptr::null_mut(), table, Ordering::AcqRel, Ordering::Acquire).is_err() {
        // SAFETY: it was leaked above, and nobody has seen it.
        drop(unsafe { Box::from_raw(table) });
        return None;
    }
    Host::get()
}

/// The runtime.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Host(&'static HostApi);

// SAFETY: the table is never written to, its entries may be called on any thread, and the context is the runtime's.
unsafe impl Send for Host {}
// SAFETY: as above.
unsafe impl Sync for Host {}
// The table holds raw pointers only; no panic leaves it in a state that matters.
impl std::panic::UnwindSafe for Host {}

impl Host {
    /// The runtime, if there is one.
    pub(crate) fn get() -> Option<Self> {
        // SAFETY: what is stored there is a box that `keep` leaked.
        unsafe { HOST.load(Ordering::Acquire).as_ref() }.map(Self)
    }

    pub(crate) fn instrument(self, instrument: &Instrument) -> u32 {
        // SAFETY: the entry borrows the instrument for the call; its texts are statics.
        unsafe { (self.0.instrument)(self.0.context, instrument) }
    }

    pub(crate) fn measure(self, instrument: u32, bits: u64, attributes: &[Field]) {
        // SAFETY: the entry borrows the attributes for the call.
        unsafe { (self.0.measure)(self.0.context, instrument, bits, attributes.as_ptr(), attributes.len()) }
    }

    pub(crate) fn trace(self) -> TraceContext {
        // SAFETY: the entry takes nothing.
        unsafe { (self.0.trace)(self.0.context) }
    }
}

/// What `tracing` and `log` need.
#[cfg_attr(not(any(feature = "tracing", feature = "log")), allow(dead_code, reason = "for the features"))]
impl Host {
    pub(super) fn max_level(self, kind: Recorded) -> u32 {
        // SAFETY: the entry takes a number.
        unsafe { (self.0.max_level)(self.0.context, kind as u32) }
    }

    pub(super) fn enabled(self, kind: Recorded, level: u32, target: &str) -> bool {
        let target = Bytes { data: target.as_ptr(), len: target.len() };
        // SAFETY: the entry borrows the target for the call.
        unsafe { (self.0.enabled)(self.0.context, kind as u32, level, target) != 0 }
    }

    /// Hands over a record whose pointers are borrowed for the call, and last if it says so.
    pub(super) fn log(self, entry: &Entry, parent: u64) {
        // SAFETY: a `Draft` or the callers of this crate fill the entry with borrowed texts.
        unsafe { (self.0.log)(self.0.context, entry, parent) }
    }
}

/// What `tracing` needs.
#[cfg_attr(not(feature = "tracing"), allow(dead_code, reason = "for the feature"))]
impl Host {
    pub(super) fn span_new(self, entry: &Entry, parent: u64, tag: *const c_void) -> u64 {
        // SAFETY: as for `log`; the tag only comes back.
        unsafe { (self.0.span_new)(self.0.context, entry, parent, tag) }
    }

    pub(super) fn span_record(self, span: u64, fields: &[Field]) {
        // SAFETY: `tracing` gives back spans that it was given and hasn't closed; the entry borrows the fields for the call.
        unsafe { (self.0.span_record)(self.0.context, span, fields.as_ptr(), fields.len()) }
    }

    pub(super) fn span_enter(self, span: u64) {
        // SAFETY: as above.
        unsafe { (self.0.span_enter)(self.0.context, span) }
    }

    pub(super) fn span_exit(self, span: u64) {
        // SAFETY: as above.
        unsafe { (self.0.span_exit)(self.0.context, span) }
    }

    pub(super) fn span_clone(self, span: u64) {
        // SAFETY: as above.
        unsafe { (self.0.span_clone)(self.0.context, span) }
    }

    pub(super) fn span_close(self, span: u64) -> bool {
        // SAFETY: as above.
        unsafe { (self.0.span_close)(self.0.context, span) != 0 }
    }

    pub(super) fn span_current(self) -> CurrentSpan {
        // SAFETY: the entry takes nothing.
        unsafe { (self.0.span_current)(self.0.context) }
    }
}
