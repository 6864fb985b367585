//! The spans of a batch.

use std::sync::Arc;

use oxflow_telemetry::propagate::read_traceparent;
use oxflow_telemetry::{Attributes, Begin, Kind, Scope, Span, SpanLimits, Status, Value};

use super::super::{Export, Stretch};
use super::{Otlp, Watch};
use crate::batch::{Batch, Metadata};
use crate::plan::Language;
use crate::report::StepInfo;

/// A span that ends when it is dropped.
#[derive(Debug)]
struct Open {
    otlp: Otlp,
    scope: Arc<Scope>,
    steps: Arc<[StepInfo]>,
    span: Span,
}

/// The span of a batch, linked to the traces that its messages bring along. Where the sampler doesn't take it, it has an
/// identity still: what extensions record there isn't taken either.
pub(super) fn batch(watch: &Watch, lane: usize, batch: &Batch) -> Box<dyn Stretch> {
    let stream = batch.meta().stream();
    let name = format!("process {stream}");
    let begin = Begin { kind: Kind::Consumer, ..Begin::named(&name) };
    let span = watch.otlp.telemetry.start(&watch.scope, begin, |attributes, limits| {
        let mut set = |name, value: Value<'_>| attributes.set(name, &value, limits);
        set("messaging.system", watch.system.into());
        set("messaging.operation.type", "process".into());
        set("messaging.operation.name", "process".into());
        set("messaging.destination.name", (&**stream).into());
        set("messaging.batch.message_count", count(batch.len()));
        set("oxflow.lane", count(lane));
    });
    span.limits().into_iter().for_each(|limits| link(&span, batch, limits));
    let (scope, steps) = (Arc::clone(&watch.scope), Arc::clone(&watch.steps));
    Box::new(Open { otlp: watch.otlp, scope, steps, span })
}

/// Links the span to as many traces as it may have links.
fn link(span: &Span, batch: &Batch, limits: &SpanLimits) {
    if !batch.meta().has_attributes() {
        return;
    }
    let origins = batch.each_metadata().filter_map(|message| {
        let parent = header(&message, "traceparent")?;
        read_traceparent(parent, header(&message, "tracestate"))
    });
    for origin in origins.take(limits.links as usize) {
        span.add_link(&origin, &Attributes::new());
    }
}

/// The value of a header, in whatever case its name is.
fn header<'a>(message: &Metadata<'a>, name: &str) -> Option<&'a str> {
    let (_, value) = message.headers().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    std::str::from_utf8(value).ok()
}

fn count(number: usize) -> Value<'static> {
    i64::try_from(number).unwrap_or(i64::MAX).into()
}

impl Stretch for Open {
    fn export(&self) -> Arc<dyn Export> {
        self.otlp.within(Some(self.span.context().clone()))
    }

    fn run(&self, steps: &[usize], messages: usize) -> Box<dyn Stretch> {
        let open = |span| {
            let (scope, steps) = (Arc::clone(&self.scope), Arc::clone(&self.steps));
            Box::new(Self { otlp: self.otlp, scope, steps, span })
        };
        if !self.span.is_recording() {
            return open(Span::unrecorded(self.span.context().clone(), None));
        }
        let steps: Vec<&StepInfo> = steps.iter().filter_map(|step| self.steps.get(*step)).collect();
        let names: Vec<Value<'_>> = steps.iter().map(|step| step.name.as_str().into()).collect();
        let first = steps.first();
        let name = first.map_or_else(String::new, |step| format!("{} {}", step.kind, step.name));
        let begin = Begin { parent: Some(self.span.context()), ..Begin::named(&name) };
        let span = self.otlp.telemetry.start(&self.scope, begin, |attributes, limits| {
            attributes.set("oxflow.step.names", &Value::List(names), limits);
            attributes.set("messaging.batch.message_count", &count(messages), limits);
            if let Some(language) = first.and_then(|step| step.language).map(Language::word) {
                attributes.set("oxflow.step.language", &language.into(), limits);
            }
        });
        open(span)
    }

    fn fail(&self, why: &str) {
        self.span.set_status(Status::Error(why.to_owned()));
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.span.end(None);
    }
}
