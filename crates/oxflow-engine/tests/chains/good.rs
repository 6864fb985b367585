use oxflow_engine::{Message, Pipeline};

struct Between(u64);

fn is_even(message: &Message<u64>) -> bool {
    message.payload().is_multiple_of(2)
}

fn main() {
    let _ = Pipeline::source("numbers", "in")
        .parse::<u64>()
        .filter(is_even)
        .map(|message: Message<u64>| Between(*message.payload()))
        .map(|message: Message<Between>| message.payload().0)
        .serialize()
        .sink("out", "even");
}
