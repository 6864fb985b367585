use oxflow::{Message, Payload};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Payload)]
struct Flat {
    #[serde(flatten)]
    value: std::collections::HashMap<String, String>,
}

#[derive(Serialize, Deserialize, Payload)]
struct TwoNames {
    #[serde(rename(serialize = "a", deserialize = "b"))]
    value: u8,
}

#[derive(Serialize, Deserialize, Payload)]
#[serde(tag = "kind")]
enum Tagged {
    One { value: u8 },
}

fn main() {
    let _ = Message::new(());
}
