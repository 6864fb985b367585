use oxflow_engine::{Message, Pipeline, branch};

fn parity(message: &Message<u64>) -> bool {
    message.payload().is_multiple_of(2)
}

fn main() {
    let even = branch("even").serialize().sink("out", "even");
    let _ = Pipeline::source("numbers", "in").parse::<u64>().route("parity", parity, [("even", even)]);
}
