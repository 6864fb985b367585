use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span as Wire;
use oxflow_telemetry::{
    AttributeLimits, Attributes, Begin, Kind, Sampler, Scope, SignalConfig, Span, SpanContext, SpanLimits, Status,
    Telemetry, Value, now_ns,
};
use prost::Message;

use crate::collector::Collector;

const SECOND: Duration = Duration::from_secs(20);

fn always() -> SignalConfig {
    SignalConfig::Traces(Sampler::AlwaysOn)
}

fn scope() -> Arc<Scope> {
    Arc::new(Scope { version: "1.2".to_owned(), ..Scope::named("cart") })
}

fn begin(telemetry: &'static Telemetry, name: &str, parent: Option<&SpanContext>) -> Span {
    telemetry.start(&scope(), Begin { parent, ..Begin::named(name) }, |_, _| {})
}

fn sent(collector: &Collector) -> Vec<Wire> {
    let requests = collector.requests();
    let all = requests.iter().map(|request| ExportTraceServiceRequest::decode(&request.body[..]).expect("it is one"));
    all.flat_map(|request| request.resource_spans)
        .flat_map(|resource| resource.scope_spans)
        .flat_map(|scope| scope.spans)
        .collect()
}

/// What arrives of what `work` records.
fn recorded(limits: SpanLimits, work: impl FnOnce(&'static Telemetry)) -> BTreeMap<String, Wire> {
    let collector = Collector::start(Vec::new());
    let telemetry = Telemetry::begin(oxflow_telemetry::Config { span_limits: limits, ..collector.config(always()) });
    work(telemetry);
    assert!(telemetry.force_flush(SECOND));
    sent(&collector).into_iter().map(|span| (span.name.clone(), span)).collect()
}

fn strings(wire: &[opentelemetry_proto::tonic::common::v1::KeyValue]) -> BTreeMap<String, String> {
    wire.iter()
        .map(|pair| (pair.key.clone(), format!("{:?}", pair.value.as_ref().and_then(|value| value.value.as_ref()))))
        .collect()
}

#[test]
fn a_span_arrives_as_it_was_made() {
    let remote = SpanContext::new(0xabc, 0xdef, 1, true, Some("a=b".into()));
    let before = now_ns();
    let mut made = None;
    let spans = recorded(SpanLimits::default(), |telemetry| {
        let begin = Begin { kind: Kind::Server, parent: Some(&remote), ..Begin::named("GET") };
        let span = telemetry.start(&scope(), begin, |attributes, limits| attributes.set("n", &Value::Int(-1), limits));
        span.set_attribute("text", &"grün".into());
        span.set_attribute("n", &Value::Int(i64::MIN));
        span.add_event("hit", Some(77), |attributes, limits| {
            attributes.set("by", &1.5.into(), &limits.event_attributes);
        });
        span.add_link(&SpanContext::new(5, 6, 0, false, None), &Attributes::new());
        span.set_status(Status::Error("broken".to_owned()));
        made = Some(span.context().clone());
        assert!(span.end(None));
        assert!(!span.end(None), "it ends once");
        span.set_attribute("late", &true.into());
    });
    let (span, made) = (&spans["GET"], made.expect("it was made"));
    assert_eq!(0xabc_u128.to_be_bytes().to_vec(), span.trace_id);
    assert_eq!(made.span_id.to_be_bytes().to_vec(), span.span_id);
    assert_eq!(0xdef_u64.to_be_bytes().to_vec(), span.parent_span_id);
    assert_eq!(("a=b", 2, 0x301), (span.trace_state.as_str(), span.kind, span.flags));
    assert!(before <= span.start_time_unix_nano && span.start_time_unix_nano <= span.end_time_unix_nano);
    let expected = [("n", Any::IntValue(i64::MIN)), ("text", Any::StringValue("grün".to_owned()))];
    let expected: BTreeMap<_, _> = expected.map(|(name, value)| (name.to_owned(), format!("{:?}", Some(value)))).into();
    assert_eq!(expected, strings(&span.attributes));
    assert_eq!((77, "hit"), (span.events[0].time_unix_nano, span.events[0].name.as_str()));
    assert_eq!((5_u128.to_be_bytes().to_vec(), 0x100), (span.links[0].trace_id.clone(), span.links[0].flags));
    let status = span.status.as_ref().expect("it has one");
    assert_eq!((2, "broken"), (status.code, status.message.as_str()));
}

#[test]
fn process_and_library_are_told_once() {
    let collector = Collector::start(Vec::new());
    let telemetry = Telemetry::begin(collector.config(always()));
    for _ in 0..3 {
        begin(telemetry, "one", None).end(None);
    }
    assert!(telemetry.force_flush(SECOND));
    let request = ExportTraceServiceRequest::decode(&collector.requests()[0].body[..]).expect("it is one");
    let resource = &request.resource_spans[0];
    assert_eq!("service.name", resource.resource.as_ref().expect("there").attributes[0].key);
    assert_eq!((1, 3), (resource.scope_spans.len(), resource.scope_spans[0].spans.len()));
    let scope = resource.scope_spans[0].scope.as_ref().expect("there");
    assert_eq!(("cart", "1.2"), (scope.name.as_str(), scope.version.as_str()));
}

#[test]
fn limits_count_what_they_leave_out() {
    let attributes = AttributeLimits { count: 1, value_length: Some(2) };
    let limits =
        SpanLimits { attributes, events: 1, links: 1, event_attributes: attributes, link_attributes: attributes };
    let spans = recorded(limits, |telemetry| {
        let span = begin(telemetry, "full", None);
        for name in ["a", "b"] {
            span.set_attribute(name, &"long".into());
            span.add_event(name, None, |attributes, limits| {
                attributes.set("x", &"long".into(), &limits.event_attributes);
                attributes.set("y", &"long".into(), &limits.event_attributes);
            });
            span.add_link(&SpanContext::new(1, 2, 1, false, None), &Attributes::new());
        }
        span.end(None);
    });
    let span = &spans["full"];
    assert_eq!((1, 1, 1), (span.attributes.len(), span.events.len(), span.links.len()));
    assert_eq!((1, 1, 1), (span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count));
    assert_eq!(1, span.events[0].dropped_attributes_count);
    assert!(strings(&span.attributes)["a"].contains("\"lo\""));
}

#[test]
fn ok_is_final() {
    let spans = recorded(SpanLimits::default(), |telemetry| {
        let span = begin(telemetry, "well", None);
        for status in [Status::Error("no".to_owned()), Status::Ok, Status::Error("late".to_owned()), Status::Unset] {
            span.set_status(status);
        }
        span.end(None);
    });
    assert_eq!(1, spans["well"].status.as_ref().expect("it has one").code);
}

#[test]
fn a_span_may_end_in_another_thread_before_its_child() {
    let spans = recorded(SpanLimits::default(), |telemetry| {
        let parent = begin(telemetry, "parent", None);
        let child = begin(telemetry, "child", Some(parent.context()));
        thread::spawn(move || parent.end(None)).join().expect("it ends");
        child.end(None);
    });
    assert_eq!(spans["parent"].span_id, spans["child"].parent_span_id);
    assert_eq!(spans["parent"].trace_id, spans["child"].trace_id);
}

#[test]
fn what_is_not_sampled_leaves_a_context_that_says_so() {
    let collector = Collector::start(Vec::new());
    let config = collector.config(SignalConfig::Traces(Sampler::ParentBased(Box::new(Sampler::AlwaysOff))));
    let telemetry = Telemetry::begin(config);
    let span = telemetry.start(&scope(), Begin::named("none"), |_, _| panic!("nobody wants attributes"));
    assert!(!span.is_recording() && span.context().is_valid() && !span.context().is_sampled());
    let child = begin(telemetry, "child", Some(span.context()));
    assert_eq!(span.context().trace_id, child.context().trace_id);
    assert!(!child.is_recording() && !child.end(None));
    assert!(telemetry.force_flush(SECOND));
    assert_eq!(0, collector.requests().len());
    assert_eq!(0, telemetry.stats()[0].counts.made);
}

#[test]
fn two_sinks_have_samplers_of_their_own() {
    let (all, none) = (Collector::start(Vec::new()), Collector::start(Vec::new()));
    let mut config = all.config(always());
    let off = SignalConfig::Traces(Sampler::ParentBased(Box::new(Sampler::AlwaysOff)));
    config.sinks.extend(none.config(off).sinks);
    let telemetry = Telemetry::begin(config);
    let parent = begin(telemetry, "parent", None);
    begin(telemetry, "child", Some(parent.context())).end(None);
    parent.end(None);
    assert!(telemetry.force_flush(SECOND));
    assert_eq!((2, 0), (sent(&all).len(), none.requests().len()));
}
