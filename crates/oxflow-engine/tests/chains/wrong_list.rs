use oxflow_engine::{Limits, Message, Pipeline};

fn main() {
    let lists = Pipeline::source("numbers", "in").parse::<u64>().batch(Limits::messages(2));
    let _ = lists.map(|message: Message<u64>| *message.payload());
}
