//! Msgpack, against another implementation of it, and against hostile input.

use crate::host::Entry::Apply;
use crate::host::{Input, inputs, transcode, type_of, types};
use oxflow::abi::Codec::{Json, MsgPack};
use oxflow::codec::msgpack::{decode, encode};
use oxflow::{Bytes, List, Message, Payload, Text};
use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Debug;

fn packed<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    encode(value, &mut out).expect("msgpack");
    out
}

#[track_caller]
fn refused<T: DeserializeOwned + Debug>(expected: &str, bytes: &[u8]) {
    assert_eq!(format!("msgpack: {expected}"), decode::<T>(bytes).expect_err("refused").to_string());
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Scalars {
    small: i8,
    signed: i64,
    unsigned: u64,
    single: f32,
    float: f64,
    letter: char,
    text: String,
    bytes: Bytes,
    truth: bool,
    nothing: (),
    maybe: Option<u16>,
    list: Vec<u32>,
    pair: (u8, String),
    map: BTreeMap<String, i32>,
    choice: Vec<Choice>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Choice {
    Plain,
    One(u8),
    Two(i16, bool),
    Named { text: String },
}

fn choice() -> impl Strategy<Value = Choice> {
    prop_oneof![
        Just(Choice::Plain),
        any::<u8>().prop_map(Choice::One),
        any::<(i16, bool)>().prop_map(|(left, right)| Choice::Two(left, right)),
        any::<String>().prop_map(|text| Choice::Named { text }),
    ]
}

fn scalars() -> impl Strategy<Value = Scalars> {
    let numbers = (any::<i8>(), any::<i64>(), any::<u64>(), any::<f32>(), any::<f64>());
    let texts = (any::<char>(), ".{0,300}", prop::collection::vec(any::<u8>(), 0..300));
    let rest = (any::<bool>(), any::<Option<u16>>(), prop::collection::vec(any::<u32>(), 0..40), any::<(u8, String)>());
    let held =
        (prop::collection::btree_map(any::<String>(), any::<i32>(), 0..40), prop::collection::vec(choice(), 0..20));
    (numbers, texts, rest, held).prop_map(|(numbers, texts, rest, held)| Scalars {
        small: numbers.0,
        signed: numbers.1,
        unsigned: numbers.2,
        single: if numbers.3.is_nan() { 0.5 } else { numbers.3 },
        float: if numbers.4.is_nan() { 0.5 } else { numbers.4 },
        letter: texts.0,
        text: texts.1,
        bytes: texts.2.into(),
        truth: rest.0,
        nothing: (),
        maybe: rest.1,
        list: rest.2,
        pair: rest.3,
        map: held.0,
        choice: held.1,
    })
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has no other", |number| number.is_finite()).prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 20, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..20).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..20).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn another_implementation_writes_the_same_and_reads_what_is_written(value in scalars()) {
        let theirs = rmp_serde::to_vec_named(&value).expect("msgpack");
        proptest::prop_assert_eq!(&theirs, &packed(&value));
        proptest::prop_assert_eq!(&value, &decode::<Scalars>(&theirs).expect("what another wrote"));
        // It writes structs as lists, too.
        let short = rmp_serde::to_vec(&value).expect("msgpack");
        proptest::prop_assert_eq!(&value, &decode::<Scalars>(&short).expect("what another wrote"));
    }

    #[test]
    fn json_goes_through_msgpack_and_comes_out_as_it_was(value in any_json()) {
        let packed = packed(&value);
        proptest::prop_assert_eq!(&rmp_serde::to_vec_named(&value).expect("msgpack"), &packed);
        proptest::prop_assert_eq!(value, decode::<Value>(&packed).expect("what was written"));
    }

    #[test]
    fn any_bytes_are_a_value_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode::<Value>(&bytes);
        let _ = decode::<Scalars>(&bytes);
        let _ = List::<Bytes>::decode_as(MsgPack, &bytes);
    }

    #[test]
    fn a_message_that_is_cut_is_an_error_where_it_ends(value in scalars(), at in any::<prop::sample::Index>()) {
        let packed = packed(&value);
        let cut = &packed[..at.index(packed.len())];
        let error = decode::<Scalars>(cut).expect_err("half a message").to_string();
        proptest::prop_assert_eq!(format!("msgpack: it ends inside of a value at byte {}", cut.len() + 1), error);
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    refused::<u8>("it ends inside of a value at byte 1", &[]);
    refused::<u8>("no value begins with the byte 0xc1 at byte 1", &[0xc1]);
    refused::<Vec<u8>>("invalid value: integer `256`, expected u8 at byte 3", &[0x92, 1, 0xcd, 1, 0]);
    refused::<Vec<u8>>("invalid type: string \"a\", expected u8 at byte 3", &[0x92, 1, 0xa1, b'a']);
    refused::<String>("text that is not UTF-8 at byte 1", &[0xa1, 0xff]);
    refused::<String>("invalid type: byte array, expected a string at byte 1", &[0xc4, 1, b'a']);
    refused::<(u8,)>("1 more than expected at byte 3", &[0x92, 1, 2]);
    refused::<u8>("something comes after the value at byte 2", &[1, 2]);
    refused::<Place>("missing field `x` at byte 1", &[0x80]);
    refused::<Place>("invalid type: integer `0`, expected field identifier at byte 2", &[0x81, 0, 1]);
    refused::<Choice>("an enum is a map of one field at byte 1", &[0x80]);
    refused::<Choice>("unknown variant `More`, expected one of `Plain`, `One`, `Two`, `Named` at byte 1", b"\xa4More");
}

#[test]
fn extension_types_are_refused_by_name() {
    let timestamp = [0xd6, 0xff, 0, 0, 0, 1];
    refused::<u64>("invalid type: a timestamp, expected u64 at byte 1", &timestamp);
    refused::<Value>("invalid type: a timestamp, expected any valid JSON value at byte 1", &timestamp);
    refused::<Bytes>("invalid type: an extension type, expected bytes at byte 1", &[0xc7, 2, 5, 0, 0]);
    // Where nobody wants it, it is passed over.
    assert_eq!(Place { x: 1 }, decode(&[[0x82, 0xa1, b't'].as_slice(), &timestamp, b"\xa1x\x01"].concat()).expect("x"));
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Place {
    x: u8,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Tree {
    children: Vec<Tree>,
    #[serde(default)]
    map: BTreeMap<u8, Tree>,
}

#[test]
fn a_length_is_not_believed() {
    for head in [0xdb, 0xc6, 0xc9] {
        refused::<Value>("it ends inside of a value at byte 6", &[head, 0xff, 0xff, 0xff, 0xff]);
    }
    refused::<Vec<[u64; 32]>>("it ends inside of a value at byte 6", &[0xdd, 0xff, 0xff, 0xff, 0xff]);
    // 4 GiB a level, if anyone made room for it.
    let level = [b"\x81\xa8children\xdd".as_slice(), &[0xff; 4]].concat();
    refused::<Tree>("it ends inside of a value at byte 901", &level.repeat(60));
    let ignored = [b"\x81\xa4more".as_slice(), &[0xdf, 0xff, 0xff, 0xff, 0xff]].concat();
    refused::<Tree>("it ends inside of a value at byte 12", &ignored);
}

#[test]
fn depth_costs_no_stack() {
    refused::<Value>("values lie too deep in each other at byte 129", &vec![0x91; 100_000]);
    refused::<Value>("values lie too deep in each other at byte 257", &b"\x81\xa0".repeat(100_000));
    refused::<Option<Option<u8>>>("invalid type: sequence, expected u8 at byte 1", &[0x90]);
    // What nobody reads may be as deep as it likes.
    let ignored = [b"\x82\xa4more".as_slice(), &vec![0x91; 100_000], b"\xc0\xa1x\x01"].concat();
    assert_eq!(Place { x: 1 }, decode(&ignored).expect("x"));
}

#[test]
fn keys_are_text_and_are_read_as_numbers_too() {
    assert_eq!(packed(&json!({"-1": 2})), packed(&BTreeMap::from([(-1_i8, 2)])));
    assert_eq!(BTreeMap::from([(-1_i8, 2)]), decode(&[0x81, 0xff, 2]).expect("a number as key"));
    let error = encode(&BTreeMap::from([(vec![1], 2)]), &mut Vec::new()).expect_err("a list as key").to_string();
    assert_eq!("not expressible in msgpack: a key of a map must be text", error);
}

#[derive(Serialize, Deserialize, Payload)]
struct Packet<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    body: Bytes,
    #[serde(default)]
    tags: BTreeMap<String, Tag>,
}

#[derive(Serialize, Deserialize, Payload)]
pub(crate) struct Tag {
    weight: f64,
}

#[derive(Serialize, Deserialize, Payload)]
#[payload(unknown = "reject")]
struct StrictPacket {
    tags: BTreeMap<String, Tag>,
}

#[oxflow::function]
fn repacked(msg: Message<Packet<'_>>) -> Packet<'_> {
    msg.take().0
}

#[oxflow::function]
fn repacked_strictly(msg: Message<StrictPacket>) -> StrictPacket {
    msg.take().0
}

fn packet() -> Vec<u8> {
    let tags = json!({"b": {"weight": 2.5, "more": [1]}});
    [b"\x84\xa4name\xa1n\xa4body\xc4\x02\x00\xff\xa4tags".as_slice(), &packed(&tags), b"\xa4more\xc0"].concat()
}

#[test]
fn text_lies_in_the_message() {
    let bytes = packet();
    let packet = Packet::decode_as(MsgPack, &bytes).expect("a packet");
    assert!(packet.name.is_borrowed());
    assert!(packet.tags.contains_key("b"));
    assert_eq!(b"\x00\xff", &*packet.body);
}

#[test]
fn rows_go_from_codec_to_codec_and_what_is_dropped_is_counted() {
    let given = inputs([packet(), b"\x80".to_vec(), packet()]);
    let (outputs, failed) = transcode(&given, &[Apply("repacked")], [MsgPack as u32, Json as u32]);
    let expected = r#"{"name":"n","body":[0,255],"tags":{"b":{"weight":2.5}}}"#;
    assert_eq!([(0, expected), (2, expected)], *outputs.iter().map(as_text).collect::<Vec<_>>());
    assert_eq!(["msgpack: missing field `name` at byte 1"], *failed.iter().map(|row| &*row.text).collect::<Vec<_>>());
    // SAFETY: it takes nothing.
    assert_eq!(4, unsafe { (type_of("Packet").take_unknown)() });
    let (outputs, _) = transcode(&given, &[Apply("repacked")], [MsgPack as u32, MsgPack as u32]);
    assert_eq!(
        Some(&packed(&Packet::decode_as(MsgPack, &packet()).expect("a packet"))),
        outputs.first().map(|row| &row.payload)
    );
}

fn as_text(output: &crate::host::Output) -> (u32, &str) {
    (output.row, std::str::from_utf8(&output.payload).expect("UTF-8"))
}

#[test]
fn a_type_that_rejects_names_the_unknown_field() {
    let tags = json!({"tags": {"a": {"weight": 1.0}, "b": {"weight": 2.5, "more": [1]}}});
    let given = [Input { payload: packed(&tags), ..Input::default() }];
    let (_, failed) = transcode(&given, &[Apply("repacked_strictly")], [MsgPack as u32, Json as u32]);
    assert_eq!(["unknown field `tags.b.more`"], *failed.iter().map(|row| &*row.text).collect::<Vec<_>>());
}

#[test]
fn the_tables_say_which_codecs_a_type_has() {
    assert_eq!(Json.bit() | MsgPack.bit(), type_of("Packet").codecs);
    assert!(types().iter().all(|table| table.codecs & (1 << table.codec) != 0 && table.absent == 0));
}
