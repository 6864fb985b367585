//! The attributes of serde on fields and types, and those of `payload`.

use crate::forms::{check, check_shape};
use oxflow::{Nullable, OpenTuple, Payload};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

#[derive(Debug, PartialEq, Serialize, Deserialize, Payload)]
struct Release {
    #[serde(default, skip_serializing_if = "Nullable::is_absent")]
    version: Nullable<String>,
    #[serde(default, deserialize_with = "oxflow::present")]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[payload(shape = u8)]
    number: Option<u8>,
}

#[test]
fn a_field_may_be_absent_and_may_be_null() {
    let release = |version, number| Release { version, number };
    check(
        "Release{version?: str | none, number?: int}",
        &[
            (release(Nullable::Absent, None), "{}"),
            (release(Nullable::Null, Some(1)), r#"{"version":null,"number":1}"#),
            (release("1.2".to_owned().into(), None), r#"{"version":"1.2"}"#),
        ],
    );
    let refused = oxflow::codec::json::decode::<Release>(br#"{"number":null}"#);
    assert!(refused.is_err());
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Payload)]
struct Pair(u8, bool);

#[test]
fn what_follows_a_tuple_is_kept() {
    let open = |more| OpenTuple { items: Pair(1, true), more };
    check("[any]", &[(open(vec![]), "[1,true]"), (open(vec!["x".into(), ().into()]), r#"[1,true,"x",null]"#)]);
    check("[any]", &[(OpenTuple { items: (1,), more: vec![2.into()] }, "[1,2]")]);
    let short = oxflow::codec::json::decode::<OpenTuple<Pair>>(b"[1]");
    assert!(short.is_err());
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Payload)]
#[serde(rename_all = "camelCase")]
struct Presence {
    #[serde(alias = "old")]
    plain_one: u8,
    optional: Option<u8>,
    #[serde(default)]
    defaulted: u8,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sometimes: Vec<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rarely: Option<u8>,
    #[serde(default, skip_serializing)]
    read: u8,
    #[serde(skip_deserializing)]
    written: u8,
    #[serde(skip)]
    skipped: u8,
}

#[test]
fn a_field_says_whether_it_must_be_there_and_whether_it_is_always_written() {
    let presence = Presence {
        plain_one: 1,
        optional: None,
        defaulted: 2,
        sometimes: vec![],
        rarely: None,
        read: 0,
        written: 0,
        skipped: 0,
    };
    check(
        "Presence{plainOne: int, optional!: int | none, defaulted!: int, sometimes?: [int], rarely?: int | none, \
         read?: int, written!: int}",
        &[(presence, "{\"plainOne\":1,\"optional\":null,\"defaulted\":2,\"written\":0}")],
    );
    let old = oxflow::codec::json::decode::<Presence>(b"{\"old\":7,\"read\":8,\"skipped\":9}").expect("an old message");
    assert_eq!((7, 8, 0), (old.plain_one, old.read, old.skipped));
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize, Payload)]
#[serde(default)]
struct AllDefaulted {
    a: u8,
    b: String,
}

#[test]
fn a_default_of_the_whole_struct_is_one_of_each_field() {
    check("AllDefaulted{a!: int, b!: str}", &[(AllDefaulted::default(), "{\"a\":0,\"b\":\"\"}")]);
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Payload)]
struct Inner {
    a: u8,
    children: Vec<Inner>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Payload)]
#[serde(tag = "kind")]
enum Kind {
    Started,
    Ended { code: u8 },
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Payload)]
struct Flat {
    id: u8,
    #[serde(flatten)]
    inner: Inner,
    #[serde(flatten)]
    maybe: Option<Place>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Payload)]
struct Place {
    x: u8,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Payload)]
struct Event {
    id: u8,
    #[serde(flatten)]
    kind: Kind,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Payload)]
struct Open {
    id: u8,
    #[serde(flatten)]
    #[payload(rest)]
    rest: serde_json::Map<String, serde_json::Value>,
}

#[test]
fn flattened_fields_are_fields() {
    let inner = || Inner { a: 2, children: vec![] };
    check(
        "Flat{id: int, a: int, children: [Inner{a: int, children: [^Inner]}], x?: int}",
        &[
            (Flat { id: 1, inner: inner(), maybe: None }, "{\"id\":1,\"a\":2,\"children\":[]}"),
            (Flat { id: 1, inner: inner(), maybe: Some(Place { x: 3 }) }, "{\"id\":1,\"a\":2,\"children\":[],\"x\":3}"),
        ],
    );
    check(
        "Event_Kind_Started{id: int, kind: 'Started'} | Event_Kind_Ended{id: int, kind: 'Ended', code: int}",
        &[
            (Event { id: 1, kind: Kind::Started }, "{\"id\":1,\"kind\":\"Started\"}"),
            (Event { id: 1, kind: Kind::Ended { code: 2 } }, "{\"id\":1,\"kind\":\"Ended\",\"code\":2}"),
        ],
    );
}

#[test]
fn the_rest_comes_out_again() {
    let rest = serde_json::json!({"big": 18_446_744_073_709_551_615_u64, "deep": {"a": [null, 1.5]}});
    let serde_json::Value::Object(rest) = rest else { unreachable!("an object") };
    let json = "{\"id\":1,\"big\":18446744073709551615,\"deep\":{\"a\":[null,1.5]}}";
    check("Open{id: int}", &[(Open { id: 1, rest }, json)]);
}

mod hexadecimal {
    use super::{Deserialize, Deserializer, Serializer};

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    pub(super) fn serialize<S: Serializer>(value: &u8, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{value:x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
        u8::from_str_radix(&String::deserialize(deserializer)?, 16).map_err(serde::de::Error::custom)
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Payload)]
struct Converted {
    #[serde(with = "hexadecimal")]
    #[payload(shape = String)]
    hex: u8,
    #[serde(default, serialize_with = "hexadecimal::serialize", deserialize_with = "hexadecimal::deserialize")]
    #[payload(shape = Option<String>)]
    maybe: u8,
    #[payload(shape = u64)]
    foreign: Foreign,
}

/// A type of a crate that knows nothing of oxflow.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Foreign(u64);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Payload)]
#[serde(try_from = "String", into = "String")]
struct Even(u64);

impl TryFrom<String> for Even {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

impl From<Even> for String {
    fn from(Even(number): Even) -> Self {
        number.to_string()
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Payload)]
#[serde(tag = "t", content = "c")]
enum Held {
    #[serde(with = "hexadecimal")]
    #[payload(shape = String)]
    Hex(u8),
}

#[test]
fn what_a_function_writes_has_the_shape_that_is_named() {
    check(
        "Converted{hex: str, maybe!: str | none, foreign: int}",
        &[(Converted { hex: 255, maybe: 1, foreign: Foreign(2) }, "{\"hex\":\"ff\",\"maybe\":\"1\",\"foreign\":2}")],
    );
    check("str", &[(Even(12), "\"12\"")]);
    check("Held_Hex{t: 'Hex', c: str}", &[(Held::Hex(16), "{\"t\":\"Hex\",\"c\":\"10\"}")]);
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Payload)]
struct Page<T> {
    items: Vec<T>,
    next: Option<Box<Page<T>>>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Payload)]
#[serde(bound(serialize = "T: Serialize", deserialize = "T: DeserializeOwned"))]
struct Bound<T>
where
    T: Send + 'static,
{
    held: T,
}

fn name_of<T: Payload>() -> &'static str {
    T::name()
}

#[test]
fn a_type_with_parameters_is_described_for_each_of_them() {
    check_shape::<Page<Place>>("Page_Place{items: [Place{x: int}], next!: ^Page_Place | none}");
    check(
        "Page_Int{items: [int], next!: ^Page_Int | none}",
        &[(Page { items: vec![1], next: None }, "{\"items\":[1],\"next\":null}")],
    );
    check("Bound_Str{held: str}", &[(Bound { held: "a".to_owned() }, "{\"held\":\"a\"}")]);
    assert_eq!("Bound", name_of::<Bound<String>>());
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Payload)]
#[payload(unknown = "reject")]
struct Strict {
    id: u8,
    #[serde(default)]
    places: BTreeMap<u8, Place>,
}

#[test]
fn a_type_that_rejects_names_the_unknown_field() {
    let reason = |json: &str| Strict::decode(json.as_bytes()).expect_err("refused").to_string();
    assert!(Strict::decode(br#"{"id":1,"places":{"7":{"x":1}}}"#).is_ok());
    assert_eq!("unknown field `more`", reason(r#"{"id":1,"more":{"a":1}}"#));
    assert_eq!("unknown field `places.7.y`", reason(r#"{"places":{"6":{"x":1},"7":{"x":1,"y":2}},"id":1,"z":0}"#));
    assert_eq!("missing field `id` at byte 10", reason(r#"{"more":1}"#));
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Payload)]
#[serde(deny_unknown_fields)]
struct Denying {
    id: u8,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Payload)]
#[serde(tag = "type", deny_unknown_fields)]
enum DenyingEnum {
    Value { id: u8 },
}

#[test]
fn the_rule_of_serde_holds_for_the_one_type() {
    let error = Denying::decode(br#"{"id":1,"more":1}"#).expect_err("refused").to_string();
    assert_eq!("unknown field `more`, expected `id` at byte 14", error);
    let error = DenyingEnum::decode(br#"{"type":"Value","id":1,"more":1}"#).expect_err("refused").to_string();
    assert!(error.starts_with("unknown field `more`"), "{error}");
}
