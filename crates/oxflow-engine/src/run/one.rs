//! One message through one function, outside of any pipeline.
//!
//! Its payload is bytes, or, where whoever calls holds a Python interpreter, one of its objects. To this crate these objects are
//! pointers that only the two sides of the ABI understand.
#![allow(unsafe_code)]

use oxflow::abi::{self, Bytes, Header, ObjectTable, Rows};

use super::native::{HeldRows, array, changed};
use super::rows::Reports;
use crate::batch::Changed;
use crate::extension::{Function, NONE, lend};
use crate::fault::Fault;

/// What travels with a payload.
#[derive(Clone, Copy, Debug, Default)]
pub struct OneRow<'a> {
    /// Name of the stream; empty for none.
    pub stream: &'a str,
    /// Partition of the stream.
    pub partition: u32,
    /// Offset in the partition.
    pub offset: i64,
    /// Microseconds since 1970-01-01 UTC.
    pub timestamp_us: i64,
    /// The key.
    pub key: Option<&'a [u8]>,
    /// The headers.
    pub headers: &'a [(String, Vec<u8>)],
}

/// A call of a function with one message.
#[derive(Debug)]
pub struct OneCall<'f> {
    function: &'f Function,
    reports: Reports,
}

/// Rows on their way through the call. They may borrow from the payload or the loan that they were made of.
#[derive(Debug)]
pub struct OneHeld(HeldRows);

/// References that a module holds to what rows borrow from.
#[derive(Debug)]
pub struct OneLoan {
    loan: *mut abi::Loan,
    table: &'static ObjectTable,
}

/// What a function gave for the message.
#[derive(Debug)]
pub struct OneOutput<T> {
    /// The payload.
    pub payload: T,
    /// What it changed beside the payload.
    pub changed: Option<Changed>,
}

impl<'f> OneCall<'f> {
    /// A call of this function.
    pub fn new(function: &'f Function) -> Self {
        Self { function, reports: Reports::default() }
    }

    /// Makes rows of a payload in bytes.
    ///
    /// # Safety
    ///
    /// The payload outlives the rows and all that is made of them.
    pub unsafe fn decode(&mut self, row: &OneRow<'_>, payload: &[u8]) -> OneHeld {
        let (input, faults) = (self.function.input(), self.reports.table());
        // SAFETY: the rows are as the ABI wants them and live for the call; the caller keeps the payload.
        let decode = |rows: &Rows| unsafe { (input.table().decode)(input.codec() as u32, rows, &raw const faults) };
        let held = row.lend(&lend(payload), decode);
        // Of no step in no pipeline.
        input.take_unknown();
        OneHeld(HeldRows { held, owner: input })
    }

    /// Makes rows of an object; none where it has to be read by way of its bytes.
    ///
    /// # Safety
    ///
    /// `object` is a Python object, this thread holds the interpreter, and the loan outlives the rows and all that is made of
    /// them.
    pub unsafe fn read(&mut self, row: &OneRow<'_>, object: *mut abi::Object) -> Option<(OneHeld, OneLoan)> {
        let (input, faults) = (self.function.input(), self.reports.table());
        let table = input.objects()?;
        // SAFETY: the rows are as the ABI wants them and live for the call; the caller promises the rest.
        let read = |rows: &Rows| unsafe { (table.read)(rows, &raw const object, &raw const faults) };
        let lent = row.lend(&NONE, read);
        input.take_unknown();
        if lent.held.handle.is_null() {
            self.reports.faults.clear();
            return None;
        }
        Some((OneHeld(HeldRows { held: lent.held, owner: input }), OneLoan { loan: lent.loan, table }))
    }

    /// Calls the function.
    pub fn apply(&mut self, rows: OneHeld) -> OneHeld {
        OneHeld(rows.0.apply(self.function, false, &mut self.reports))
    }

    /// The outputs in bytes, each given to `make`.
    pub fn encode<T>(&mut self, rows: OneHeld, mut make: impl FnMut(&[u8]) -> T) -> Vec<OneOutput<T>> {
        let mut outputs = Vec::new();
        let between = rows.0.owner.codec();
        rows.0.encode(between, &mut self.reports, |encoded| {
            // SAFETY: `encoded` describes its arrays, which live until it is released.
            let (data, ends, changes) = unsafe {
                (
                    array(encoded.data, encoded.data_len),
                    array(encoded.ends, encoded.len),
                    array(encoded.changes, encoded.changes_len),
                )
            };
            let starts = std::iter::once(0).chain(ends.iter().copied());
            let payloads = starts.zip(ends).map(|(start, end)| make(data.get(start..*end).unwrap_or_default()));
            outputs = with_changes(payloads, changes);
        });
        outputs
    }

    /// The outputs as objects, each lent to `make`; none where one of them has to be made by way of its bytes.
    ///
    /// # Safety
    ///
    /// This thread holds the interpreter.
    pub unsafe fn write<T>(
        &self,
        rows: &OneHeld,
        make: impl FnMut(*mut abi::Object) -> T,
    ) -> Option<Vec<OneOutput<T>>> {
        let table = rows.0.owner.objects()?;
        // SAFETY: the handle is of this type, and the caller holds the interpreter.
        let written = unsafe { (table.write)(rows.0.held.handle) };
        // SAFETY: it is null, or lives until it is released, as do its arrays.
        let given = unsafe { written.as_ref() }?;
        // SAFETY: as above.
        let (objects, changes) = unsafe { (array(given.objects, given.len), array(given.changes, given.changes_len)) };
        let outputs = with_changes(objects.iter().copied().map(make), changes);
        // SAFETY: it came from the same table, and nothing borrows from it any more.
        unsafe { (table.release)(written) };
        Some(outputs)
    }

    /// What failed, if something did.
    pub fn fault(&mut self) -> Option<Fault> {
        (!self.reports.faults.is_empty()).then(|| self.reports.faults.swap_remove(0))
    }
}

fn with_changes<T>(payloads: impl Iterator<Item = T>, changes: &[abi::Change]) -> Vec<OneOutput<T>> {
    let mut rest = changes.iter().peekable();
    let output = |(index, payload): (u32, T)| {
        let change = rest.next_if(|change| change.output == index);
        OneOutput { payload, changed: change.map(|change| changed(change, 0)) }
    };
    (0..).zip(payloads).map(output).collect()
}

impl OneRow<'_> {
    fn lend<R>(&self, payload: &Bytes, call: impl FnOnce(&Rows) -> R) -> R {
        let header = |(name, value): &(String, Vec<u8>)| Header { name: lend(name.as_bytes()), value: lend(value) };
        let headers: Vec<Header> = self.headers.iter().map(header).collect();
        let (key, end) = (self.key.map_or(NONE, lend), crate::batch::row_number(headers.len()));
        let attributed = self.key.is_some() || !headers.is_empty();
        call(&Rows {
            len: 1,
            payloads: payload,
            stream: lend(self.stream.as_bytes()),
            partitions: &raw const self.partition,
            offsets: &raw const self.offset,
            timestamps: &raw const self.timestamp_us,
            keys: if attributed { &raw const key } else { std::ptr::null() },
            headers: if attributed { headers.as_ptr() } else { std::ptr::null() },
            header_ends: if attributed { &raw const end } else { std::ptr::null() },
        })
    }
}

impl<T> OneOutput<T> {
    /// The same with another payload, if there is one.
    pub fn try_map<U, E>(self, make: impl FnOnce(T) -> Result<U, E>) -> Result<OneOutput<U>, E> {
        Ok(OneOutput { payload: make(self.payload)?, changed: self.changed })
    }
}

impl Drop for OneLoan {
    fn drop(&mut self) {
        // SAFETY: whoever took the loan drops it after the rows, holding the interpreter.
        unsafe { (self.table.give_back)(self.loan) };
    }
}
