//! What the checker says of small plans.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]

use serde_json::{Value, json};

use super::*;
use crate::plan::Operation;

const METRIC: &str = r#"{"record": {"name": "Metric", "module": "app", "kind": "rust", "fields":
    [{"name": "value", "type": "float", "required": true}]}}"#;

fn metric() -> Value {
    serde_json::from_str(METRIC).unwrap()
}

#[expect(clippy::needless_pass_by_value, reason = "reads like the JSON that it builds")]
fn step(name: &str, operation: Value) -> Value {
    json!({"name": name, "place": {"file": "app/pipeline.py", "line": 7}, "operation": operation})
}

fn function(language: &str, input: impl Into<Value>, output: impl Into<Value>) -> Value {
    json!({"language": language, "name": "app.steps:call", "input": input.into(), "output": output.into()})
}

fn sink() -> Value {
    step("out", json!({"sink": "results"}))
}

fn parser() -> Value {
    step("parse", json!({"parser": {"type": metric()}}))
}

fn found(steps: &[Value]) -> Vec<Diagnostic> {
    let source = json!({"name": "metrics", "stream": "ingest"});
    let plan = json!({"version": 1, "source": source, "steps": steps});
    check(&serde_json::from_value(plan).unwrap())
}

/// `expected`: code and message of each finding.
#[track_caller]
fn expect(steps: &[Value], expected: &[&str]) {
    let found: Vec<_> = found(steps).iter().map(|one| format!("{} {}", one.code, one.message)).collect();
    assert_eq!(expected, found);
}

#[track_caller]
fn expect_text(steps: &[Value], expected: &str) {
    let found: Vec<_> = found(steps).iter().map(Diagnostic::render).collect();
    assert_eq!(expected, found.join("\n"));
}

#[test]
fn a_good_plan_has_no_findings() {
    let map = step("transform", json!({"map": function("rust", metric(), metric())}));
    let filter = step("keep", json!({"filter": function("python", "any", "bool")}));
    expect(&[parser(), filter, map, step("serialize", json!({"serializer": {}})), sink()], &[]);
}

#[test]
fn a_bytes_edge_is_mended_by_a_parser() {
    let parse = step("parse", json!({"map": function("rust", metric(), "bytes")}));
    expect_text(
        &[parse, sink()],
        "error[OXF0201]: source `metrics` gives `bytes`, but `parse` takes `Metric`\n  \
         --> app/pipeline.py:7\n  \
         why: `app.steps:call` is Rust; its input type is fixed when it is built\n  \
         fix: add `.apply(Parser(\"parse-2\", Metric))` before `parse`\n  \
         more: oxflow explain OXF0201",
    );
}

#[test]
fn a_wrong_field_is_named_and_its_giver_is_found_behind_a_filter() {
    let other = json!({"record": {"name": "Raw", "module": "app", "kind": "typed_dict", "fields":
        [{"name": "value", "type": "str", "required": true}]}});
    let enrich = step("enrich", json!({"map": function("python", "bytes", other)}));
    let filter = step("keep", json!({"filter": function("python", "any", "bool")}));
    let map = step("transform", json!({"map": function("rust", metric(), "bytes")}));
    expect_text(
        &[enrich, filter, map, sink()],
        "error[OXF0201]: step `enrich` returns `Raw`, but `transform` takes `Metric`\n  \
         --> app/pipeline.py:7\n  \
         why: `app.steps:call` is Rust; its input type is fixed when it is built; \
         field `value`: `str` is not `float`\n  \
         fix: let `enrich` return `Metric` and annotate it, or change what `transform` takes\n  \
         more: oxflow explain OXF0201",
    );
}

#[test]
fn a_sink_needs_a_serializer_before_it() {
    expect_text(
        &[parser(), sink()],
        "error[OXF0203]: parser `parse` gives `Metric`, but sink `out` takes `bytes`\n  \
         --> app/pipeline.py:7\n  \
         why: a sink writes bytes and does not choose how a value becomes bytes\n  \
         fix: add `.apply(Serializer(\"serialize\"))` before `out`\n  \
         more: oxflow explain OXF0203",
    );
}

#[test]
fn a_parser_needs_bytes() {
    let again = step("again", json!({"parser": {"type": metric()}}));
    let serialize = step("serialize", json!({"serializer": {}}));
    expect(
        &[parser(), again, serialize, sink()],
        &["OXF0202 parser `parse` gives `Metric`, but parser `again` takes `bytes`"],
    );
}

#[test]
fn a_serializer_needs_what_json_can_hold() {
    let serialize = || step("serialize", json!({"serializer": {}}));
    let blob = json!({"record": {"name": "Blob", "module": "app", "kind": "dataclass", "fields":
        [{"name": "data", "type": {"list": "bytes"}, "required": true}]}});
    let map = step("load", json!({"map": function("python", "bytes", blob)}));
    let keys = step("count", json!({"map": function("python", "bytes", json!({"dict": ["int", "int"]}))}));
    expect(
        &[serialize(), sink()],
        &["OXF0208 source `metrics` gives `bytes`, which serializer `serialize` has nothing to do with"],
    );
    let expected = "OXF0208 step `load` returns `Blob`, which serializer `serialize` cannot write as JSON";
    expect(&[map.clone(), serialize(), sink()], &[expected]);
    assert_eq!(Some("`data[]` is `bytes`"), found(&[map, serialize(), sink()])[0].why.as_deref());
    assert_eq!(Some("the keys of it are `int`, not `str`"), found(&[keys, serialize(), sink()])[0].why.as_deref());
}

#[test]
fn a_parser_makes_what_json_can_hold() {
    let parse = step("parse", json!({"parser": {"type": {"list": "bytes"}}}));
    expect(
        &[parse, step("serialize", json!({"map": function("python", "any", "bytes")})), sink()],
        &["OXF0206 parser `parse` makes `list[bytes]`, which JSON cannot hold"],
    );
}

#[test]
fn msgpack_holds_bytes_but_no_other_keys_than_text() {
    let parser = |shape: Value| step("parse", json!({"parser": {"type": shape, "codec": "msgpack"}}));
    let serializer = || step("serialize", json!({"serializer": {"codec": "msgpack"}}));
    expect(&[parser(json!({"list": "bytes"})), serializer(), sink()], &[]);
    expect(
        &[parser(json!({"dict": ["int", "any"]})), serializer(), sink()],
        &[
            "OXF0206 parser `parse` makes `dict[int, Any]`, which msgpack cannot hold",
            "OXF0208 parser `parse` gives `dict[int, Any]`, which serializer `serialize` cannot write as msgpack",
        ],
    );
}

#[test]
fn protobuf_is_of_rust() {
    let parser = |shape: Value| step("parse", json!({"parser": {"type": shape, "codec": "protobuf"}}));
    let serializer = || step("serialize", json!({"serializer": {"codec": "protobuf"}}));
    expect(&[parser(metric()), serializer(), sink()], &[]);
    expect(
        &[parser(json!({"list": "int"})), serializer(), sink()],
        &[
            "OXF0209 parser `parse` makes `list[int]` of protobuf",
            "OXF0209 parser `parse` gives `list[int]`, which serializer `serialize` cannot write as protobuf",
        ],
    );
}

#[test]
fn a_plan_names_a_codec_only_where_it_is_not_json() {
    let operation =
        |written: Value| serde_json::from_value::<Operation>(written.clone()).map(|read| (written, json!(read)));
    for written in [
        json!({"parser": {"type": "int"}}),
        json!({"parser": {"type": "int", "codec": "msgpack"}}),
        json!({"serializer": {}}),
        json!({"serializer": {"codec": "protobuf"}}),
    ] {
        let (written, again) = operation(written).unwrap();
        assert_eq!(written, again);
    }
    assert!(operation(json!({"serializer": {"codec": "xml"}})).is_err());
}

#[test]
fn a_filter_says_yes_or_no() {
    let keep = |language| step("keep", json!({"filter": function(language, "bytes", "int")}));
    let text = "filter `keep` needs a function that gives `bool`, but `app.steps:call` gives `int`";
    expect(&[keep("python"), sink()], &[&format!("OXF0204 {text}")]);
    expect(&[keep("rust"), sink()], &[&format!("OXF0207 {text}")]);
}

#[test]
fn only_bytes_are_counted_in_bytes() {
    let batch = step("batch", json!({"batch": {"messages": 2, "bytes": 10}}));
    let join = step("join", json!({"map": function("python", "any", "bytes")}));
    expect(
        &[parser(), batch.clone(), join.clone(), sink()],
        &["OXF0104 batch `batch` is limited by `batch_bytes`, but parser `parse` gives `Metric`"],
    );
    let unknown = step("unknown", json!({"map": function("python", "bytes", "any")}));
    expect(
        &[unknown, batch.clone(), join.clone(), sink()],
        &["OXF0104 batch `batch` is limited by `batch_bytes`, but step `unknown` returns `Any`"],
    );
    expect(&[batch, join, sink()], &[]);
}

#[test]
fn a_batch_gives_lists() {
    let batch = step("batch", json!({"batch": {"messages": 2}}));
    expect(&[parser(), batch, sink()], &["OXF0203 batch `batch` gives `list[Metric]`, but sink `out` takes `bytes`"]);
}

#[test]
fn names_are_unique_and_well_formed() {
    let map = |name| step(name, json!({"map": function("python", "bytes", "bytes")}));
    expect(
        &[map("a.b"), map(""), map("metrics"), sink()],
        &[
            "OXF0103 the name of step `a.b` has `.` in it",
            "OXF0103 a step has an empty name",
            "OXF0101 step `metrics` has the name of another source",
        ],
    );
}

#[test]
fn every_branch_ends_in_a_sink() {
    let branch = |name: &str, steps: Vec<Value>| json!({"name": name, "steps": steps});
    let cast = step("cast", json!({"broadcast": [branch("a", vec![]), branch("b", vec![sink()])]}));
    let late = step("late", json!({"map": function("python", "bytes", "bytes")}));
    expect(&[], &["OXF0102 the pipeline does not end in a sink"]);
    expect(
        &[cast, late],
        &[
            "OXF0102 step `late` comes after `cast`, which ends the pipeline",
            "OXF0102 branch `a` does not end in a sink",
        ],
    );
    expect(&[step("none", json!({"broadcast": []}))], &["OXF0102 broadcast `none` has no branch"]);
}

#[test]
fn a_batch_can_close() {
    let check = |limits: Value, expected: &[&str]| {
        let join = step("join", json!({"map": function("python", "any", "bytes")}));
        expect(&[step("batch", json!({"batch": limits})), join, sink()], expected);
    };
    check(json!({"messages": 1}), &[]);
    check(json!({"bytes": 10, "time_ms": 1}), &[]);
    check(json!({"bytes": 10}), &["OXF0104 batch `batch` is limited by bytes only"]);
    check(json!({}), &["OXF0104 batch `batch` has no limit"]);
    check(json!({"messages": 0}), &["OXF0104 batch `batch` has `batch_size` 0"]);
}

#[track_caller]
fn expect_route(output: Value, keys: &[Value], expected: &[&str]) {
    let branches: Vec<_> = (0..)
        .zip(keys)
        .map(|(number, key)| json!({"name": format!("b{number}"), "key": key, "steps": [step(&format!("s{number}"), json!({"sink": "results"}))]}))
        .collect();
    expect(
        &[step("route", json!({"route": {"function": function("python", "bytes", output), "branches": branches}}))],
        expected,
    );
}

#[test]
fn the_keys_of_a_route_can_be_told_apart() {
    let table = |keys: &[Value], expected: &[&str]| expect_route(json!("any"), keys, expected);
    table(&[json!("a"), json!("b")], &[]);
    table(&[], &["OXF0107 route `route` has no branch"]);
    table(&[json!("a"), json!("a")], &["OXF0107 route `route` has two branches for the key `\"a\"`"]);
    table(&[json!("a"), json!(1)], &["OXF0107 the keys of route `route` are of several types: `1` is not `str`"]);
    table(&[json!(1.5)], &["OXF0107 branch `b0` of route `route` has the key `1.5`"]);
}

#[test]
fn a_routing_function_fits_its_keys() {
    expect_route(json!({"literal": ["a"]}), &[json!("a"), json!("b")], &[]);
    expect_route(
        json!({"literal": ["a", "b", "c"]}),
        &[json!("a")],
        &["OXF0205 route `route` has no branch for `\"b\"`, `\"c\"`"],
    );
    expect_route(json!("bool"), &[json!(true)], &["OXF0205 route `route` has no branch for `False`"]);
    expect_route(
        json!("int"),
        &[json!("a")],
        &["OXF0205 routing function of `route` gives `int`, but its keys are `str`"],
    );
}

#[test]
fn types_are_checked_on_every_branch() {
    let branch =
        |name: &str| json!({"name": name, "steps": [step(&format!("out-{name}"), json!({"sink": "results"}))]});
    expect(
        &[parser(), step("cast", json!({"broadcast": [branch("a"), branch("b")]}))],
        &[
            "OXF0203 parser `parse` gives `Metric`, but sink `out-a` takes `bytes`",
            "OXF0203 parser `parse` gives `Metric`, but sink `out-b` takes `bytes`",
        ],
    );
}

#[test]
fn a_plan_of_another_form_is_not_read() {
    let plan = json!({"version": 9, "source": {"name": "s", "stream": "s"}, "steps": []});
    let found = check(&serde_json::from_value(plan).unwrap());
    assert_eq!("the plan has form 9, but this engine reads form 1", found[0].message);
}
