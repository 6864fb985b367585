//! A runtime that writes down what it is told, on the thread that tells it.

use oxflow::abi::host::{CurrentSpan, Entry, Field, FieldKind, HostApi, Instrument, TraceContext};
use oxflow::abi::{self, Bytes};
use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr;
use std::sync::Once;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};

/// The most verbose level that it wants to hear of.
pub(crate) static LEVEL: AtomicU32 = AtomicU32::new(5);

thread_local! {
    static HEARD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    /// The innermost span, and its tag.
    static CURRENT: Cell<(u64, *const c_void)> = const { Cell::new((0, ptr::null())) };
    static TAG: Cell<*const c_void> = const { Cell::new(ptr::null()) };
}

/// Hands the table to this library, as the engine does.
pub(crate) fn attach() {
    static TABLE: AtomicPtr<HostApi> = AtomicPtr::new(ptr::null_mut());
    static MADE: Once = Once::new();
    MADE.call_once(|| TABLE.store(Box::leak(Box::new(table())), Ordering::Release));
    // SAFETY: the table is never freed.
    unsafe { (oxflow::module_table().attach)(TABLE.load(Ordering::Acquire)) }
}

/// What this thread told since it was asked last.
pub(crate) fn heard() -> Vec<String> {
    HEARD.take()
}

fn hear(what: String) {
    HEARD.with_borrow_mut(|heard| heard.push(what));
}

fn table() -> HostApi {
    HostApi {
        size: size_of::<HostApi>(),
        major: abi::MAJOR,
        minor: abi::MINOR,
        context: ptr::without_provenance(42),
        max_level,
        enabled,
        log,
        span_new,
        span_record,
        span_enter,
        span_exit,
        span_clone,
        span_close,
        span_current,
        trace,
        instrument,
        measure,
    }
}

fn text(bytes: Bytes) -> String {
    if bytes.data.is_null() {
        return "-".to_owned();
    }
    // SAFETY: the module lends it for the call.
    String::from_utf8(unsafe { std::slice::from_raw_parts(bytes.data, bytes.len) }.to_vec()).expect("UTF-8")
}

fn fields(fields: *const Field, len: usize) -> String {
    // SAFETY: the module lends them for the call.
    let fields = if len == 0 { &[] } else { unsafe { std::slice::from_raw_parts(fields, len) } };
    let value = |field: &Field| match field.kind {
        kind if kind == FieldKind::Text as u32 => text(field.text),
        kind if kind == FieldKind::Bool as u32 => (field.bits != 0).to_string(),
        kind if kind == FieldKind::Signed as u32 => field.bits.cast_signed().to_string(),
        kind if kind == FieldKind::Unsigned as u32 => field.bits.to_string(),
        _ => f64::from_bits(field.bits).to_string(),
    };
    let pairs = fields.iter().map(|field| [text(field.name), value(field)].join("="));
    std::iter::once(String::new()).chain(pairs).collect::<Vec<_>>().join(" ")
}

unsafe extern "C" fn max_level(context: *const c_void, _: u32) -> u32 {
    assert_eq!(42, context.addr());
    LEVEL.load(Ordering::Relaxed)
}

unsafe extern "C" fn enabled(_: *const c_void, _: u32, level: u32, target: Bytes) -> u32 {
    u32::from(level <= LEVEL.load(Ordering::Relaxed) && text(target) != "deaf")
}

unsafe extern "C" fn log(_: *const c_void, entry: *const Entry, parent: u64) {
    // SAFETY: the module lends it for the call.
    let entry = unsafe { &*entry };
    assert_eq!(size_of::<Entry>(), entry.size);
    let (target, message) = (text(entry.target), text(entry.message));
    let fields = fields(entry.fields, entry.fields_len);
    hear(format!("log {} {target} in {}: {message}{fields}", entry.level, parent.cast_signed()));
}

unsafe extern "C" fn span_new(_: *const c_void, entry: *const Entry, parent: u64, tag: *const c_void) -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    // SAFETY: the module lends it for the call.
    let entry = unsafe { &*entry };
    assert_eq!(1, entry.lasting);
    let fields = fields(entry.fields, entry.fields_len);
    hear(format!("new {} in {}{fields}", text(entry.name), parent.cast_signed()));
    TAG.set(tag);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

unsafe extern "C" fn span_record(_: *const c_void, _: u64, values: *const Field, len: usize) {
    hear(format!("record{}", fields(values, len)));
}

unsafe extern "C" fn span_enter(_: *const c_void, span: u64) {
    CURRENT.set((span, TAG.get()));
    hear("enter".to_owned());
}

unsafe extern "C" fn span_exit(_: *const c_void, _: u64) {
    CURRENT.set((0, ptr::null()));
    hear("exit".to_owned());
}

unsafe extern "C" fn span_clone(_: *const c_void, _: u64) {
    hear("clone".to_owned());
}

unsafe extern "C" fn span_close(_: *const c_void, _: u64) -> u32 {
    hear("close".to_owned());
    1
}

unsafe extern "C" fn span_current(_: *const c_void) -> CurrentSpan {
    let (span, tag) = CURRENT.get();
    CurrentSpan { span, tag }
}

unsafe extern "C" fn trace(_: *const c_void) -> TraceContext {
    TraceContext { trace_id: 0xabc_u128.to_be_bytes(), span_id: 0xd_u64.to_be_bytes() }
}

unsafe extern "C" fn instrument(_: *const c_void, instrument: *const Instrument) -> u32 {
    // SAFETY: the module lends it for the call.
    let instrument = unsafe { &*instrument };
    let name = text(instrument.name);
    hear(format!("instrument {} {name}: {}", instrument.kind, text(instrument.doc)));
    if name == "refused" { abi::host::REFUSED } else { instrument.kind }
}

unsafe extern "C" fn measure(_: *const c_void, number: u32, bits: u64, attributes: *const Field, len: usize) {
    let value = if number == 1 { bits.to_string() } else { f64::from_bits(bits).to_string() };
    hear(format!("measure {number}: {value}{}", fields(attributes, len)));
}
