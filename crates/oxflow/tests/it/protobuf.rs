//! Messages of protobuf, whose bytes are written by hand, from the description of the format.

use crate::host::Entry::Apply;
use crate::host::{inputs, transcode, type_of};
use oxflow::abi::Codec::{Json, MsgPack, Protobuf};
use oxflow::{DecodeError, Message, Payload};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A metric, as a generator of code writes it.
#[derive(Clone, PartialEq, ::prost::Message, Serialize, Deserialize, Payload)]
#[payload(codec = "protobuf")]
struct Metric {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int64, tag = "2")]
    #[serde(default)]
    value: i64,
    #[prost(enumeration = "Unit", tag = "3")]
    unit: i32,
    #[prost(btree_map = "string, double", tag = "4")]
    tags: BTreeMap<String, f64>,
    #[prost(message, optional, boxed, tag = "5")]
    inner: Option<Box<Metric>>,
    #[prost(oneof = "Origin", tags = "6, 7")]
    origin: Option<Origin>,
    #[prost(bytes = "vec", tag = "8")]
    body: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ::prost::Enumeration)]
#[repr(i32)]
enum Unit {
    Count = 0,
    Seconds = 1,
}

#[derive(Clone, PartialEq, ::prost::Oneof, Serialize, Deserialize, Payload)]
enum Origin {
    #[prost(string, tag = "6")]
    Host(String),
    #[prost(uint32, tag = "7")]
    Port(u32),
}

#[oxflow::function]
fn counted(msg: Message<Metric>) -> Metric {
    let (metric, _) = msg.take();
    Metric { value: metric.value + 1, ..metric }
}

/// Field 1 is text, 2 the number -1, 3 an enum, 4 a map of one pair, 5 a message with a name, 7 a number, 8 bytes.
const BYTES: &[u8] = b"\x0a\x01n\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x18\x01\
    \x22\x0c\x0a\x01a\x11\0\0\0\0\0\0\xf8\x3f\x2a\x03\x0a\x01m\x38\x50\x42\x02\x00\xff";
const JSON: &str = concat!(
    r#"{"name":"n","value":0,"unit":1,"tags":{"a":1.5},"#,
    r#""inner":{"name":"m","value":0,"unit":0,"tags":{},"inner":null,"origin":null,"body":[]},"#,
    r#""origin":{"Port":80},"body":[0,255]}"#
);

#[test]
fn a_message_goes_from_protobuf_to_json_and_back() {
    let (outputs, failed) = transcode(&inputs([BYTES]), &[Apply("counted")], [Protobuf as u32, Json as u32]);
    assert!(failed.is_empty(), "{failed:?}");
    assert_eq!(JSON, String::from_utf8_lossy(&outputs[0].payload));
    let json = JSON.replacen("\"value\":0", "\"value\":-2", 1);
    let (outputs, _) = transcode(&inputs([json]), &[Apply("counted")], [Json as u32, Protobuf as u32]);
    assert_eq!(BYTES, outputs[0].payload);
    let (packed, _) = transcode(&inputs([BYTES]), &[Apply("counted")], [Protobuf as u32, MsgPack as u32]);
    let metric = Metric::decode_as(MsgPack, &packed[0].payload).expect("a metric");
    assert_eq!((0, Some(Origin::Port(80))), (metric.value, metric.origin));
}

#[test]
fn bad_bytes_cost_their_row_only() {
    let deep = (0..100_000_u32).fold(Vec::new(), |inner, _| {
        let len = u32::try_from(inner.len()).expect("short");
        let mut outer = vec![0x2a];
        prost::encoding::encode_varint(len.into(), &mut outer);
        if inner.len() > 2000 { inner } else { [outer, inner].concat() }
    });
    let rows: [&[u8]; 6] = [BYTES, b"\x0a\xff\xff\xff\xff\x0fx", b"\x12\x01n", &BYTES[..5], &deep, b"\xff"];
    let (outputs, failed) = transcode(&inputs(rows), &[Apply("counted")], [Protobuf as u32, Json as u32]);
    assert_eq!([0], *outputs.iter().map(|output| output.row).collect::<Vec<_>>());
    let texts: Vec<_> = failed.iter().map(|failed| failed.text.as_str()).collect();
    assert_eq!(5, texts.len());
    assert!(texts.iter().all(|text| text.starts_with("protobuf: ")), "{texts:?}");
    assert_eq!("protobuf: Metric.name: buffer underflow", texts[0]);
    assert_eq!("protobuf: Metric.value: invalid wire type: LengthDelimited (expected Varint)", texts[1]);
    assert!(texts[3].ends_with("recursion limit reached"), "{}", texts[3]);
}

#[test]
fn a_message_is_in_the_tables_with_all_its_codecs() {
    let table = type_of("Metric");
    assert_eq!(Json.bit() | MsgPack.bit() | Protobuf.bit(), table.codecs);
    assert_eq!(Json as u32, table.codec);
    let error = crate::msgpack::Tag::decode_as(Protobuf, b"").err().expect("no message");
    assert_eq!("`Tag` isn't read from protobuf", error.to_string());
    assert!(matches!(error, DecodeError::Invalid { .. }));
}
