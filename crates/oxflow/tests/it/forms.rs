//! Every form of type: the shape says what serde writes, and what is written can be read.

use oxflow::codec::msgpack;
use oxflow::shape::Type;
use oxflow::{Bytes, Payload, Shape};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Debug;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// A shape in short: `{a: int, b?: str, c!: str}`, where `?` may be absent and `!` too, but is always written.
pub(crate) fn spell(shape: &Type) -> String {
    let all = |shapes: &[Type], between: &str| shapes.iter().map(spell).collect::<Vec<_>>().join(between);
    match shape {
        Type::List(item) => format!("[{}]", spell(item)),
        Type::Dict(_, value) => format!("dict[{}]", spell(value)),
        Type::Tuple(items) => format!("({})", all(items, ", ")),
        Type::Union(members) => all(members, " | "),
        Type::Literal(words) => format!("'{}'", words.join("' '")),
        Type::Enclosing(name) => format!("^{name}"),
        Type::Record(record) => {
            let mark = |field: &oxflow::shape::Field| match (field.required, field.always) {
                (true, _) => "",
                (false, true) => "!",
                (false, false) => "?",
            };
            let field =
                |field: &oxflow::shape::Field| format!("{}{}: {}", field.name, mark(field), spell(&field.shape));
            format!("{}{{{}}}", record.name, record.fields.iter().map(field).collect::<Vec<_>>().join(", "))
        }
        scalar => format!("{scalar:?}").to_lowercase(),
    }
}

#[track_caller]
pub(crate) fn check_shape<T: Shape>(expected: &str) {
    assert_eq!(expected, spell(&T::shape()));
}

/// The shape of the type, and its values with their JSON.
#[track_caller]
pub(crate) fn check<T: Shape + Serialize + for<'de> Deserialize<'de> + PartialEq + Debug>(
    shape: &str,
    values: &[(T, &str)],
) {
    check_shape::<T>(shape);
    for (value, json) in values {
        let mut out = Vec::new();
        oxflow::codec::json::encode(value, &mut out).expect("JSON");
        assert_eq!(*json, String::from_utf8(out).expect("UTF-8"));
        assert_eq!(value, &oxflow::codec::json::decode::<T>(json.as_bytes()).expect("what was written"));
        check_msgpack(shape, value, json);
    }
}

/// The value comes back from msgpack, in which it looks as it does in JSON.
#[track_caller]
fn check_msgpack<T: Serialize + for<'de> Deserialize<'de> + PartialEq + Debug>(shape: &str, value: &T, json: &str) {
    let mut packed = Vec::new();
    if let Err(error) = msgpack::encode(value, &mut packed) {
        return assert_eq!(format!("not expressible in msgpack: {json} has more than 64 bits"), error.to_string());
    }
    assert_eq!(value, &msgpack::decode::<T>(&packed).expect("what was written"));
    match msgpack::decode::<serde_json::Value>(&packed) {
        // JSON writes few digits of a short float.
        Ok(_) if shape == "float" => {}
        Ok(found) => assert_eq!(serde_json::from_str::<serde_json::Value>(json).expect("JSON"), found),
        Err(error) => {
            assert_eq!("msgpack: invalid type: byte array, expected any valid JSON value at byte 1", error.to_string());
        }
    }
}

#[test]
fn types_of_the_standard_library() {
    check("int", &[(i128::MIN, "-170141183460469231731687303715884105728")]);
    check("int", &[(u64::MAX, "18446744073709551615")]);
    check("int", &[(std::num::NonZeroU8::MAX, "255")]);
    check("float", &[(0.1_f32, "0.1")]);
    check("str", &[('ä', "\"ä\"")]);
    check("str", &[(IpAddr::from([127, 0, 0, 1]), "\"127.0.0.1\"")]);
    check("str", &[(PathBuf::from("a/b"), "\"a/b\"")]);
    check("none", &[((), "null")]);
    check("[int]", &[(Bytes::from(b"\x00\xff"), "[0,255]")]);
    check("[int]", &[(VecDeque::from([1]), "[1]")]);
    check("[str]", &[(BTreeSet::from(["a".to_owned()]), "[\"a\"]")]);
    check("[bool]", &[(vec![true].into_boxed_slice(), "[true]")]);
    check("(int, int)", &[([1, 2], "[1,2]")]);
    check("()", &[([0_u8; 0], "[]")]);
    check("(int, (str), none)", &[((1, ("a".to_owned(),), ()), "[1,[\"a\"],null]")]);
    check("int | none", &[(Some(Box::new(1)), "1"), (None, "null")]);
    check("Duration{secs: int, nanos: int}", &[(Duration::new(1, 5), "{\"secs\":1,\"nanos\":5}")]);
    check(
        "SystemTime{secs_since_epoch: int, nanos_since_epoch: int}",
        &[(SystemTime::UNIX_EPOCH, "{\"secs_since_epoch\":0,\"nanos_since_epoch\":0}")],
    );
    check("Range_Int{start: int, end: int}", &[(1..2, "{\"start\":1,\"end\":2}")]);
    check(
        "Result_Int_Str_Ok{Ok: int} | Result_Int_Str_Err{Err: str}",
        &[(Ok(1), "{\"Ok\":1}"), (Err("no".to_owned()), "{\"Err\":\"no\"}")],
    );
}

#[test]
fn keys_of_maps_become_text() {
    check("dict[int]", &[(BTreeMap::from([(-1_i8, 2)]), "{\"-1\":2}")]);
    check("dict[int]", &[(BTreeMap::from([(true, 2)]), "{\"true\":2}")]);
    check("dict[int]", &[(BTreeMap::from([('x', 2)]), "{\"x\":2}")]);
    check("dict[int]", &[(BTreeMap::from([(IpAddr::from([0; 4]), 2)]), "{\"0.0.0.0\":2}")]);
    check("dict[int]", &[(BTreeMap::from([(Plain::SecondOne, 2)]), "{\"second-one\":2}")]);
    check("dict[int]", &[(BTreeMap::from([(Name("n".to_owned()), 2)]), "{\"n\":2}")]);
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Payload)]
#[serde(rename_all = "kebab-case")]
enum Plain {
    First,
    SecondOne,
    #[serde(rename = "3", alias = "three")]
    Third,
    #[serde(skip)]
    #[allow(dead_code, reason = "skipped")]
    Hidden,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Payload)]
struct Name(String);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Payload)]
struct Pair(u8, Option<String>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Payload)]
struct Unit;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Payload)]
#[serde(transparent)]
struct Wrapper {
    inner: Option<u8>,
    #[serde(skip)]
    ignored: u8,
}

#[test]
fn structs_without_named_fields() {
    check("'first' 'second-one' '3'", &[(Plain::First, "\"first\""), (Plain::Third, "\"3\"")]);
    check("str", &[(Name("a".to_owned()), "\"a\"")]);
    check("(int, str | none)", &[(Pair(1, None), "[1,null]")]);
    check("none", &[(Unit, "null")]);
    check("int | none", &[(Wrapper { inner: Some(1), ignored: 0 }, "1")]);
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Payload)]
enum External {
    Nothing,
    One(u8),
    Two(u8, String),
    #[serde(rename_all = "UPPERCASE")]
    Named {
        value: bool,
    },
    Also,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Payload)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
enum Internal {
    Started,
    TimedOut {
        after_ms: u64,
    },
    Moved(Place),
    Tagged(BTreeMap<String, u8>),
    #[serde(other)]
    Unknown,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Payload)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    Nothing,
    One(Place),
    Two(u8, u8),
    Named { value: bool },
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Payload)]
#[serde(untagged)]
enum Untagged {
    Number(i64),
    Pair(u8, String),
    Place(Place),
    Named { value: bool },
    Nothing,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Payload)]
enum Mixed {
    Known(u8),
    #[serde(untagged)]
    Else(String),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Payload)]
struct Place {
    x: i32,
    #[serde(default)]
    y: i32,
}

#[test]
fn enums_are_unions_of_what_each_variant_writes() {
    check(
        "'Nothing' 'Also' | External_One{One: int} | External_Two{Two: (int, str)} | \
         External_Named{Named: External_Named_Content{VALUE: bool}}",
        &[
            (External::Nothing, "\"Nothing\""),
            (External::One(1), "{\"One\":1}"),
            (External::Two(1, "a".to_owned()), "{\"Two\":[1,\"a\"]}"),
            (External::Named { value: true }, "{\"Named\":{\"VALUE\":true}}"),
            (External::Also, "\"Also\""),
        ],
    );
    check(
        "Internal_Started{type: 'started'} | Internal_TimedOut{type: 'timed_out', afterMs: int} | \
         Internal_Moved{type: 'moved', x: int, y!: int} | Internal_Tagged{type: 'tagged'} | Internal_Unknown{type: str}",
        &[
            (Internal::Started, "{\"type\":\"started\"}"),
            (Internal::TimedOut { after_ms: 1 }, "{\"type\":\"timed_out\",\"afterMs\":1}"),
            (Internal::Moved(Place { x: 1, y: 2 }), "{\"type\":\"moved\",\"x\":1,\"y\":2}"),
            (Internal::Tagged(BTreeMap::from([("a".to_owned(), 1)])), "{\"type\":\"tagged\",\"a\":1}"),
            (Internal::Unknown, "{\"type\":\"unknown\"}"),
        ],
    );
    check(
        "Adjacent_Nothing{t: 'Nothing'} | Adjacent_One{t: 'One', c: Place{x: int, y!: int}} | \
         Adjacent_Two{t: 'Two', c: (int, int)} | Adjacent_Named{t: 'Named', c: Adjacent_Named_Content{value: bool}}",
        &[
            (Adjacent::Nothing, "{\"t\":\"Nothing\"}"),
            (Adjacent::One(Place { x: 1, y: 2 }), "{\"t\":\"One\",\"c\":{\"x\":1,\"y\":2}}"),
            (Adjacent::Two(1, 2), "{\"t\":\"Two\",\"c\":[1,2]}"),
            (Adjacent::Named { value: true }, "{\"t\":\"Named\",\"c\":{\"value\":true}}"),
        ],
    );
    check(
        "int | (int, str) | Place{x: int, y!: int} | Untagged_Named{value: bool} | none",
        &[
            (Untagged::Number(1), "1"),
            (Untagged::Pair(1, "a".to_owned()), "[1,\"a\"]"),
            (Untagged::Place(Place { x: 1, y: 2 }), "{\"x\":1,\"y\":2}"),
            (Untagged::Named { value: true }, "{\"value\":true}"),
            (Untagged::Nothing, "null"),
        ],
    );
    check("Mixed_Known{Known: int} | str", &[(Mixed::Known(1), "{\"Known\":1}"), (Mixed::Else("a".into()), "\"a\"")]);
}
