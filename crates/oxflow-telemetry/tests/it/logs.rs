use std::sync::Arc;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use oxflow_telemetry::{
    AttributeLimits, Attributes, LogRecord, Scope, Severity, SignalConfig, SpanContext, Telemetry, Value,
};
use prost::Message;

use crate::collector::Collector;

fn record(severity: Severity, context: Option<SpanContext>) -> LogRecord<'static> {
    let mut attributes = Attributes::new();
    attributes.set("list", &Value::List(vec![Value::Int(1), Value::Bool(true)]), &AttributeLimits::default());
    LogRecord {
        time_ns: 5,
        observed_ns: 6,
        severity,
        severity_text: "CRITICAL",
        body: "gone".into(),
        attributes,
        context,
        event_name: "ended",
    }
}

#[test]
fn a_record_arrives_with_its_place_in_the_trace() {
    let collector = Collector::start(Vec::new());
    let telemetry = Telemetry::begin(collector.config(SignalConfig::Logs(Severity::INFO)));
    let context = SpanContext::new(0xabc, 0xdef, 1, false, None);
    let scope = Arc::new(Scope::named("shop.cart"));
    telemetry.log(&scope, &record(Severity::DEBUG, None));
    telemetry.log(&scope, &record(Severity::FATAL, Some(context)));
    assert_eq!(Some(Severity::INFO), telemetry.least_severity());
    assert!(telemetry.force_flush(Duration::from_secs(20)));
    let request = ExportLogsServiceRequest::decode(&collector.requests()[0].body[..]).expect("it is one");
    let scoped = &request.resource_logs[0].scope_logs[0];
    assert_eq!(("shop.cart", 1), (scoped.scope.as_ref().expect("there").name.as_str(), scoped.log_records.len()));
    let found = &scoped.log_records[0];
    assert_eq!((5, 6, 21), (found.time_unix_nano, found.observed_time_unix_nano, found.severity_number));
    assert_eq!(("CRITICAL", "ended", 1), (found.severity_text.as_str(), found.event_name.as_str(), found.flags));
    assert_eq!(
        (0xabc_u128.to_be_bytes().to_vec(), 0xdef_u64.to_be_bytes().to_vec()),
        (found.trace_id.clone(), found.span_id.clone())
    );
    assert!(format!("{:?}", found.body).contains("gone"));
    assert!(format!("{:?}", found.attributes).contains("ArrayValue"));
}
