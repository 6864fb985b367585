//! Rows of a module of which the other language's objects are made with no text in between.
//!
//! They wait in the module until the run of the other language that comes next takes them one by one, which is attached anyway.
//! What the module gives as bytes only, it gives then, too.
#![allow(unsafe_code)]

use std::mem::take;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use oxflow::abi::{self, OfferTable};

use super::gather::OpenLoan;
use super::native::{HeldRows, array, changed};
use super::rows::Reports;
use crate::batch::{ByteColumn, Changed, Gathered, Payloads, row_number};
use crate::extension::borrow;
use crate::fault::Fault;

/// So many outputs that have no object say nothing of the others.
const FEW: u32 = 8;
/// So many batches go by JSON without a try, where one before them had many such outputs.
const UNTRIED: u32 = 63;

/// The outputs of a native run for one batch.
#[derive(Debug, Default)]
pub struct Offers {
    pieces: Vec<Piece>,
    /// The step that a fault in making bytes belongs to.
    step: usize,
    len: usize,
    /// How many outputs were asked for their object in vain.
    odd: u32,
    worth: Worth,
    /// What the rows may borrow from; dropped after them.
    _source: Option<ByteColumn>,
}

/// Whether it is worth it to ask for objects: a run and its offers share what they learn.
#[derive(Clone, Debug, Default)]
pub(super) struct Worth(Arc<AtomicU32>);

impl Worth {
    /// Whether the next batch is offered.
    pub(super) fn next(&self) -> bool {
        let untried = self.0.load(Ordering::Relaxed);
        self.0.store(untried.saturating_sub(1), Ordering::Relaxed);
        untried == 0
    }
}

/// As many of the outputs as a module made at once.
#[derive(Debug)]
struct Piece {
    offer: *mut abi::Offer,
    table: &'static OfferTable,
    /// The number of the first output after these.
    end: usize,
    /// Dropped after the rows.
    _loan: Option<OpenLoan>,
}

// SAFETY: the ABI lets any thread use an offer, one at a time.
unsafe impl Send for Piece {}

impl Drop for Piece {
    fn drop(&mut self) {
        // SAFETY: the offer is open, and is not used again.
        unsafe { (self.table.close)(self.offer) };
    }
}

/// What is known of a batch's outputs while they wait.
pub(super) struct Offered {
    table: &'static OfferTable,
    pub(super) offers: Offers,
    pub(super) parents: Vec<u32>,
    pub(super) changes: Vec<Changed>,
}

impl Offered {
    /// No outputs yet; `step` is the one that they are of.
    pub(super) fn of(step: usize, table: &'static OfferTable, worth: &Worth) -> Self {
        let offers = Offers { step, worth: worth.clone(), ..Offers::default() };
        Self { table, offers, parents: Vec::new(), changes: Vec::new() }
    }

    /// Takes rows over, made of messages from `base` on.
    pub(super) fn add(&mut self, rows: HeldRows, loan: Option<OpenLoan>, base: u32) {
        let table = self.table;
        // SAFETY: the handle is of the type that the table is of; the call consumes it.
        let offer = unsafe { (table.open)(rows.into_handle()) };
        // SAFETY: it describes its arrays, which live until it is closed.
        let (rows, changes) =
            unsafe { (array((*offer).rows, (*offer).len), array((*offer).changes, (*offer).changes_len)) };
        let before = self.offers.len;
        self.parents.extend(rows.iter().map(|row| row + base));
        self.changes.extend(changes.iter().map(|change| changed(change, before)));
        self.offers.len += rows.len();
        self.offers.pieces.push(Piece { offer, table, end: self.offers.len, _loan: loan });
    }
}

impl Offers {
    /// The payloads for the run that takes them; `source` is what the rows may borrow from.
    pub(super) fn finish(self, source: Option<ByteColumn>) -> Payloads {
        let offers = Self { _source: source, ..self };
        let len = offers.len;
        Payloads::Gathered(Gathered { payloads: Arc::new(Mutex::new(offers)), len })
    }

    /// Takes them out of payloads that are some.
    pub fn taken(payloads: &Payloads) -> Option<Self> {
        let Payloads::Gathered(gathered) = payloads else { return None };
        let offers = gathered.payloads.downcast_ref::<Mutex<Self>>()?;
        Some(take(&mut *offers.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Makes the object of an output: a reference that is the caller's. None where it has to be made of its bytes.
    ///
    /// # Safety
    ///
    /// This thread is attached to the other language.
    pub unsafe fn object(&mut self, output: usize) -> Option<NonNull<abi::Object>> {
        if self.gave_up() {
            return None;
        }
        let (piece, place) = self.piece(output)?;
        // SAFETY: the offer is open, and the caller promises the rest.
        let made = NonNull::new(unsafe { (piece.table.make)(piece.offer, place) });
        if made.is_none() {
            self.odd += 1;
            if self.gave_up() {
                self.worth.0.store(UNTRIED, Ordering::Relaxed);
            }
        }
        made
    }

    /// True where many outputs have no object: each attempt costs.
    fn gave_up(&self) -> bool {
        self.odd >= FEW && self.odd as usize * 4 >= self.len
    }

    /// Lets `read` have the bytes of an output.
    pub fn bytes<R>(&mut self, output: usize, read: impl FnOnce(&[u8]) -> R) -> Result<R, Box<Fault>> {
        let mut reports = Reports { step: self.step, base: row_number(self.start_of(output)), ..Reports::default() };
        let faults = reports.table();
        // SAFETY: the offer is open. What is borrowed of it is read before the next call.
        let bytes = self
            .piece(output)
            .map(|(piece, place)| unsafe { (piece.table.bytes)(piece.offer, place, &raw const faults) });
        // SAFETY: as above.
        match bytes.and_then(|bytes| unsafe { borrow(bytes) }) {
            Some(bytes) => Ok(read(bytes)),
            // A module that gives no bytes says why.
            None => Err(Box::new(reports.faults.pop().unwrap_or_else(|| unreachable!("{SILENT}")))),
        }
    }

    /// The piece that an output lies in, and its place there.
    fn piece(&self, output: usize) -> Option<(&Piece, usize)> {
        let piece = self.pieces.get(self.pieces.partition_point(|piece| piece.end <= output))?;
        Some((piece, output - self.start_of(output)))
    }

    /// The first output of the piece that an output lies in.
    fn start_of(&self, output: usize) -> usize {
        let before = self.pieces.partition_point(|piece| piece.end <= output).checked_sub(1);
        before.and_then(|before| self.pieces.get(before)).map_or(0, |piece| piece.end)
    }
}

const SILENT: &str = "a module says why it gives no bytes";
