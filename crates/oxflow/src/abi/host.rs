//! What the runtime gives a module: where its log records, its spans and its measurements go.
//!
//! Each library has statics of its own for `log`, `tracing` and the like, so nothing that is recorded in one reaches another.
//! The runtime hands each module one [`HostApi`] through [`ModuleTable::attach`](super::ModuleTable); the SDK sends there
//! whatever is recorded in the module. Every entry may be called on any thread and at any time, also outside of a call of a
//! function. It copies what it keeps, waits for nobody, and never unwinds.

use super::Bytes;
use std::ffi::c_void;

/// How important a record is.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something failed.
    Error = 1,
    /// Something is wrong, and work goes on.
    Warn = 2,
    /// Something worth knowing happened.
    Info = 3,
    /// For who looks for a fault.
    Debug = 4,
    /// Everything.
    Trace = 5,
}

/// What is recorded at a place.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// A moment: a log record.
    Event = 1,
    /// A stretch of time.
    Span = 2,
}

/// How the value of a [`Field`] reads.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// `text`.
    Text = 1,
    /// `bits`, 0 or 1.
    Bool = 2,
    /// `bits`, an `i64`.
    Signed = 3,
    /// `bits`, a `u64`.
    Unsigned = 4,
    /// `bits`, those of an `f64`.
    Float = 5,
}

/// A named value.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name, UTF-8.
    pub name: Bytes,
    /// A [`FieldKind`]; a number, since a newer module may know more of them.
    pub kind: u32,
    /// The value, where it is no text.
    pub bits: u64,
    /// The value where it is text, UTF-8.
    pub text: Bytes,
}

/// A log record, or a span that begins. Borrowed for the call.
#[repr(C)]
#[derive(Debug)]
pub struct Entry {
    /// Size of this struct in bytes, as the module knows it.
    pub size: usize,
    /// A [`Level`].
    pub level: u32,
    /// 1 if `name`, `target`, `module`, `file` and the names of the fields live as long as the process: they aren't copied.
    pub lasting: u32,
    /// The line, or 0.
    pub line: u32,
    /// Name of the span, UTF-8.
    pub name: Bytes,
    /// What it is about, `my_steps::parser`, UTF-8.
    pub target: Bytes,
    /// The Rust module, UTF-8; null `data` for none.
    pub module: Bytes,
    /// The file, UTF-8; null `data` for none.
    pub file: Bytes,
    /// The text of a log record, UTF-8; null `data` for none.
    pub message: Bytes,
    /// Number of fields.
    pub fields_len: usize,
    /// The fields.
    pub fields: *const Field,
}

/// In place of a span: the one that the thread is in.
pub const CURRENT: u64 = 0;
/// In place of a span: none, a trace of its own begins.
pub const ROOT: u64 = u64::MAX;

/// The span that a thread is in.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CurrentSpan {
    /// What `span_new` gave, or [`CURRENT`] for none.
    pub span: u64,
    /// What the module passed to `span_new`.
    pub tag: *const c_void,
}

/// Where in a trace a thread is; all zeros where nothing is traced.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// Identity of the trace.
    pub trace_id: [u8; 16],
    /// Identity of the span.
    pub span_id: [u8; 8],
}

/// What an [`Instrument`] measures.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstrumentKind {
    /// A sum of `u64`.
    Counter = 1,
    /// The last of some `f64`.
    Gauge = 2,
    /// How some `f64` are distributed.
    Histogram = 3,
}

/// Something that a module measures. Its texts live as long as the process.
#[repr(C)]
#[derive(Debug)]
pub struct Instrument {
    /// Size of this struct in bytes, as the module knows it.
    pub size: usize,
    /// An [`InstrumentKind`].
    pub kind: u32,
    /// Its name, UTF-8.
    pub name: Bytes,
    /// What it measures, UTF-8.
    pub doc: Bytes,
}

/// In place of an instrument: the runtime takes no more of them.
pub const REFUSED: u32 = 0;

/// The runtime, as a module sees it. Lives as long as the process; entries are only appended.
#[repr(C)]
#[derive(Debug)]
pub struct HostApi {
    /// Size of this struct in bytes, as the runtime knows it.
    pub size: usize,
    /// [`MAJOR`](super::MAJOR) of the runtime.
    pub major: u32,
    /// [`MINOR`](super::MINOR) of the runtime.
    pub minor: u32,
    /// Handed back with each call.
    pub context: *const c_void,
    /// The most verbose level of this kind ([`Recorded`]) that anyone wants to hear of, 0 for none.
    pub max_level: unsafe extern "C" fn(context: *const c_void, kind: u32) -> u32,
    /// 1 if someone wants to hear of this kind ([`Recorded`]) and level at this target. May be remembered until `attach` is
    /// called again.
    pub enabled: unsafe extern "C" fn(context: *const c_void, kind: u32, level: u32, target: Bytes) -> u32,
    /// Takes a log record in the span `parent`.
    pub log: unsafe extern "C" fn(context: *const c_void, entry: *const Entry, parent: u64),
    /// Begins a span in the span `parent`. `tag` comes back with `span_current`.
    pub span_new:
        unsafe extern "C" fn(context: *const c_void, entry: *const Entry, parent: u64, tag: *const c_void) -> u64,
    /// Adds fields to a span, or replaces those of the same name.
    pub span_record: unsafe extern "C" fn(context: *const c_void, span: u64, fields: *const Field, fields_len: usize),
    /// This thread goes into a span.
    pub span_enter: unsafe extern "C" fn(context: *const c_void, span: u64),
    /// This thread leaves a span.
    pub span_exit: unsafe extern "C" fn(context: *const c_void, span: u64),
    /// Someone else has the span, too: it must be closed once more.
    pub span_clone: unsafe extern "C" fn(context: *const c_void, span: u64),
    /// Gives a span up; 1 if nobody else has it, so that it has ended.
    pub span_close: unsafe extern "C" fn(context: *const c_void, span: u64) -> u32,
    /// The innermost span of this module that the thread is in.
    pub span_current: unsafe extern "C" fn(context: *const c_void) -> CurrentSpan,
    /// Where in a trace the thread is.
    pub trace: unsafe extern "C" fn(context: *const c_void) -> TraceContext,
    /// Gives the number under which something is measured, or [`REFUSED`].
    pub instrument: unsafe extern "C" fn(context: *const c_void, instrument: *const Instrument) -> u32,
    /// Takes a measurement: a `u64` of a counter, the bits of an `f64` of the others.
    pub measure: unsafe extern "C" fn(
        context: *const c_void,
        instrument: u32,
        bits: u64,
        attributes: *const Field,
        attributes_len: usize,
    ),
}

/// Takes the runtime's table, which is never freed. Called again when what `enabled` answers may have changed.
pub type Attach = unsafe extern "C" fn(host: *const HostApi);
