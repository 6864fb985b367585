//! Objects of the other language that become rows of a module with no text in between.
//!
//! A run of the other language, while it is attached, gives the module each object as soon as its last step gave it; the native
//! run that comes next has the rows made of them. What these borrow from is a loan of the other language's: it can only be given
//! back by a thread that is attached, so loans wait for the next time that the lane is.
#![allow(unsafe_code)]

use std::collections::VecDeque;
use std::mem::{replace, take};
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use oxflow::abi::{self, GatherTable, ObjectTable, Rows};

use super::native::{CHUNK_ROWS, HeldRows};
use super::rows::Reports;
use crate::batch::{Gathered, Payloads};
use crate::extension::{NONE, PayloadType, lend};

/// Objects of one batch on their way to a native run.
#[derive(Debug)]
pub struct Gathering {
    owner: PayloadType,
    loans: Arc<Loans>,
    expected: usize,
    pieces: VecDeque<Piece>,
    len: usize,
}

impl Gathering {
    /// A gathering of about so many objects; none if the type's module can't read them.
    pub fn of(owner: PayloadType, expected: usize, loans: &Arc<Loans>) -> Option<Self> {
        owner.gather()?;
        Some(Self { owner, loans: Arc::clone(loans), expected, pieces: VecDeque::new(), len: 0 })
    }

    /// True if nothing was added.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Reads an object; false if it has to be added as its bytes.
    ///
    /// # Safety
    ///
    /// `object` is one of the other language's, which this thread is attached to.
    pub unsafe fn add(&mut self, object: *mut abi::Object) -> bool {
        // SAFETY: the caller's promise.
        self.with_piece(|piece| unsafe { (piece.gather.add)(piece.gathering, object) } != 0)
    }

    /// Adds a payload as its bytes.
    pub fn add_bytes(&mut self, bytes: &[u8]) {
        self.with_piece(|piece| {
            // SAFETY: the gathering is open, and copies what it is lent.
            unsafe { (piece.gather.add_bytes)(piece.gathering, lend(bytes)) };
            true
        });
    }

    /// Lets the piece at hand take a payload, and counts it if it did.
    fn with_piece(&mut self, add: impl FnOnce(&Piece) -> bool) -> bool {
        if self.pieces.back().is_none_or(|piece| piece.len == CHUNK_ROWS) {
            let expected = self.expected.saturating_sub(self.len).clamp(1, CHUNK_ROWS);
            self.pieces.extend(Piece::begin(self.owner, expected, &self.loans));
        }
        let Some(piece) = self.pieces.back_mut() else { return false };
        let added = add(piece);
        piece.len += usize::from(added);
        self.len += usize::from(added);
        added
    }

    /// The payloads for the native run.
    pub fn finish(self) -> Payloads {
        let Self { pieces, len, .. } = self;
        Payloads::Gathered(Gathered { payloads: Arc::new(Mutex::new(pieces)), len })
    }
}

/// Takes the pieces out of payloads that were gathered.
pub(super) fn pieces(gathered: &Gathered) -> VecDeque<Piece> {
    let pieces = gathered.payloads.downcast_ref::<Mutex<VecDeque<Piece>>>();
    pieces.map(|pieces| take(&mut *pieces.lock().unwrap_or_else(PoisonError::into_inner))).unwrap_or_default()
}

/// As many of a batch's objects as a module gets at once.
#[derive(Debug)]
pub(super) struct Piece {
    owner: PayloadType,
    objects: &'static ObjectTable,
    gather: &'static GatherTable,
    /// Null once it was ended.
    gathering: *mut abi::Gathering,
    loans: Arc<Loans>,
    pub(super) len: usize,
}

// SAFETY: the ABI lets any thread end a gathering; it is added to by one that owns it.
unsafe impl Send for Piece {}

impl Piece {
    fn begin(owner: PayloadType, expected: usize, loans: &Arc<Loans>) -> Option<Self> {
        let (objects, gather) = owner.gather()?;
        // SAFETY: the entry takes a number.
        let gathering = unsafe { (gather.begin)(expected) };
        Some(Self { owner, objects, gather, gathering, loans: Arc::clone(loans), len: 0 })
    }

    /// Makes rows of the first of its payloads, as many as `rows` has. The loan is to be dropped after them.
    pub(super) fn end(mut self, rows: &Rows, reports: &mut Reports) -> (HeldRows, OpenLoan) {
        self.ended(rows, reports)
    }

    fn ended(&mut self, rows: &Rows, reports: &mut Reports) -> (HeldRows, OpenLoan) {
        let (gathering, faults) = (replace(&mut self.gathering, ptr::null_mut()), reports.table());
        // SAFETY: the rows are as the ABI wants them and live for the call. The gathering is open, and is not used again.
        let lent = unsafe { (self.gather.end)(gathering, rows, &raw const faults) };
        let loan = OpenLoan { loan: Lent { loan: lent.loan, table: self.objects }, loans: Arc::clone(&self.loans) };
        (HeldRows { held: lent.held, owner: self.owner }, loan)
    }
}

impl Drop for Piece {
    /// What nobody took: a later message ended the run, or the lane unwinds.
    fn drop(&mut self) {
        if !self.gathering.is_null() {
            let (rows, loan) = self.ended(&NO_ROWS, &mut Reports::default());
            drop(rows);
            drop(loan);
        }
    }
}

const NO_ROWS: Rows = Rows {
    len: 0,
    payloads: ptr::null(),
    stream: NONE,
    partitions: ptr::null(),
    offsets: ptr::null(),
    timestamps: ptr::null(),
    keys: ptr::null(),
    headers: ptr::null(),
    header_ends: ptr::null(),
};

/// What rows of a module borrow from. Dropped after them, it waits to be given back.
#[derive(Debug)]
pub(super) struct OpenLoan {
    loan: Lent,
    loans: Arc<Loans>,
}

impl Drop for OpenLoan {
    fn drop(&mut self) {
        self.loans.waiting().push(self.loan);
    }
}

#[derive(Clone, Copy, Debug)]
struct Lent {
    loan: *mut abi::Loan,
    table: &'static ObjectTable,
}

// SAFETY: a loan belongs to nobody until it is given back, by any thread that is attached.
unsafe impl Send for Lent {}

/// Loans that wait until their lane is attached to the other language again.
#[derive(Debug)]
pub struct Loans {
    waiting: Mutex<Vec<Lent>>,
    /// Calls what it is given while attached, if the other language's runtime is still there.
    attached: fn(&mut dyn FnMut()),
}

impl Loans {
    /// No loans yet. Those that are left in the end are given back by way of `attached`.
    pub fn new(attached: fn(&mut dyn FnMut())) -> Arc<Self> {
        Arc::new(Self { waiting: Mutex::default(), attached })
    }

    /// Gives back those that wait.
    ///
    /// # Safety
    ///
    /// This thread is attached to the language that the loans are of.
    pub unsafe fn give_back(&self) {
        let waiting = take(&mut *self.waiting());
        for Lent { loan, table } in waiting {
            // SAFETY: it came from the same table, its rows are gone, and this thread is attached.
            unsafe { (table.give_back)(loan) };
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Lent>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Loans {
    fn drop(&mut self) {
        if !self.waiting().is_empty() {
            let attached = self.attached;
            // SAFETY: it is called while attached.
            attached(&mut || unsafe { self.give_back() });
        }
    }
}
