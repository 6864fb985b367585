use oxflow_engine::{Message, Pipeline};

fn number(message: &Message<u64>) -> u64 {
    *message.payload()
}

fn main() {
    let _ = Pipeline::source("numbers", "in").parse::<u64>().filter(number);
}
