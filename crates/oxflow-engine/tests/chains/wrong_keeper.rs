use oxflow_engine::{List, Message, Pipeline};

fn main() {
    // What borrows from the message is gone when the closure ends.
    let lists = Pipeline::source("events", "in").parse_borrowed::<List<&[u8]>>();
    let _ = lists.map(|message: Message<List<&[u8]>>| message.take().0);
}
