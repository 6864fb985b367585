use oxflow::Message;
use oxflow_engine::Pipeline;

#[oxflow::function(step = Twice)]
fn twice(message: &Message<u64>) -> Vec<u64> {
    vec![*message.payload(); 2]
}

fn main() {
    let _ = Pipeline::source("numbers", "in").parse::<u64>().map_by(Twice);
}
