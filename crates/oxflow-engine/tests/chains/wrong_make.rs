use oxflow::Message;
use oxflow_engine::Pipeline;

struct Above(u64);

#[oxflow::function]
impl Above {
    fn new(limit: u64) -> Self {
        Self(limit)
    }

    fn call(&self, message: &Message<u64>) -> bool {
        *message.payload() > self.0
    }
}

fn main() {
    let _ = Pipeline::source("numbers", "in").parse::<u64>().filter_by(Above::new(4));
}
