//! Schemas in, Rust out: what each construct becomes, and how what can't become a type is told.

#![deny(warnings)]
// A test that fails may panic, and its schemas are quoted alike.
#![allow(clippy::indexing_slicing, clippy::needless_raw_string_hashes, clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// Writes files into a folder of the test's own.
fn written(test: &str, files: &[(&str, &str)]) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    fs::create_dir_all(&folder).unwrap();
    let write = |(name, text): &(&str, &str)| {
        let file = folder.join(name);
        fs::write(&file, text).unwrap();
        file
    };
    files.iter().map(write).collect()
}

fn name_of_test() -> String {
    std::thread::current().name().unwrap().replace("::", "_")
}

/// The lines that begin with none of what every type has.
fn essential(code: &str) -> String {
    let noise = [
        "use ",
        "#[derive",
        "    /// The fields that have no name here.",
        "    #[serde(flatten)]",
        "    #[payload(rest)]",
    ];
    let line_is_noise = |line: &&str| line.is_empty() || noise.iter().any(|start| line.starts_with(start));
    code.lines().filter(|line| !line_is_noise(line)).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn check(schema: &str, expected: &str) {
    let files = written(&name_of_test(), &[("event.json", schema)]);
    let types = oxflow_schema::generate(&files).unwrap();
    assert_eq!(expected.trim(), essential(&types.code));
}

#[track_caller]
fn check_error(schema: &str, expected: &str) {
    let files = written(&name_of_test(), &[("event.json", schema)]);
    let error = oxflow_schema::generate(&files).unwrap_err();
    let place = error.place.to_string();
    let (_, place) = place.rsplit_once('/').filter(|_| error.place.pointer.is_empty()).unwrap_or(("", &place));
    let place = place.rsplit_once("event.json").map_or(place, |(_, pointer)| pointer);
    assert_eq!(expected, format!("{place}: {}; {}", error.problem, error.problem.fix()));
}

#[track_caller]
fn check_notes(schema: &str, expected: &[&str]) {
    let files = written(&name_of_test(), &[("event.json", schema)]);
    let types = oxflow_schema::generate(&files).unwrap();
    let told: Vec<String> = types.notes.iter().map(|note| format!("{}: {}", note.place.pointer, note.text)).collect();
    assert_eq!(expected, told);
}

#[test]
fn a_field_is_required_absent_or_null_as_the_schema_says() {
    check(
        r#"{"title": "Event", "type": "object", "required": ["id", "user"], "properties": {
            "id": {"type": "integer"}, "user": {"type": ["string", "null"]}, "count": {"type": "integer", "minimum": 0},
            "release": {"type": ["string", "null"]}, "extra": true}}"#,
        r#"
pub struct Event {
    pub id: i64,
    pub user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    #[serde(default, skip_serializing_if = "Nullable::is_absent")]
    pub release: Nullable<String>,
    #[serde(default, skip_serializing_if = "Nullable::is_absent")]
    pub extra: Nullable<Value>,
    pub rest: BTreeMap<String, Value>,
}"#,
    );
}

#[test]
fn fields_that_are_not_named_are_kept_typed_or_refused() {
    check(
        r#"{"title": "Event", "type": "object", "properties": {
            "open": {"type": "object", "additionalProperties": {"type": "number"}},
            "closed": {"type": "object", "additionalProperties": false, "properties": {"rest": {"type": "boolean"}}},
            "typed": {"type": "object", "properties": {"rest": {"type": "boolean"}}, "additionalProperties": {"type": "string"}},
            "patterned": {"type": "object", "patternProperties": {"^x-": {"type": "integer"}}, "additionalProperties": false}},
            "additionalProperties": false}"#,
        r#"
#[serde(deny_unknown_fields)]
pub struct Event {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open: Option<BTreeMap<String, f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<EventClosed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub typed: Option<EventTyped>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patterned: Option<BTreeMap<String, i64>>,
}
#[serde(deny_unknown_fields)]
pub struct EventClosed {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rest: Option<bool>,
}
pub struct EventTyped {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rest: Option<bool>,
    pub other_fields: BTreeMap<String, String>,
}"#,
    );
}

#[test]
fn keys_that_are_no_names_of_rust_are_renamed() {
    check(
        r#"{"title": "Event", "type": "object", "additionalProperties": false,
            "required": ["type", "self", "userId", "user_id", "http.status", "3d", "\"quoted\""], "properties": {
            "type": true, "self": true, "userId": true, "user_id": true, "http.status": true, "3d": true, "\"quoted\"": true}}"#,
        r#"
#[serde(deny_unknown_fields)]
pub struct Event {
    pub r#type: Value,
    #[serde(rename = "self")]
    pub self_: Value,
    #[serde(rename = "userId")]
    pub user_id: Value,
    #[serde(rename = "user_id")]
    pub user_id2: Value,
    #[serde(rename = "http.status")]
    pub http_status: Value,
    #[serde(rename = "3d")]
    pub n3d: Value,
    #[serde(rename = "\"quoted\"")]
    pub quoted: Value,
}"#,
    );
}

#[test]
fn words_become_an_enum_and_other_constants_are_told() {
    check(
        r#"{"title": "Event", "type": "object", "required": ["level", "kind", "version"], "properties": {
            "level": {"enum": ["info", "warn-er", "WARN_ER", null]}, "kind": {"const": "x"}, "version": {"enum": [1, 2]},
            "way": {"oneOf": [{"const": "up", "description": "Against gravity."}, {"const": "down"}]}}}"#,
        r#"
pub struct Event {
    pub level: Option<EventLevel>,
    pub kind: EventKind,
    /// One of `1`, `2`.
    pub version: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub way: Option<EventWay>,
    pub rest: BTreeMap<String, Value>,
}
pub enum EventLevel {
    #[serde(rename = "info")]
    Info,
    #[serde(rename = "warn-er")]
    WarnEr,
    #[serde(rename = "WARN_ER")]
    WarnEr2,
}
pub enum EventKind {
    #[serde(rename = "x")]
    X,
}
pub enum EventWay {
    /// Against gravity.
    #[serde(rename = "up")]
    Up,
    #[serde(rename = "down")]
    Down,
}"#,
    );
}

#[test]
fn the_narrow_ones_of_a_union_come_first() {
    check(
        r#"{"title": "Event", "anyOf": [{"type": "string"}, {"type": "number"}, {"type": "integer"}, {"enum": ["on"]},
            {"type": "object"}, {"type": "array", "items": {"type": "number"}}, {"type": "array", "items": {"type": "integer"}}]}"#,
        r#"
#[serde(untagged)]
pub enum Event {
    Integer(i64),
    Number(f64),
    List(Vec<i64>),
    List2(Vec<f64>),
    Map(BTreeMap<String, Value>),
    EventVariant4(EventVariant4),
    String(String),
}
pub enum EventVariant4 {
    #[serde(rename = "on")]
    On,
}"#,
    );
}

#[test]
fn what_a_variant_consists_of_takes_no_null_for_what_is_absent() {
    check(
        r#"{"title": "Event", "anyOf": [{"type": "string"}, {"title": "User", "type": "object", "additionalProperties": false,
            "properties": {"name": {"type": "array", "items": {"type": "string"}}}}]}"#,
        r#"
#[serde(untagged)]
pub enum Event {
    User(User),
    String(String),
}
#[serde(deny_unknown_fields)]
pub struct User {
    #[serde(default, deserialize_with = "oxflow::present")]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[payload(shape = Vec<String>)]
    pub name: Option<Vec<String>>,
}"#,
    );
}

#[test]
fn a_union_with_null_is_an_option_and_one_with_everything_is_any_value() {
    check(
        r#"{"title": "Event", "type": "object", "required": ["a", "b", "c"], "properties": {
            "a": {"oneOf": [{"type": "null"}, {"type": "string"}]}, "b": {"anyOf": [{"type": "string"}, true]},
            "c": {"type": ["number", "null", "string", "boolean", "array", "object"]}}}"#,
        r#"
pub struct Event {
    pub a: Option<String>,
    pub b: Value,
    pub c: Value,
    pub rest: BTreeMap<String, Value>,
}"#,
    );
}

#[test]
fn what_holds_itself_is_boxed() {
    check(
        r##"{"title": "Tree", "type": "object", "required": ["next"], "properties": {"next": {"$ref": "#/definitions/Node"},
            "list": {"$ref": "#/definitions/List"}},
            "definitions": {"Node": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
                "List": {"type": "array", "items": {"$ref": "#/definitions/List"}}}}"##,
        r#"
pub struct Tree {
    pub next: Option<Box<Tree>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<List>,
    pub rest: BTreeMap<String, Value>,
}
pub struct List(pub Vec<List>);"#,
    );
}

#[test]
fn tuples_are_as_long_as_the_schema_lets_them_be() {
    check(
        r#"{"title": "Event", "type": "array", "minItems": 3, "maxItems": 3, "items": [
            {"const": "insert"}, {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]}, {"type": "array", "prefixItems":
            [{"type": "string"}], "minItems": 1, "items": false}]}"#,
        r#"
pub struct Event(pub EventFirst, pub OpenTuple<(String, i64)>, pub (String,));
pub enum EventFirst {
    #[serde(rename = "insert")]
    Insert,
}"#,
    );
}

#[test]
fn schemas_that_hold_at_once_are_one_type() {
    check(
        r##"{"title": "Event", "allOf": [{"$ref": "#/$defs/Base"}, {"properties": {"name": {"type": "string"}}, "required": ["name"]}],
            "properties": {"id": {"minimum": 0}}, "$defs": {"Base": {"type": "object", "required": ["id"],
            "properties": {"id": {"type": "integer"}}}}}"##,
        r#"
pub struct Event {
    pub id: u64,
    pub name: String,
    pub rest: BTreeMap<String, Value>,
}"#,
    );
}

#[test]
fn what_stands_beside_a_union_is_in_each_of_its_variants() {
    check(
        r#"{"title": "Event", "type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}, "oneOf": [
            {"title": "Made", "properties": {"by": {"type": "string"}}, "required": ["by"]},
            {"title": "Gone", "additionalProperties": false}]}"#,
        r#"
#[serde(untagged)]
pub enum Event {
    Made(Made),
    Gone(Gone),
}
pub struct Made {
    pub by: String,
    pub id: i64,
    pub rest: BTreeMap<String, Value>,
}
#[serde(deny_unknown_fields)]
pub struct Gone {
    pub id: i64,
}"#,
    );
}

#[test]
fn names_that_are_taken_are_told_apart() {
    check(
        r##"{"title": "Event", "type": "object", "required": ["a", "b", "c"], "properties": {
            "a": {"title": "Value", "enum": ["x"]}, "b": {"title": "value", "enum": ["y"]}, "c": {"$ref": "#/definitions/event"}},
            "definitions": {"event": {"enum": ["z"]}}}"##,
        r#"
pub struct EventMessage {
    pub a: EventMessageA,
    pub b: EventMessageB,
    pub c: Event,
    pub rest: BTreeMap<String, Value>,
}
pub enum EventMessageA {
    #[serde(rename = "x")]
    X,
}
pub enum EventMessageB {
    #[serde(rename = "y")]
    Y,
}
pub enum Event {
    #[serde(rename = "z")]
    Z,
}"#,
    );
}

#[test]
fn what_is_said_in_a_schema_is_never_run_as_a_test() {
    check(
        r#"{"title": "Event", "description": "First\n\n        indented();\n\n```\ncode();\n```\n```json\n{}", "type": "array"}"#,
        r"
/// First
///
///    indented();
///
/// ```text
/// code();
/// ```
/// ```text
/// {}
/// ```
pub struct Event(pub Vec<Value>);",
    );
}

#[test]
fn files_are_found_beside_the_one_that_refers_to_them() {
    let event = r##"{"title": "Event", "type": "object", "required": ["user", "id"], "additionalProperties": false,
        "properties": {"user": {"$ref": "user.json#/definitions/User"}, "id": {"$ref": "file://user.json#/definitions/Id"}}}"##;
    let user = r##"{"definitions": {"User": {"type": "object", "required": ["id"], "properties": {"id": {"$ref": "#/definitions/Id"}},
        "additionalProperties": false}, "Id": {"type": "string"}}}"##;
    let files = written(&name_of_test(), &[("event.json", event), ("user.json", user)]);
    let bundled = oxflow_schema::generate(&files[..1]).unwrap();
    let expected = "#[serde(deny_unknown_fields)]\npub struct Event {\n    pub user: User,\n    pub id: String,\n}\n\
                    #[serde(deny_unknown_fields)]\npub struct User {\n    pub id: String,\n}";
    assert_eq!(expected, essential(&bundled.code));
    assert_eq!((vec!["Event".to_owned()], files.clone()), (bundled.messages, bundled.files));
}

#[test]
fn several_files_are_a_module_each() {
    let event = r#"{"$id": "https://example.com/event", "title": "Event", "enum": ["x"]}"#;
    let user = r#"{"title": "Event", "type": "array", "items": {"$ref": "https://example.com/event"}}"#;
    let files = written(&name_of_test(), &[("event.v1.schema.json", event), ("events-of-user.json", user)]);
    let types = oxflow_schema::generate(&files).unwrap();
    let expected = "pub mod event_v1 {\n    //! Types of `event.v1.schema.json`.\n    //!\n    //! A message is a [`Event`].\n    \
                    use oxflow::Payload;\n    use serde::{Deserialize, Serialize};\n    \
                    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Payload)]\n    pub enum Event {\n        \
                    #[serde(rename = \"x\")]\n        X,\n    }\n}\npub mod events_of_user {\n    \
                    //! Types of `events-of-user.json`.\n    //!\n    //! A message is a [`Event`].\n    use oxflow::Payload;\n    \
                    use serde::{Deserialize, Serialize};\n    \
                    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Payload)]\n    \
                    pub struct Event(pub Vec<super::event_v1::Event>);\n}";
    assert_eq!(expected, essential(&types.code));
    assert_eq!(["event_v1::Event", "events_of_user::Event"], types.messages.as_slice());
}

#[test]
fn what_types_do_not_say_is_noted() {
    check_notes(
        r#"{"type": "object", "properties": {"a": {"type": "string", "not": {"const": "x"}}}, "anyOf": [{"required": ["a"]},
            {"required": ["b"]}], "if": {}, "then": {}}"#,
        &[
            "/if: no type says `if`: values that it excludes are taken",
            "/then: no type says `then`: values that it excludes are taken",
            "/anyOf: no type says which fields there must be together",
            "/properties/a/not: no type says `not`: values that it excludes are taken",
        ],
    );
    check_notes(
        r#"{"type": "array", "items": [true, true]}"#,
        &[": a tuple has 2 items here: lists that are shorter are refused"],
    );
}

#[test]
fn what_cannot_become_a_type_is_told_with_its_place() {
    check_error(
        r##"{"properties": {"user/id": {"$ref": "#/definitions/Id"}}}"##,
        "#/properties/user~1id: `$ref` leads to `#/definitions/Id`, where nothing is; write what is there, as `#/definitions/Name`",
    );
    check_error(
        r#"{"items": {"$ref": "https://example.com/event.json"}}"#,
        "#/items: `$ref` leads to `https://example.com/event.json`, which is no file; \
         nothing is fetched: save that schema and name its file too, or refer to the file",
    );
    check_error(
        r##"{"$ref": "#/definitions/a", "definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"$ref": "#/definitions/a"}}}"##,
        "#/definitions/a: this refers to itself and to nothing else; let one of them say what it is",
    );
    check_error(
        r#"{"allOf": [{"type": "string"}, {"type": "object"}]}"#,
        ": no value is valid here: its parts have different types; take one of the contradicting parts out",
    );
    check_error(
        r#"{"items": {"type": "text"}}"#,
        "#/items: no value is valid here: there is no type `text`; take one of the contradicting parts out",
    );
    check_error(
        r##"{"items": {"$dynamicRef": "#node"}}"##,
        "#/items: `$dynamicRef` cannot become a type; write it with `$ref`, `oneOf`, `properties` and `items`",
    );
    check_error(
        "[]",
        ": a schema is an object or a boolean, this is an array; write a schema there, `{}` for any value",
    );
    check_error("{", ": the file is not JSON; give a file with one JSON Schema in it");
}

#[test]
fn the_same_schemas_make_the_same_text() {
    let schema =
        r#"{"type": "object", "properties": {"b": {"enum": ["x"]}, "a": {"type": "object", "properties": {}}}}"#;
    let files = written(&name_of_test(), &[("event.json", schema)]);
    let texts: Vec<String> = (0..10).map(|_| oxflow_schema::generate(&files).unwrap().file()).collect();
    assert!(texts.windows(2).all(|pair| pair[0] == pair[1]));
}
