//! The C ABI between a user's extension module and the runtime.
//!
//! A module hands the runtime one [`ModuleTable`] in a capsule named [`CAPSULE`]. From it the runtime reaches the tables of
//! its types and functions. Nothing but `#[repr(C)]` data and plain function pointers crosses, so the two sides may be
//! built with different compilers, and each side frees what it allocated:
//!
//! ```text
//! runtime                         module
//!    | decode(codec, rows) -------> |  borrows the payloads, gives an opaque handle
//!    | apply(handle) -------------> |  consumes the handle, gives the next one; as often as functions are fused
//!    | encode(codec, handle) -----> |  consumes the handle, gives rows of bytes that the module owns
//!    | release(encoded) ----------> |  frees them
//!    | free(handle) --------------> |  instead of the next call, when the run is abandoned
//! ```
//!
//! Where payloads are Python objects, a type may have an [`ObjectTable`], which reads rows of them in place of `decode` and
//! makes them in place of `encode`, with no text in between:
//!
//! ```text
//! runtime                         module
//!    | read(objects) -------------> |  gives an opaque handle, and a loan: references to what its rows borrow from
//!    | apply(handle) -------------> |  as above
//!    | write(handle) -------------> |  gives objects that the module owns; the handle stays
//!    | release(written) ----------> |  gives up its references to them
//!    | free(handle) --------------> |
//!    | give_back(loan) -----------> |  gives up its references to what was read
//! ```
//!
//! Objects that come one by one, as the steps of a pipeline give them, are read each at its time and become rows together
//! ([`GatherTable`]):
//!
//! ```text
//! runtime                         module
//!    | begin() -------------------> |  gives a gathering
//!    | add(object) ---------------> |  reads it, or says that it wants its bytes
//!    | add_bytes(bytes) ----------> |  keeps a copy of them
//!    | end(rows) -----------------> |  consumes the gathering, gives a handle and a loan
//! ```
//!
//! The other way round, objects are made one by one of rows that wait, each when a thread that holds the interpreter has use for it
//! ([`OfferTable`]):
//!
//! ```text
//! runtime                         module
//!    | open(handle) --------------> |  consumes the handle, gives an offer: which rows there are, and their changes
//!    | make(output) --------------> |  gives an object, which is the runtime's, or says that it gives bytes only
//!    | bytes(output) -------------> |  gives them
//!    | close() -------------------> |  frees the rows
//! ```
//!
//! What a handle holds may borrow from the payloads that it was decoded from, and so may every handle that is made of it: the
//! runtime keeps the payloads until the last of them is encoded, closed or freed. Everything else in [`Rows`] is borrowed for the call.
//!
//! A row that fails never fails its neighbours: it is reported through [`Faults`] and leaves the handle. What a module records
//! goes to the runtime through a table of the runtime's own: [`host`].
//!
//! # Versions
//!
//! A change of meaning raises [`MAJOR`]; two sides of different majors refuse each other. Entries are only appended, which raises
//! [`MINOR`], and a side [reads](read) of the other's structs what both know. So a runtime takes modules from [`OLDEST_MINOR`] on,
//! and newer ones than itself, but for those that say in [`ModuleTable::needs`] that they need more than it has.

mod growth;
pub mod host;
mod objects;

pub use growth::{Absent, Grows, read};
pub use objects::{GatherTable, Gathering, Lent, Loan, Object, ObjectTable, Offer, OfferTable, Written};

use std::ffi::c_void;

/// First field of every module table: the letters `oxflow` and two zero bytes, read as a little-endian number.
pub const MAGIC: u64 = u64::from_le_bytes(*b"oxflow\0\0");
/// Raised when the meaning of an entry changes.
pub const MAJOR: u32 = 0;
/// Raised when entries are appended.
pub const MINOR: u32 = 6;
/// The first minor version that promised something: modules of an earlier one aren't read.
pub const OLDEST_MINOR: u32 = 4;
/// [`MINOR`] of the oldest runtime that does all that a module of this SDK relies on. Raised when a module would be wrong, and not
/// merely poorer, without an entry of the runtime's or without the runtime's calling an entry of its own.
pub const NEEDS: u32 = 4;
/// Name of the capsule that carries the [`ModuleTable`].
pub const CAPSULE: &std::ffi::CStr = c"oxflow.module.v0";
/// Attribute of the extension module that holds the capsule.
pub const ATTRIBUTE: &str = "__oxflow__";
/// Attribute of an extension module that holds its own pipeline, in YAML, if it has one.
pub const PIPELINE_ATTRIBUTE: &str = "__oxflow_pipeline__";

/// Borrowed bytes. `data` is null where there is no value (no key); an empty value has a non-null `data`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Bytes {
    /// First byte, or null for "none".
    pub data: *const u8,
    /// Length in bytes.
    pub len: usize,
}

/// One header of a message.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// Name, UTF-8.
    pub name: Bytes,
    /// Value, any bytes.
    pub value: Bytes,
}

/// Messages on their way into a module. What `payloads` point to is borrowed until the handle made of it, and all that was made
/// of that, is given up; every other pointer is borrowed for the call. Arrays have `len` entries.
#[repr(C)]
#[derive(Debug)]
pub struct Rows {
    /// Number of messages.
    pub len: usize,
    /// Payload of each message.
    pub payloads: *const Bytes,
    /// Name of the source stream, UTF-8.
    pub stream: Bytes,
    /// Partition of each message.
    pub partitions: *const u32,
    /// Offset of each message in its partition.
    pub offsets: *const i64,
    /// Microseconds since 1970-01-01 UTC of each message.
    pub timestamps: *const i64,
    /// Key of each message; null where no message has one.
    pub keys: *const Bytes,
    /// All headers of all messages, in order; null where no message has one.
    pub headers: *const Header,
    /// For each message the end of its headers in `headers`; null where no message has one.
    pub header_ends: *const u32,
}

/// Rows of one Rust type, owned by the module. Opaque to the runtime.
#[repr(C)]
#[derive(Debug)]
pub struct Handle {
    private: [u8; 0],
}

/// A function with what it was constructed with, owned by the module. Null for a function that isn't constructed.
#[repr(C)]
#[derive(Debug)]
pub struct Instance {
    private: [u8; 0],
}

/// A handle and the number of rows in it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// The rows; never null.
    pub handle: *mut Handle,
    /// How many they are.
    pub len: usize,
}

/// A message whose key, headers or timestamp a function changed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// Index of the output row.
    pub output: u32,
    /// The new number of headers.
    pub headers_len: u32,
    /// The new headers, all of them.
    pub headers: *const Header,
    /// The new key; null `data` for none.
    pub key: Bytes,
    /// The new timestamp, microseconds since 1970-01-01 UTC.
    pub timestamp: i64,
}

/// Messages on their way out of a module, owned by it until `release`.
#[repr(C)]
#[derive(Debug)]
pub struct Encoded {
    /// Number of output rows.
    pub len: usize,
    /// For each output the index of the row of [`Rows`] that it came from; ascending.
    pub rows: *const u32,
    /// For each output the end of its payload in `data`.
    pub ends: *const usize,
    /// All payloads, one after the other.
    pub data: *const u8,
    /// Length of `data` in bytes.
    pub data_len: usize,
    /// Outputs whose metadata changed, ascending by `output`.
    pub changes: *const Change,
    /// Number of changes.
    pub changes_len: usize,
}

/// Why a row left the run.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The payload could not be decoded into the function's input type.
    Undecodable = 1,
    /// The function returned an error.
    Error = 2,
    /// The function panicked.
    Panic = 3,
    /// The result could not be encoded.
    Unencodable = 4,
}

/// One row that failed. Borrowed for the call of [`Faults::report`].
#[repr(C)]
#[derive(Debug)]
pub struct Fault {
    /// Size of this struct in bytes, as the module knows it.
    pub size: usize,
    /// Index of the row of [`Rows`].
    pub row: u32,
    /// A [`Status`]; a number, since a newer module may know more of them.
    pub status: u32,
    /// Name of the error's type, UTF-8.
    pub class: Bytes,
    /// What went wrong, UTF-8.
    pub text: Bytes,
    /// Place and backtrace where there is one, UTF-8; null `data` for none.
    pub detail: Bytes,
    /// What the error itself wants done.
    pub wish: Wish,
}

/// What an error wants done with its message, in place of what the step's configuration says.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// A [`Policy`], or 0 for none; a number, since a newer module may know more of them.
    pub policy: u32,
    /// For [`Policy::Retry`]: how often the message is given to the function again at most.
    pub times: u32,
    /// For [`Policy::Retry`]: milliseconds before the first of these calls; each further one waits twice as long.
    pub backoff_ms: u64,
    /// For [`Policy::Retry`]: what is done when all of them failed; never `Retry`.
    pub then: u32,
}

/// What is done with a message that failed.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// The pipeline ends.
    Fail = 1,
    /// The message is left out.
    Skip = 2,
    /// The message is written to the dead letters.
    DeadLetter = 3,
    /// The function is called again.
    Retry = 4,
}

/// Where a module reports failed rows.
#[repr(C)]
#[derive(Debug)]
pub struct Faults {
    /// Handed back with each report.
    pub context: *mut c_void,
    /// Takes one failed row; copies what it keeps; never unwinds.
    pub report: unsafe extern "C" fn(context: *mut c_void, fault: *const Fault),
}

/// How a type's bytes read.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// One JSON value.
    Json = 1,
    /// The payload as it is.
    Bytes = 2,
    /// One value in msgpack: structs are maps by field name.
    MsgPack = 3,
    /// One message of protobuf.
    Protobuf = 4,
}

impl Codec {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Json, Self::Bytes, Self::MsgPack, Self::Protobuf];

    /// Its bit in a set of codecs.
    pub const fn bit(self) -> u32 {
        1 << self as u32
    }

    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Bytes => "raw bytes",
            Self::MsgPack => "msgpack",
            Self::Protobuf => "protobuf",
        }
    }

    /// The codec with this number, if this version knows it.
    pub fn of(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| *codec as u32 == number)
    }
}

/// One payload type of a module.
#[repr(C)]
#[derive(Debug)]
pub struct TypeTable {
    /// Size of this struct in bytes, as the module knows it.
    pub size: usize,
    /// Identity of the library: the address of a static in it.
    pub library: *const c_void,
    /// Identity of the Rust type inside the library. Handles may pass between two functions only if library and key agree.
    pub key: u64,
    /// Hash of the field list: types of equal fields have equal hashes, in all modules. 0 for a type without one.
    pub hash: u64,
    /// The [`Codec`] of its payloads between steps; a number, since a newer module may know more of them.
    pub codec: u32,
    /// 1 if the module shows this type to Python as a class.
    pub public: u32,
    /// Name of the type, UTF-8.
    pub name: Bytes,
    /// Its documentation, UTF-8, may be empty.
    pub doc: Bytes,
    /// Its shape: the JSON form of `oxflow::shape::Type`.
    pub shape: Bytes,
    /// Decodes rows of a codec among `codecs`; borrows `faults` for the call and `rows` as [`Rows`] says.
    pub decode: unsafe extern "C" fn(codec: u32, rows: *const Rows, faults: *const Faults) -> Held,
    /// Encodes a handle in a codec among `codecs`, and consumes it.
    pub encode: unsafe extern "C" fn(codec: u32, handle: *mut Handle, faults: *const Faults) -> *mut Encoded,
    /// Frees a handle.
    pub free: unsafe extern "C" fn(handle: *mut Handle),
    /// Frees what `encode` gave.
    pub release: unsafe extern "C" fn(encoded: *mut Encoded),
    /// How many fields `decode` dropped on this thread, because no type names them, since it was last asked.
    pub take_unknown: unsafe extern "C" fn() -> u64,
    /// How its payloads become Python objects and back. Null where they do so by way of their bytes only.
    pub objects: *const ObjectTable,
    /// The [`Codec`]s that it is decoded from and encoded to: bit `1 << codec` of each.
    pub codecs: u32,
    /// Those that would be among `codecs` if its module had been built with the features of their names.
    pub absent: u32,
}

/// How a function shows itself in the Python module.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A class to instantiate: `rust_function!`.
    Class = 1,
    /// An object used as it is: `#[oxflow::function]`.
    Object = 2,
}

/// How many outputs a function gives for a message.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Exactly one.
    Map = 1,
    /// One `bool`, which may also select.
    Filter = 2,
    /// None or one.
    FilterMap = 3,
    /// Any number.
    FlatMap = 4,
}

/// Runs a function over a handle, which it consumes. `instance` is what `create` gave, or null where there is no `create`.
pub type Apply = unsafe extern "C" fn(instance: *const Instance, handle: *mut Handle, faults: *const Faults) -> Held;

/// One function of a module.
#[repr(C)]
#[derive(Debug)]
pub struct FunctionTable {
    /// Size of this struct in bytes, as the module knows it.
    pub size: usize,
    /// A [`Form`].
    pub form: u32,
    /// A [`Kind`].
    pub kind: u32,
    /// Name in the Python module, UTF-8.
    pub name: Bytes,
    /// Its documentation, UTF-8, may be empty.
    pub doc: Bytes,
    /// Type of the payload that it takes.
    pub input: *const TypeTable,
    /// Type of the payload that it gives.
    pub output: *const TypeTable,
    /// Gives a handle of the output type.
    pub apply: Apply,
    /// Keeps the rows for which a [`Kind::Filter`] says true, a handle of the *input* type. Absent for other kinds, and
    /// where the filter takes its message by value and the payload isn't `Clone`.
    pub select: Option<Apply>,
    /// What [`create`](Self::create) takes: the JSON form of a list of `oxflow::shape::Field`s.
    pub parameters: Bytes,
    /// Makes an instance of arguments: a JSON object. Null if it can't, which is then reported as a fault of row 0. Absent for
    /// a function that isn't constructed.
    pub create: Option<unsafe extern "C" fn(arguments: Bytes, faults: *const Faults) -> *mut Instance>,
    /// Frees an instance. Absent where `create` is.
    pub destroy: Option<unsafe extern "C" fn(instance: *mut Instance)>,
    /// 1 if a call changes the instance, so that each lane wants one of its own.
    pub stateful: u32,
    /// The [`Policy`]s that its errors may wish for: bit `1 << policy` of each.
    pub wishes: u32,
}

/// All that a module offers. Lives as long as the process: modules are never unloaded.
#[repr(C)]
#[derive(Debug)]
pub struct ModuleTable {
    /// [`MAGIC`].
    pub magic: u64,
    /// [`MAJOR`] of the SDK that the module was built with.
    pub major: u32,
    /// [`MINOR`] of that SDK.
    pub minor: u32,
    /// Size of this struct in bytes, as the module knows it.
    pub size: usize,
    /// 1 if the module was built without optimisation.
    pub debug: u32,
    /// Number of types.
    pub types_len: u32,
    /// Number of functions.
    pub functions_len: u32,
    /// Version of the SDK, UTF-8.
    pub sdk: Bytes,
    /// The types.
    pub types: *const *const TypeTable,
    /// The functions.
    pub functions: *const *const FunctionTable,
    /// Takes the runtime's own table.
    pub attach: host::Attach,
    /// [`NEEDS`] of that SDK.
    pub needs: u32,
    /// Zero.
    pub unused: u32,
}
