//! Payloads of the codecs beyond JSON.

use std::collections::BTreeMap;

use oxflow::abi::Codec;
use oxflow::shape::Type;
use oxflow::{Bytes, DecodeError, EncodeError, Message, Payload, Text};
use serde::{Deserialize, Serialize};

/// A packet, as it lies in the message.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
pub struct Packet<'a> {
    #[serde(borrow)]
    pub name: Text<'a>,
    pub body: Bytes,
    #[serde(default, borrow)]
    pub tags: BTreeMap<Text<'a>, f64>,
}

/// Turns the body round.
#[oxflow::function]
fn turned(msg: Message<Packet<'_>>) -> Packet<'_> {
    let (packet, _) = msg.take();
    let body = packet.body.iter().rev().copied().collect::<Vec<u8>>().into();
    Packet { body, ..packet }
}

/// A message of protobuf.
#[derive(Clone, PartialEq, ::prost::Message, Serialize, Deserialize, Payload)]
#[payload(codec = "protobuf")]
pub struct Reading {
    #[prost(string, tag = "1")]
    pub sensor: String,
    #[prost(double, repeated, tag = "2")]
    pub celsius: Vec<f64>,
    #[prost(btree_map = "string, sint64", tag = "3")]
    pub counts: BTreeMap<String, i64>,
    #[prost(message, optional, boxed, tag = "4")]
    pub before: Option<Box<Reading>>,
    #[prost(oneof = "Place", tags = "5, 6")]
    pub place: Option<Place>,
}

/// Where a reading was made.
#[derive(Clone, PartialEq, ::prost::Oneof, Serialize, Deserialize, Payload)]
pub enum Place {
    #[prost(string, tag = "5")]
    Name(String),
    #[prost(uint32, tag = "6")]
    Number(u32),
}

/// Puts the mean behind the values.
#[oxflow::function]
fn with_mean(msg: Message<Reading>) -> Reading {
    let (mut reading, _) = msg.take();
    let mean = reading.celsius.iter().sum::<f64>() / reading.celsius.len().max(1) as f64;
    reading.celsius.push(mean);
    reading
}

/// Whether anything was measured.
#[oxflow::function]
fn has_values(msg: &Message<Reading>) -> bool {
    !msg.payload().celsius.is_empty()
}

/// JSON by hand: a number of no codec but its own.
pub struct ByHand(i64);

impl Payload for ByHand {
    type Borrowed<'a> = Self;

    fn name() -> &'static str {
        "ByHand"
    }

    fn shape() -> Type {
        Type::Int
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        i64::decode(bytes).map(Self)
    }

    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.0.encode_as(Codec::Json, out)
    }
}

/// One more.
#[oxflow::function]
fn one_more(msg: Message<ByHand>) -> ByHand {
    ByHand(msg.take().0.0 + 1)
}
