//! A batch as the C ABI passes it: arrays of borrowed pieces.
#![allow(unsafe_code)]

use std::ffi::c_void;

use oxflow::abi::{self, Bytes, Header, Rows};

use crate::batch::{Batch, ByteColumn, Metadata};
use crate::config::{OnError, Policy, Retry};
use crate::extension::{NONE, borrow, lend};
use crate::fault::{Fault, FaultKind};

/// Arrays that are filled for each call and kept for the next.
#[derive(Debug, Default)]
pub(super) struct RowArrays {
    payloads: Vec<Bytes>,
    partitions: Vec<u32>,
    offsets: Vec<i64>,
    timestamps: Vec<i64>,
    keys: Vec<Bytes>,
    headers: Vec<Header>,
    header_ends: Vec<u32>,
}

// SAFETY: the pointers in the arrays are only followed during a call that borrows the batch they point into.
unsafe impl Send for RowArrays {}

impl RowArrays {
    /// Lends the messages `range` of a batch whose payloads are `column` to `call`; without payloads, where the module has them.
    pub(super) fn lend<R>(
        &mut self,
        batch: &Batch,
        column: Option<&ByteColumn>,
        range: std::ops::Range<usize>,
        call: impl FnOnce(&Rows) -> R,
    ) -> R {
        self.clear();
        let attributed = batch.meta().has_attributes();
        for index in range {
            let payload = column.map_or(Some(NONE), |column| column.get(index).map(lend));
            if let (Some(row), Some(payload)) = (batch.metadata(index), payload) {
                self.push(row, payload, attributed);
            }
        }
        let array = |filled: *const Header| if attributed { filled } else { std::ptr::null() };
        call(&Rows {
            len: self.payloads.len(),
            payloads: self.payloads.as_ptr(),
            stream: lend(batch.meta().stream().as_bytes()),
            partitions: self.partitions.as_ptr(),
            offsets: self.offsets.as_ptr(),
            timestamps: self.timestamps.as_ptr(),
            keys: array(self.keys.as_ptr().cast()).cast(),
            headers: array(self.headers.as_ptr()),
            header_ends: array(self.header_ends.as_ptr().cast()).cast(),
        })
    }

    fn clear(&mut self) {
        self.payloads.clear();
        self.partitions.clear();
        self.offsets.clear();
        self.timestamps.clear();
        self.keys.clear();
        self.headers.clear();
        self.header_ends.clear();
    }

    fn push(&mut self, row: Metadata<'_>, payload: Bytes, attributed: bool) {
        self.payloads.push(payload);
        self.partitions.push(row.partition());
        self.offsets.push(row.offset());
        self.timestamps.push(row.timestamp_us());
        if attributed {
            self.keys.push(row.key().map_or(NONE, lend));
            self.headers
                .extend(row.headers().map(|(name, value)| Header { name: lend(name.as_bytes()), value: lend(value) }));
            self.header_ends.push(crate::batch::row_number(self.headers.len()));
        }
    }
}

/// Takes the faults that a module reports.
#[derive(Debug, Default)]
pub(super) struct Reports {
    /// What was reported.
    pub(super) faults: Vec<Fault>,
    /// The step that is being called.
    pub(super) step: usize,
    /// Index in the batch of the first row that the module was given.
    pub(super) base: u32,
}

impl Reports {
    /// The table that a module reports to, for one call.
    pub(super) fn table(&mut self) -> abi::Faults {
        abi::Faults { context: std::ptr::from_mut(self).cast(), report }
    }
}

unsafe extern "C" fn report(context: *mut c_void, fault: *const abi::Fault) {
    // SAFETY: `context` is the `Reports` that `table` borrowed for this call; `fault` is borrowed by the ABI's promise.
    let (reports, fault) = unsafe { (&mut *context.cast::<Reports>(), abi::read(fault)) };
    // Every module that was taken makes longer ones.
    let Some(fault) = fault else { return };
    // SAFETY: the texts are borrowed for this call by the ABI's promise.
    let text = |bytes| unsafe { borrow(bytes) }.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    reports.faults.push(Fault {
        step: reports.step,
        row: reports.base + fault.row,
        kind: kind(fault.status),
        class: text(fault.class).unwrap_or_default(),
        text: text(fault.text).unwrap_or_default(),
        detail: text(fault.detail),
        cause: None,
        wish: wish(&fault).map(Box::new),
    });
}

/// What an error wants; what a newer module wants that this runtime doesn't know is left to the configuration.
fn wish(fault: &abi::Fault) -> Option<OnError> {
    let abi::Wish { policy, times, backoff_ms, then } = fault.wish;
    if policy == abi::Policy::Retry as u32 {
        let then = plain(then).unwrap_or_default();
        return Some(OnError::Retry(Retry::within_bounds(times, backoff_ms, then)));
    }
    plain(policy).map(|policy| match policy {
        Policy::Fail => OnError::Fail,
        Policy::Skip => OnError::Skip,
        Policy::DeadLetter => OnError::DeadLetter,
    })
}

fn plain(policy: u32) -> Option<Policy> {
    match policy {
        policy if policy == abi::Policy::Fail as u32 => Some(Policy::Fail),
        policy if policy == abi::Policy::Skip as u32 => Some(Policy::Skip),
        policy if policy == abi::Policy::DeadLetter as u32 => Some(Policy::DeadLetter),
        _ => None,
    }
}

fn kind(status: u32) -> FaultKind {
    match status {
        status if status == abi::Status::Undecodable as u32 => FaultKind::Undecodable,
        status if status == abi::Status::Panic as u32 => FaultKind::Panicked,
        status if status == abi::Status::Unencodable as u32 => FaultKind::Unencodable,
        _ => FaultKind::Raised,
    }
}
