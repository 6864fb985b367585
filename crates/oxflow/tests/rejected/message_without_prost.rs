use oxflow::Payload;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Payload)]
#[payload(codec = "protobuf")]
struct NoMessage {
    id: u32,
}

#[derive(Clone, PartialEq, ::prost::Message, Payload)]
#[payload(codec = "protobuf")]
struct NoSerde {
    #[prost(uint32, tag = "1")]
    id: u32,
}

fn main() {}
