//! Spans: stretches of time in a trace.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::attributes::Attributes;
use crate::clock;
use crate::context::SpanContext;
use crate::fork;
use crate::limits::SpanLimits;
use crate::scope::Scope;
use crate::telemetry::Telemetry;
use crate::value::Value;
use crate::wire;

/// What a span is to others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Nothing: it stays inside of the process.
    #[default]
    Internal = 1,
    /// It answers a request.
    Server = 2,
    /// It makes a request.
    Client = 3,
    /// It sends a message.
    Producer = 4,
    /// It takes a message.
    Consumer = 5,
}

/// How a span ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// Nobody said.
    #[default]
    Unset,
    /// Somebody said that all is well: it stays so.
    Ok,
    /// It failed, for this reason.
    Error(String),
}

/// A span that has begun. Shared between threads at will: it ends once, and takes nothing more then.
#[derive(Debug)]
pub struct Span {
    context: SpanContext,
    parent: Option<SpanContext>,
    /// Nothing where the span isn't recorded. In a box, since a span is moved some times before it has its place.
    recording: Option<Box<Recording>>,
}

#[derive(Debug)]
struct Recording {
    telemetry: &'static Telemetry,
    scope: Arc<Scope>,
    kind: Kind,
    start_ns: u64,
    body: Mutex<Body>,
}

/// What changes until the end.
#[derive(Debug, Default)]
pub(crate) struct Body {
    pub(crate) name: String,
    pub(crate) attributes: Attributes,
    /// Fields of the message, one an event.
    events: Pieces,
    links: Pieces,
    pub(crate) status: Status,
    pub(crate) end_ns: Option<u64>,
}

/// Messages that are written already.
#[derive(Debug, Default)]
struct Pieces {
    written: Vec<u8>,
    count: u32,
    dropped: u32,
}

impl Pieces {
    fn add(&mut self, most: u32, field: u32, write: impl FnOnce(&mut Vec<u8>)) {
        if self.count >= most {
            self.dropped += 1;
            return;
        }
        self.count += 1;
        wire::message(&mut self.written, field, write);
    }
}

const EVENT: u32 = 11;
const LINK: u32 = 13;

/// An event of a span, as it can be read back.
#[derive(Clone, Debug, PartialEq)]
pub struct Event<'a> {
    /// When it was.
    pub time_ns: u64,
    /// What it was.
    pub name: Cow<'a, str>,
    /// What is known of it.
    pub attributes: Vec<(Cow<'a, str>, Value<'a>)>,
}

/// What a span begins with.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) context: SpanContext,
    pub(crate) parent: Option<SpanContext>,
    pub(crate) scope: Arc<Scope>,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) start_ns: u64,
    pub(crate) attributes: Attributes,
}

impl Span {
    /// One that leaves no trace but its context.
    pub fn unrecorded(context: SpanContext, parent: Option<SpanContext>) -> Self {
        Self { context, parent, recording: None }
    }

    pub(crate) fn recorded(telemetry: &'static Telemetry, begun: Begun) -> Self {
        let Begun { context, parent, scope, name, kind, start_ns, attributes } = begun;
        let body = Mutex::new(Body { name, attributes, ..Body::default() });
        Self { context, parent, recording: Some(Box::new(Recording { telemetry, scope, kind, start_ns, body })) }
    }

    /// What identifies it.
    pub fn context(&self) -> &SpanContext {
        &self.context
    }

    /// What identifies the span that it is in.
    pub fn parent(&self) -> Option<&SpanContext> {
        self.parent.as_ref()
    }

    /// Whether it takes attributes and events: it is recorded, and hasn't ended.
    pub fn is_recording(&self) -> bool {
        self.body().is_some_and(|body| body.end_ns.is_none())
    }

    /// What it is to others.
    pub fn kind(&self) -> Kind {
        self.recording.as_ref().map_or(Kind::Internal, |recording| recording.kind)
    }

    /// When it began; 0 if it isn't recorded.
    pub fn start_ns(&self) -> u64 {
        self.recording.as_ref().map_or(0, |recording| recording.start_ns)
    }

    /// When it ended, if it has.
    pub fn end_ns(&self) -> Option<u64> {
        self.body()?.end_ns
    }

    /// Its name; empty if it isn't recorded.
    pub fn name(&self) -> String {
        self.body().map(|body| body.name.clone()).unwrap_or_default()
    }

    /// How it ended.
    pub fn status(&self) -> Status {
        self.body().map(|body| body.status.clone()).unwrap_or_default()
    }

    /// A copy of its attributes.
    pub fn attributes(&self) -> Attributes {
        self.body().map(|body| body.attributes.clone()).unwrap_or_default()
    }

    /// Calls `each` with every event.
    pub fn events(&self, mut each: impl FnMut(Event<'_>)) {
        // Copied: `each` may need an interpreter, which another thread has while it waits for the lock.
        let written = self.body().map(|body| body.events.written.clone()).unwrap_or_default();
        for (_, event) in wire::Fields(&written) {
            if let wire::Field::Bytes(event) = event {
                each(read_event(event));
            }
        }
    }

    /// Sets an attribute.
    pub fn set_attribute(&self, name: &str, value: &Value<'_>) {
        self.change(|body, limits| body.attributes.set(name, value, &limits.attributes));
    }

    /// Gives it another name.
    pub fn update_name(&self, name: &str) {
        self.change(|body, _| name.clone_into(&mut body.name));
    }

    /// Says how it ends. [`Status::Ok`] is final, and nobody takes back an error by saying nothing.
    pub fn set_status(&self, status: Status) {
        self.change(|body, _| {
            if body.status != Status::Ok && status != Status::Unset {
                body.status = status;
            }
        });
    }

    /// Adds an event; `fill` sets its attributes.
    pub fn add_event(&self, name: &str, time_ns: Option<u64>, fill: impl FnOnce(&mut Attributes, &SpanLimits)) {
        // The user's own code may be called by `fill`: outside of the lock.
        let Some(limits) = self.limits() else { return };
        let mut attributes = Attributes::new();
        fill(&mut attributes, limits);
        let time_ns = time_ns.unwrap_or_else(clock::now_ns);
        self.change(|body, limits| {
            body.events.add(limits.events, EVENT, |to| {
                wire::fixed64(to, 1, time_ns);
                wire::text(to, 2, name);
                attributes.write(to, 3);
                wire::count(to, 4, attributes.dropped().into());
            });
        });
    }

    /// Adds a link to another span; one that identifies nothing is passed over.
    pub fn add_link(&self, to: &SpanContext, attributes: &Attributes) {
        if !to.is_valid() {
            return;
        }
        self.change(|body, limits| {
            body.links.add(limits.links, LINK, |written| {
                wire::bytes(written, 1, &to.trace_id.to_be_bytes());
                wire::bytes(written, 2, &to.span_id.to_be_bytes());
                wire::text(written, 3, to.state.as_deref().unwrap_or_default());
                attributes.write(written, 4);
                wire::count(written, 5, attributes.dropped().into());
                wire::fixed32(written, 6, to.flags_on_wire());
            });
        });
    }

    /// The limits that hold for it, if it takes anything.
    pub fn limits(&self) -> Option<&'static SpanLimits> {
        let recording = self.recording.as_ref()?;
        self.is_recording().then(|| recording.telemetry.span_limits())
    }

    /// Ends it; whether it was this call that did. What ended or isn't recorded stays as it is.
    pub fn end(&self, end_ns: Option<u64>) -> bool {
        let Some(recording) = &self.recording else { return false };
        let end_ns = end_ns.unwrap_or_else(clock::now_ns);
        let Some(mut body) = self.body() else { return false };
        if body.end_ns.is_some() {
            return false;
        }
        body.end_ns = Some(end_ns);
        recording.telemetry.span_ended(&Ended { span: self, body: &body, end_ns }, &recording.scope);
        true
    }

    fn body(&self) -> Option<MutexGuard<'_, Body>> {
        let recording = self.recording.as_ref()?;
        Some(fork::lock(&recording.body))
    }

    fn change(&self, change: impl FnOnce(&mut Body, &SpanLimits)) {
        let Some(recording) = &self.recording else { return };
        let Some(mut body) = self.body() else { return };
        if body.end_ns.is_none() {
            change(&mut body, recording.telemetry.span_limits());
        }
    }
}

fn read_event(written: &[u8]) -> Event<'_> {
    let mut event = Event { time_ns: 0, name: Cow::Borrowed(""), attributes: Vec::new() };
    for field in wire::Fields(written) {
        match field {
            (1, wire::Field::Fixed64(time)) => event.time_ns = time,
            (2, name) => event.name = Cow::Borrowed(wire::as_text(name)),
            (3, wire::Field::Bytes(pair)) => event.attributes.push(Value::pair(pair)),
            _ => {}
        }
    }
    event
}

/// A span at its end.
#[derive(Debug)]
pub(crate) struct Ended<'a> {
    pub(crate) span: &'a Span,
    pub(crate) body: &'a Body,
    pub(crate) end_ns: u64,
}

impl Ended<'_> {
    /// Who made it.
    pub(crate) fn scope_name(&self) -> &str {
        self.span.recording.as_ref().map_or("", |recording| recording.scope.name.as_str())
    }

    /// Writes a `Span` of OTLP.
    pub(crate) fn write(&self, to: &mut Vec<u8>) {
        let Self { span, body, end_ns } = self;
        wire::bytes(to, 1, &span.context.trace_id.to_be_bytes());
        wire::bytes(to, 2, &span.context.span_id.to_be_bytes());
        wire::text(to, 3, span.context.state.as_deref().unwrap_or_default());
        if let Some(parent) = &span.parent {
            wire::bytes(to, 4, &parent.span_id.to_be_bytes());
        }
        wire::text(to, 5, &body.name);
        wire::number(to, 6, span.kind() as u64);
        wire::fixed64(to, 7, span.start_ns());
        wire::fixed64(to, 8, *end_ns);
        body.attributes.write(to, 9);
        wire::count(to, 10, body.attributes.dropped().into());
        to.extend_from_slice(&body.events.written);
        wire::count(to, 12, body.events.dropped.into());
        to.extend_from_slice(&body.links.written);
        wire::count(to, 14, body.links.dropped.into());
        match &body.status {
            Status::Unset => {}
            Status::Ok => wire::message(to, 15, |to| wire::number(to, 3, 1)),
            Status::Error(reason) => wire::message(to, 15, |to| {
                wire::text(to, 2, reason);
                wire::number(to, 3, 2);
            }),
        }
        let remote = if span.parent.as_ref().is_some_and(|parent| parent.is_remote) { 0x200 } else { 0 };
        wire::fixed32(to, 16, u32::from(span.context.flags) | 0x100 | remote);
    }
}
