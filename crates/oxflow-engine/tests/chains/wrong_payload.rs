use oxflow_engine::{Message, Pipeline};

struct NoPayload;

fn main() {
    let _ = Pipeline::source("numbers", "in").parse::<u64>().map(|_: Message<u64>| NoPayload).serialize();
}
