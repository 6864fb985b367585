use oxflow::{Message, Payload};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Payload)]
struct Pair(u8, u8);

#[derive(Serialize, Deserialize, Payload)]
struct Generic<T> {
    value: T,
}

#[derive(Serialize, Deserialize, Payload)]
enum External {
    One(u8),
}

#[derive(Serialize, Deserialize, Payload)]
#[serde(untagged)]
enum Unit {
    Nothing,
}

#[derive(Serialize, Deserialize)]
struct Unknown;

#[derive(Serialize, Deserialize, Payload)]
struct Holder {
    value: Unknown,
}

fn main() {
    let _ = Message::new(());
}
