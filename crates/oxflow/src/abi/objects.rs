//! Payloads as Python objects.

use super::{Bytes, Change, Faults, Handle, Held, Rows};

/// A Python object: what `PyObject` is in the C ABI of `CPython` itself. Opaque here, since the SDK can be built without Python.
#[repr(C)]
#[derive(Debug)]
pub struct Object {
    private: [u8; 0],
}

/// References to Python objects that rows borrow from, owned by the module. Opaque to the runtime.
#[repr(C)]
#[derive(Debug)]
pub struct Loan {
    private: [u8; 0],
}

/// Rows that were read from Python objects.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Lent {
    /// The rows; a null handle where one of the objects has to be read by way of its bytes. Whatever faults were reported are
    /// then to be forgotten.
    pub held: Held,
    /// What they borrow from; null where the handle is.
    pub loan: *mut Loan,
}

/// Messages on their way out of a module as Python objects, owned by it until `release`.
#[repr(C)]
#[derive(Debug)]
pub struct Written {
    /// Number of output rows.
    pub len: usize,
    /// For each output the index of the row of [`Rows`] that it came from; ascending.
    pub rows: *const u32,
    /// For each output its payload.
    pub objects: *const *mut Object,
    /// Outputs whose metadata changed, ascending by `output`. They borrow from the handle.
    pub changes: *const Change,
    /// Number of changes.
    pub changes_len: usize,
}

/// How the payloads of a type become Python objects and back, with no text in between. Its entries are called by a thread that
/// holds the interpreter.
#[repr(C)]
#[derive(Debug)]
pub struct ObjectTable {
    /// Size of this struct in bytes, as the module knows it.
    pub size: usize,
    /// Reads an object for each row; borrows `faults` and `rows` as `decode` does, whose payloads may be null. The objects are
    /// borrowed for the call: what is used beyond it is in the loan.
    pub read: unsafe extern "C" fn(rows: *const Rows, objects: *const *mut Object, faults: *const Faults) -> Lent,
    /// Gives up a loan, after the handle that came with it and all that was made of that.
    pub give_back: unsafe extern "C" fn(loan: *mut Loan),
    /// Makes objects of the rows of a handle, which it borrows. Null where one of them has to be made by way of its bytes.
    pub write: unsafe extern "C" fn(handle: *const Handle) -> *mut Written,
    /// Frees what `write` gave, before the handle.
    pub release: unsafe extern "C" fn(written: *mut Written),
    /// How objects that come one by one become rows together. Absent before minor 5.
    pub gather: *const GatherTable,
    /// How rows become objects one by one. Absent before minor 6.
    pub offer: *const OfferTable,
}

/// Objects that were read, and bytes of others, that are not rows yet. Owned by the module, opaque to the runtime.
#[repr(C)]
#[derive(Debug)]
pub struct Gathering {
    private: [u8; 0],
}

/// How objects that come one by one become rows together. Each is read when it comes: nothing that happens to it later is seen.
#[repr(C)]
#[derive(Debug)]
pub struct GatherTable {
    /// Size of this struct in bytes, as the module knows it.
    pub size: usize,
    /// Begins a gathering of about so many objects.
    pub begin: unsafe extern "C" fn(expected: usize) -> *mut Gathering,
    /// Reads an object, borrowed for the call, by a thread that holds the interpreter. 0 where it has to come as its bytes.
    pub add: unsafe extern "C" fn(gathering: *mut Gathering, object: *mut Object) -> u32,
    /// Copies the bytes of a payload in the codec between steps. They are decoded by `end`.
    pub add_bytes: unsafe extern "C" fn(gathering: *mut Gathering, bytes: Bytes),
    /// Makes rows of the first of what was added, as many as `rows` has, and consumes the gathering. Borrows `faults` and `rows` as
    /// `decode` does, whose payloads may be null. Never null, and no thread needs to hold the interpreter.
    pub end: unsafe extern "C" fn(gathering: *mut Gathering, rows: *const Rows, faults: *const Faults) -> Lent,
}

/// Rows of which objects are made one by one. Owned by the module until `close`.
#[repr(C)]
#[derive(Debug)]
pub struct Offer {
    /// Number of output rows.
    pub len: usize,
    /// For each output the index of the row of [`Rows`] that it came from; ascending.
    pub rows: *const u32,
    /// Outputs whose metadata changed, ascending by `output`.
    pub changes: *const Change,
    /// Number of changes.
    pub changes_len: usize,
}

/// How rows become objects one by one, each when somebody is there to take it.
#[repr(C)]
#[derive(Debug)]
pub struct OfferTable {
    /// Size of this struct in bytes, as the module knows it.
    pub size: usize,
    /// Makes an offer of a handle, and consumes it. What the rows borrow from is kept until `close`.
    pub open: unsafe extern "C" fn(handle: *mut Handle) -> *mut Offer,
    /// Makes the object of an output: a reference that is the runtime's from then on. Null where it has to be made by way of its
    /// bytes. Called by a thread that holds the interpreter.
    pub make: unsafe extern "C" fn(offer: *mut Offer, output: usize) -> *mut Object,
    /// The bytes of an output in the codec between steps, borrowed until the next call. Null where they can't be made, which is
    /// reported as a fault of row `output`. No thread needs to hold the interpreter.
    pub bytes: unsafe extern "C" fn(offer: *mut Offer, output: usize, faults: *const Faults) -> Bytes,
    /// Frees an offer and its rows. No thread needs to hold the interpreter.
    pub close: unsafe extern "C" fn(offer: *mut Offer),
}
