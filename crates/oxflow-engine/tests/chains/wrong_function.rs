use oxflow_engine::{Message, Pipeline};

fn length(message: Message<String>) -> u64 {
    message.payload().len() as u64
}

fn main() {
    let _ = Pipeline::source("numbers", "in").parse::<u64>().map(length);
}
