use oxflow_engine::{Message, Pipeline};

fn main() {
    let _ = Pipeline::source("numbers", "in").map(|message: Message<u64>| message);
}
