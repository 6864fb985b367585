//! What extensions record, on its way to the same exporter: log records, spans in those of the run, and instruments.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use std::time::UNIX_EPOCH;

use oxflow_telemetry::{
    AttributeLimits, Attributes, Begin, Draft, Instrument, InstrumentKind, LogRecord, Number, Scope, Severity, Span,
    SpanContext, Value, now_ns,
};

use super::super::{Amount, Begun, Export, Measured};
use super::Otlp;
use super::measures::whole;
use crate::host::{self, INSTRUMENTS, Record};

/// The instruments of extensions among those of the process, by their number.
#[derive(Debug)]
pub struct Instruments([OnceLock<&'static Instrument>; INSTRUMENTS]);

impl Default for Instruments {
    fn default() -> Self {
        Self([const { OnceLock::new() }; INSTRUMENTS])
    }
}

/// The span that this thread is in, where that isn't one of the program itself: that of an extension which was called in
/// `program`, or of a run. None if `program` is the innermost.
pub fn innermost(program: Option<&SpanContext>) -> Option<SpanContext> {
    let (innermost, called) = host::innermost()?;
    let called = called.as_ref().and_then(|called| called.identity());
    let is_outside = program.is_none_or(|program| called == Some((program.trace_id, program.span_id)));
    innermost.context().filter(|_| is_outside).cloned()
}

/// A place in a trace.
#[derive(Debug)]
pub(super) struct Spot {
    otlp: Otlp,
    at: At,
}

#[derive(Debug)]
enum At {
    Nowhere,
    /// A span that somebody else ends.
    Within(SpanContext),
    /// A span of an extension.
    Made(Span),
}

impl Spot {
    pub(super) fn new(otlp: Otlp, span: Option<SpanContext>) -> Self {
        Self { otlp, at: span.filter(SpanContext::is_valid).map_or(At::Nowhere, At::Within) }
    }
}

impl Export for Spot {
    fn identity(&self) -> Option<(u128, u64)> {
        self.context().map(|context| (context.trace_id, context.span_id))
    }

    fn context(&self) -> Option<&SpanContext> {
        match &self.at {
            At::Nowhere => None,
            At::Within(context) => Some(context),
            At::Made(span) => Some(span.context()),
        }
    }

    fn log(&self, record: &Record) {
        let (telemetry, severity) = (self.otlp.telemetry, severity(record.level()));
        if telemetry.least_severity().is_none_or(|least| !severity.reaches(least)) {
            return;
        }
        let mut attributes = Attributes::new();
        let fields = record.fields().map(|(name, field)| (name, value(field)));
        fill(&mut attributes, telemetry.log_limits(), fields, record.place(), record.step.as_deref());
        let (scope, since) = (scope(record.target()), record.time.duration_since(UNIX_EPOCH).unwrap_or_default());
        let record = LogRecord {
            time_ns: u64::try_from(since.as_nanos()).unwrap_or_default(),
            observed_ns: now_ns(),
            severity,
            severity_text: severity.name(),
            body: record.message.as_str().into(),
            attributes,
            context: self.context().cloned(),
            event_name: "",
        };
        telemetry.log(&scope, &record);
    }

    fn span(&self, made: &Begun<'_>) -> Arc<dyn Export> {
        let begin = Begin { parent: self.context(), ..Begin::named(made.name) };
        let span = self.otlp.telemetry.start(&scope(made.target), begin, |attributes, limits| {
            let fields = made.fields.iter().map(|(name, field)| (&**name, value(field)));
            fill(attributes, limits, fields, made.place, made.step);
        });
        Arc::new(Self { otlp: self.otlp, at: At::Made(span) })
    }

    fn set(&self, name: &str, field: &host::Value) {
        if let At::Made(span) = &self.at {
            span.set_attribute(name, &value(field));
        }
    }

    fn end(&self) {
        if let At::Made(span) = &self.at {
            span.end(None);
        }
    }

    fn measure(&self, measured: &Measured<'_>) {
        let slot = (measured.number as usize).checked_sub(1).and_then(|slot| self.otlp.instruments.0.get(slot));
        let Some(slot) = slot else { return };
        let instrument = slot.get_or_init(|| instrument(self.otlp, measured));
        if !instrument.is_read() {
            return;
        }
        let mut attributes = Attributes::new();
        for (name, value) in measured.attributes {
            attributes.add(name, &(*value).into(), &AttributeLimits::default());
        }
        instrument.record(number(measured.amount), attributes);
    }
}

fn instrument(otlp: Otlp, measured: &Measured<'_>) -> &'static Instrument {
    let kind = match measured.amount {
        Amount::Count(_) => InstrumentKind::Counter,
        Amount::Level(_) => InstrumentKind::Gauge,
        Amount::Sample(_) => InstrumentKind::Histogram,
    };
    let (name, description) = (measured.name.to_owned(), measured.doc.to_owned());
    let draft = Draft { kind, name, unit: String::new(), description, bounds: None };
    otlp.metrics.instrument(&scope(measured.module), draft)
}

fn number(amount: Amount) -> Number {
    match amount {
        Amount::Count(count) => whole(count),
        Amount::Level(value) | Amount::Sample(value) => Number::Float(value),
    }
}

/// The one of a target, by the name that its logger has in Python.
fn scope(target: &str) -> Arc<Scope> {
    Arc::new(Scope::named(target.replace("::", ".")))
}

/// What is known of a record or a span. What the extension calls as we do, is its own.
fn fill<'a>(
    attributes: &mut Attributes,
    limits: &AttributeLimits,
    fields: impl Iterator<Item = (&'a str, Value<'a>)>,
    place: Option<(&'a str, u32)>,
    step: Option<&'a str>,
) {
    if let Some((file, line)) = place {
        attributes.set("code.file.path", &file.into(), limits);
        attributes.set("code.line.number", &i64::from(line).into(), limits);
    }
    if let Some(step) = step {
        attributes.set("oxflow.step.name", &step.into(), limits);
    }
    for (name, value) in fields {
        attributes.set(name, &value, limits);
    }
}

/// The numbers of the SDK go from 1, an error, to 5, everything.
fn severity(level: u32) -> Severity {
    match level {
        1 => Severity::ERROR,
        2 => Severity::WARN,
        3 => Severity::INFO,
        4 => Severity::DEBUG,
        _ => Severity::TRACE,
    }
}

fn value(field: &host::Value) -> Value<'_> {
    match field {
        host::Value::Text(text) => text.as_str().into(),
        host::Value::Bool(flag) => (*flag).into(),
        host::Value::Signed(number) => (*number).into(),
        // OTLP has none that are so large.
        host::Value::Unsigned(number) => {
            i64::try_from(*number).map_or_else(|_| Value::Text(Cow::Owned(number.to_string())), Value::Int)
        }
        host::Value::Float(number) => (*number).into(),
    }
}
