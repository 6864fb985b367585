//! The entries of the table that modules call.
#![allow(unsafe_code)]

use std::borrow::Cow;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicPtr;
use std::time::{Instant, SystemTime};

use oxflow::abi::host::{
    self, CURRENT, CurrentSpan, Entry, Field, FieldKind, HostApi, InstrumentKind, ROOT, TraceContext,
};
use oxflow::abi::{self, Bytes};

use super::held;
use super::instruments::{self, Instrument};
use super::process::process;
use super::record::{FIELDS, Fields, Record, Site, Text, Value, shortened};
use super::scope::{self, Here, Parent};
use super::span::Span;
use crate::extension::borrow;
use crate::telemetry::{Amount, Begun, Measured};

/// The module that a table was made for. Lives as long as the process.
#[derive(Debug)]
struct Source {
    name: String,
}

/// A table for the module `name`. It is never freed, as the module isn't.
pub(super) fn table(name: &str) -> &'static HostApi {
    let source: &'static Source = Box::leak(Box::new(Source { name: name.to_owned() }));
    Box::leak(Box::new(HostApi {
        size: size_of::<HostApi>(),
        major: abi::MAJOR,
        minor: abi::MINOR,
        context: std::ptr::from_ref(source).cast(),
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
    }))
}

/// Panics never cross the border.
fn contained<R>(otherwise: R, body: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(otherwise)
}

unsafe extern "C" fn max_level(_: *const c_void, kind: u32) -> u32 {
    contained(0, || process().levels().most(kind))
}

unsafe extern "C" fn enabled(_: *const c_void, kind: u32, level: u32, target: Bytes) -> u32 {
    // SAFETY: the module lends the target for the call.
    contained(0, || u32::from(process().levels().wants(kind, level, &unsafe { text(target) })))
}

unsafe extern "C" fn log(_: *const c_void, entry: *const Entry, parent: u64) {
    contained((), || {
        // SAFETY: the module lends the entry for the call.
        let (entry, parent) = (unsafe { abi::read(entry) }, parent_of(parent));
        let Some(entry) = entry else { return };
        let Here { recorder, step, lane, trace_id, span, span_id, parent_id, export, .. } = scope::here(parent);
        let record = Record {
            time: SystemTime::now(),
            // SAFETY: as above.
            site: unsafe { site(&entry) },
            // SAFETY: as above.
            message: shortened(&unsafe { text(entry.message) }),
            // SAFETY: as above.
            fields: unsafe { fields(entry.fields, entry.fields_len, entry.lasting != 0) },
            step: recorder.step(step),
            lane,
            thread: if lane.is_none() { std::thread::current().name().map(str::to_owned) } else { None },
            span: span.as_ref().map(|span| span.name()),
            span_fields: span.map(|span| span.fields()).unwrap_or_default(),
            trace_id,
            span_id,
            parent_id,
            is_exported: export.is_some(),
        };
        if let Some(export) = export {
            export.log(&record);
        }
        recorder.push(step, record);
    });
}

unsafe extern "C" fn span_new(context: *const c_void, entry: *const Entry, parent: u64, tag: *const c_void) -> u64 {
    contained(ROOT, || {
        // SAFETY: the module lends the entry for the call.
        let (entry, parent) = (unsafe { abi::read(entry) }, parent_of(parent));
        let Some(entry) = entry else { return ROOT };
        let Here { recorder, shard, step, trace_id, span_id, export, .. } = scope::here(parent);
        // SAFETY: as above.
        let (site, fields) = unsafe { (site(&entry), fields(entry.fields, entry.fields_len, entry.lasting != 0)) };
        let export = export.map(|export| export.span(&begun(&site, recorder.step(step).as_deref(), &fields)));
        let new_trace = || (u128::from(scope::identity()) << 64) | u128::from(scope::identity());
        let made_up = || (if trace_id == 0 { new_trace() } else { trace_id }, scope::identity());
        let (trace_id, id) = export.as_ref().and_then(|export| export.identity()).unwrap_or_else(made_up);
        let span = Span {
            number: held::next(),
            site,
            source: context.addr(),
            tag: AtomicPtr::new(tag.cast_mut().cast()),
            recorder,
            shard,
            step,
            trace_id,
            id,
            parent_id: span_id,
            started: Instant::now(),
            fields: fields.into(),
            export,
        };
        held::hold(span)
    })
}

unsafe extern "C" fn span_record(_: *const c_void, span: u64, values: *const Field, len: usize) {
    contained((), || {
        if let Some(span) = held::get(span) {
            // SAFETY: the module lends the fields for the call.
            span.record(unsafe { fields(values, len, false) });
        }
    });
}

unsafe extern "C" fn span_enter(_: *const c_void, span: u64) {
    contained((), || held::get(span).into_iter().for_each(scope::enter));
}

unsafe extern "C" fn span_exit(_: *const c_void, span: u64) {
    contained((), || scope::exit(span));
}

unsafe extern "C" fn span_clone(_: *const c_void, span: u64) {
    contained((), || held::share(span));
}

unsafe extern "C" fn span_close(_: *const c_void, span: u64) -> u32 {
    contained(0, || u32::from(held::give_up(span)))
}

unsafe extern "C" fn span_current(context: *const c_void) -> CurrentSpan {
    let none = CurrentSpan { span: CURRENT, tag: std::ptr::null() };
    contained(none, || {
        let current = scope::current(context.addr());
        // The thread has it, too, so it stays.
        current.map_or(none, |span| CurrentSpan { span: span.number, tag: span.tag().cast() })
    })
}

unsafe extern "C" fn trace(_: *const c_void) -> TraceContext {
    contained(TraceContext { trace_id: [0; 16], span_id: [0; 8] }, || {
        let here = scope::here(Parent::Current);
        TraceContext { trace_id: here.trace_id.to_be_bytes(), span_id: here.span_id.to_be_bytes() }
    })
}

unsafe extern "C" fn instrument(context: *const c_void, instrument: *const host::Instrument) -> u32 {
    contained(host::REFUSED, || {
        // SAFETY: the context is what `table` put there; the instrument is lent for the call, its texts for good.
        let (source, instrument) = unsafe { (&*context.cast::<Source>(), abi::read(instrument)) };
        let Some(instrument) = instrument else { return host::REFUSED };
        // SAFETY: as above.
        let [name, doc] = [instrument.name, instrument.doc].map(|text| unsafe { lasting(text) });
        Instrument { module: &source.name, name, doc, kind: instrument.kind }.number()
    })
}

unsafe extern "C" fn measure(_: *const c_void, instrument: u32, bits: u64, attributes: *const Field, len: usize) {
    contained((), || {
        // SAFETY: the module lends the attributes for the call.
        let attributes = unsafe { array(attributes, len) };
        // SAFETY: as above.
        let piece = |bytes| std::str::from_utf8(unsafe { borrow(bytes) }.unwrap_or_default()).unwrap_or_default();
        let pairs = attributes.iter().map(|field| (piece(field.name), piece(field.text)));
        scope::measure(
            |shard| shard.measure(instrument, bits, pairs.clone()),
            |export| {
                let pairs: Vec<_> = pairs.clone().collect();
                if let Some(measured) = measured(instrument, bits, &pairs) {
                    export.measure(&measured);
                }
            },
        );
    });
}

fn begun<'a>(site: &'a Site, step: Option<&'a str>, fields: &'a Fields) -> Begun<'a> {
    let place = site.file.as_deref().map(|file| (file, site.line));
    Begun { name: &site.name, target: &site.target, place, step, fields }
}

/// None if there is no such instrument.
fn measured<'a>(number: u32, bits: u64, attributes: &'a [(&'a str, &'a str)]) -> Option<Measured<'a>> {
    let known = instruments::instrument(number)?;
    let amount = match known.kind {
        kind if kind == InstrumentKind::Counter as u32 => Amount::Count(bits),
        kind if kind == InstrumentKind::Gauge as u32 => Amount::Level(f64::from_bits(bits)),
        _ => Amount::Sample(f64::from_bits(bits)),
    };
    Some(Measured { number, module: known.module, name: known.name, doc: known.doc, amount, attributes })
}

fn parent_of(parent: u64) -> Parent {
    match parent {
        ROOT => Parent::Root,
        CURRENT => Parent::Current,
        span => held::get(span).map_or(Parent::Current, Parent::Span),
    }
}

/// # Safety
///
/// The entry is what the ABI says.
unsafe fn site(entry: &Entry) -> Site {
    let piece = |bytes: Bytes| -> Text {
        // SAFETY: the caller's promise, for the call or for good.
        unsafe { if entry.lasting != 0 { Cow::Borrowed(lasting(bytes)) } else { Cow::Owned(text(bytes).into_owned()) } }
    };
    let optional = |bytes: Bytes| (!bytes.data.is_null()).then(|| piece(bytes));
    Site {
        level: entry.level,
        name: piece(entry.name),
        target: piece(entry.target),
        module: optional(entry.module),
        file: optional(entry.file),
        line: entry.line,
    }
}

/// # Safety
///
/// There are `len` fields, lent for the call; their names for good if `names_last`.
unsafe fn fields(fields: *const Field, len: usize, names_last: bool) -> Fields {
    // SAFETY: the caller's promise.
    let fields = unsafe { array(fields, len) };
    let value = |field: &Field| match field.kind {
        kind if kind == FieldKind::Bool as u32 => Value::Bool(field.bits != 0),
        kind if kind == FieldKind::Signed as u32 => Value::Signed(field.bits.cast_signed()),
        kind if kind == FieldKind::Unsigned as u32 => Value::Unsigned(field.bits),
        kind if kind == FieldKind::Float as u32 => Value::Float(f64::from_bits(field.bits)),
        // SAFETY: the caller's promise.
        _ => Value::Text(shortened(&unsafe { text(field.text) })),
    };
    // SAFETY: the caller's promise.
    let name = |field: &Field| unsafe {
        if names_last { Cow::Borrowed(lasting(field.name)) } else { Cow::Owned(text(field.name).into_owned()) }
    };
    fields.iter().take(FIELDS).map(|field| (name(field), value(field))).collect()
}

/// # Safety
///
/// There are `len` items, lent for `'a`.
unsafe fn array<'a, T>(items: *const T, len: usize) -> &'a [T] {
    // SAFETY: the caller says so.
    if len == 0 { &[] } else { unsafe { std::slice::from_raw_parts(items, len) } }
}

/// # Safety
///
/// The bytes are lent for `'a`.
unsafe fn text<'a>(bytes: Bytes) -> Cow<'a, str> {
    // SAFETY: the caller's promise.
    String::from_utf8_lossy(unsafe { borrow(bytes) }.unwrap_or_default())
}

/// # Safety
///
/// The bytes are lent for good.
unsafe fn lasting(bytes: Bytes) -> &'static str {
    // SAFETY: the caller's promise.
    std::str::from_utf8(unsafe { borrow(bytes) }.unwrap_or_default()).unwrap_or_default()
}
