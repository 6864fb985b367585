use oxflow::Message;
use oxflow_engine::Pipeline;

#[oxflow::function(step = Length)]
fn length(message: &Message<String>) -> u64 {
    message.payload().len() as u64
}

fn main() {
    let _ = Pipeline::source("numbers", "in").parse::<u64>().map_by(Length);
}
