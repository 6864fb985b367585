use oxflow::{Message, Payload};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Payload)]
struct Reading {
    value: f64,
}

oxflow::rust_function!(Round, Reading, Reading, |msg: Message<Reading>| -> String { msg.take().0.value.to_string() });

fn main() {}
