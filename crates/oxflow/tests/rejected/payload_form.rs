use oxflow::{Message, Payload};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

#[derive(Payload)]
struct LentTwice<'a, 'b> {
    key: &'a str,
    value: &'b str,
}

#[derive(Payload)]
struct LentAndOpen<'a, T> {
    key: &'a str,
    value: T,
}

#[derive(Payload)]
struct Copied<'a> {
    value: Cow<'a, str>,
}

#[derive(Payload)]
struct CopiedInside<'a> {
    #[serde(borrow)]
    values: Vec<Cow<'a, str>>,
}

#[derive(Payload)]
struct Sized<const N: usize> {
    value: [u8; N],
}

#[derive(Payload)]
union Both {
    value: u8,
}

#[derive(Payload)]
#[serde(transparent)]
struct Empty {
    #[serde(skip)]
    value: u8,
}

#[derive(Serialize, Deserialize)]
struct Unknown;

#[derive(Serialize, Deserialize, Payload)]
struct Holder {
    value: Unknown,
}

/// Every payload has msgpack.
#[derive(Serialize, Deserialize, Payload)]
#[payload(codec = "msgpack")]
struct Packed {
    id: u8,
}

#[derive(Serialize, Deserialize, Payload)]
#[payload(codec = "protobuf")]
struct BorrowingMessage<'a> {
    id: &'a str,
}

#[derive(Serialize, Deserialize, Payload)]
#[payload(codec = "protobuf")]
enum EnumMessage {
    One,
}

#[derive(Serialize, Deserialize, Payload)]
#[payload(codec = "protobuf", unknown = "reject")]
struct StrictMessage {
    id: u8,
}

fn main() {
    let _ = Message::new(());
}
