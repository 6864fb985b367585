//! The functions are plain Rust: no pipeline and no Python is needed to test them.

use crate::{IngestMetric, RustTransformMsg, keep};
use oxflow::{Message, Payload};
use serde_json::{Value, json};

fn metric(name: &str, kind: &str, value: &Value) -> Value {
    json!({
        "org_id": 420, "project_id": 420, "name": name, "tags": {"environment": "production"},
        "timestamp": 11_111_111_111_u64, "type": kind, "retention_days": 90, "value": value,
    })
}

fn read(metric: &Value) -> Message<IngestMetric> {
    Message::new(IngestMetric::decode(metric.to_string().as_bytes()).expect("a metric"))
}

#[track_caller]
fn check_transform(metric: &Value, use_case: &str, unit: &str) {
    let mut expected = metric.clone();
    expected["use_case"] = use_case.into();
    expected["unit"] = unit.into();
    expected["transformed"] = true.into();
    let transformed = RustTransformMsg::call(read(metric)).expect("a name that parses");
    assert_eq!(expected, serde_json::to_value(transformed).expect("JSON"));
}

#[test]
fn a_name_gives_use_case_and_unit() {
    check_transform(&metric("c:sessions/session@none", "c", &json!(1)), "sessions", "none");
    check_transform(
        &metric("d:transactions/duration@millisecond", "d", &json!([1.0, 2.0])),
        "transactions",
        "millisecond",
    );
}

#[test]
fn values_stay_as_they_were_written() {
    let gauge = json!({"min": 1, "max": 2.5, "sum": 3.5, "count": 2, "last": 1});
    let values = [
        json!(1),
        json!(1.0),
        json!(u64::MAX),
        json!(2.411_687_981_198_874_6e17),
        json!([1, 2.5]),
        json!({"format": "zstd", "data": "KLUv"}),
        json!({"format": "array", "data": [1, 2.0]}),
        gauge,
    ];
    for value in values {
        check_transform(&metric("c:sessions/session@none", "c", &value), "sessions", "none");
    }
}

#[test]
fn a_weight_stays_and_its_absence_too() {
    let mut weighted = metric("c:sessions/session@none", "c", &json!(1));
    weighted["sampling_weight"] = json!(100.0);
    check_transform(&weighted, "sessions", "none");
}

#[test]
fn a_malformed_name_is_an_error_that_shows_it() {
    let error = RustTransformMsg::call(read(&metric("sessions", "c", &json!(1)))).expect_err("no such form");
    assert_eq!("`sessions` is not of the form `type:use_case/name@unit`", error.to_string());
}

#[test]
fn counters_are_kept() {
    assert!(keep(&read(&metric("c:sessions/session@none", "c", &json!(1)))));
    assert!(!keep(&read(&metric("s:sessions/user@none", "s", &json!([7])))));
}
