use oxflow::{Message, Payload};
use serde::{Deserialize, Serialize};

#[derive(Payload)]
struct Lent<'a> {
    value: &'a str,
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

fn main() {
    let _ = Message::new(());
}
