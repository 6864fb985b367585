//! Sends the spans and events of `tracing` to the runtime.
//!
//! The runtime's number of a span is its `Id`: nothing is kept here. Whether anyone listens to a place is asked once and
//! remembered by `tracing` itself, until the runtime says that it changed; so a place that nobody listens to costs a load.

use super::Host;
use super::draft::{Draft, Site};
use crate::abi::host::{CURRENT, FieldKind, ROOT, Recorded};
use std::fmt;
use std::num::NonZeroU64;
use std::ptr;
use tracing_core::field::{Field, Visit};
use tracing_core::metadata::LevelFilter;
use tracing_core::span::{Attributes, Current, Id, Record};
use tracing_core::{Dispatch, Event, Interest, Level, Metadata, Subscriber, callsite, dispatcher};

struct Forward(Host);

pub(super) fn install(host: Host) {
    if dispatcher::set_global_default(Dispatch::new(Forward(host))).is_err() {
        let text = "this extension has a subscriber of `tracing` of its own: its records stay there";
        let site = Site { level: 2, target: "oxflow::tracing", ..OWN };
        Draft::with(
            |draft| draft.message(&format_args!("{text}")),
            |draft| draft.entry(site, |entry| host.log(entry, CURRENT)),
        );
    }
}

const OWN: Site<'static> = Site {
    level: 2,
    lasting: true,
    name: "",
    target: "oxflow::tracing",
    module: None,
    file: Some(file!()),
    line: Some(line!()),
};

pub(super) fn refresh(_: Host) {
    callsite::rebuild_interest_cache();
}

fn number(level: Level) -> u32 {
    match level {
        Level::ERROR => 1,
        Level::WARN => 2,
        Level::INFO => 3,
        Level::DEBUG => 4,
        Level::TRACE => 5,
    }
}

fn site(metadata: &'static Metadata<'static>) -> Site<'static> {
    Site {
        level: number(*metadata.level()),
        lasting: true,
        name: metadata.name(),
        target: metadata.target(),
        module: metadata.module_path(),
        file: metadata.file(),
        line: metadata.line(),
    }
}

/// The span that something is in: a certain one, none, or the one that the thread is in.
fn within(parent: Option<&Id>, root: bool) -> u64 {
    parent.map_or(if root { ROOT } else { CURRENT }, Id::into_u64)
}

impl Subscriber for Forward {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.enabled(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let kind = if metadata.is_span() { Recorded::Span } else { Recorded::Event };
        self.0.enabled(kind, number(*metadata.level()), metadata.target())
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        let levels = [Recorded::Event, Recorded::Span].map(|kind| self.0.max_level(kind));
        Some(match levels.into_iter().max().unwrap_or(0) {
            0 => LevelFilter::OFF,
            1 => LevelFilter::ERROR,
            2 => LevelFilter::WARN,
            3 => LevelFilter::INFO,
            4 => LevelFilter::DEBUG,
            _ => LevelFilter::TRACE,
        })
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let metadata = attributes.metadata();
        let parent = within(attributes.parent(), attributes.is_root());
        let begin = |draft: &Draft| {
            draft.entry(site(metadata), |entry| self.0.span_new(entry, parent, ptr::from_ref(metadata).cast()))
        };
        let span = Draft::with(|draft| attributes.record(draft), begin);
        // The runtime never numbers a span 0, which means none.
        Id::from_non_zero_u64(NonZeroU64::new(span).unwrap_or(NonZeroU64::MAX))
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        Draft::with(
            |draft| values.record(draft),
            |draft| draft.fields(|fields| self.0.span_record(span.into_u64(), fields)),
        );
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let parent = within(event.parent(), event.is_root());
        let send = |draft: &Draft| draft.entry(site(event.metadata()), |entry| self.0.log(entry, parent));
        Draft::with(|draft| event.record(draft), send);
    }

    fn enter(&self, span: &Id) {
        self.0.span_enter(span.into_u64());
    }

    fn exit(&self, span: &Id) {
        self.0.span_exit(span.into_u64());
    }

    fn clone_span(&self, span: &Id) -> Id {
        self.0.span_clone(span.into_u64());
        span.clone()
    }

    fn try_close(&self, span: Id) -> bool {
        self.0.span_close(span.into_u64())
    }

    fn current_span(&self) -> Current {
        let current = self.0.span_current();
        match (NonZeroU64::new(current.span), metadata_of(current.tag)) {
            (Some(span), Some(metadata)) => Current::new(Id::from_non_zero_u64(span), metadata),
            _ => Current::none(),
        }
    }
}

fn metadata_of(tag: *const std::ffi::c_void) -> Option<&'static Metadata<'static>> {
    // SAFETY: the runtime gives this module only tags of its own spans, and `new_span` makes them of metadata that last.
    unsafe { tag.cast::<Metadata<'static>>().as_ref() }
}

impl Visit for Draft {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.bits(field.name(), FieldKind::Float, value.to_bits());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.bits(field.name(), FieldKind::Signed, value.cast_unsigned());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.bits(field.name(), FieldKind::Unsigned, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.bits(field.name(), FieldKind::Bool, u64::from(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message(&format_args!("{value}")),
            name => self.shown(name, format_args!("{value}")),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message(value),
            name => self.shown(name, format_args!("{value:?}")),
        }
    }
}
