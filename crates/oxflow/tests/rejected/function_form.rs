use oxflow::Message;

#[oxflow::function]
fn generic<T: oxflow::Payload>(msg: Message<T>) -> bool {
    true
}

#[oxflow::function]
async fn late(msg: Message<String>) -> bool {
    true
}

#[oxflow::function]
fn two(msg: Message<String>, more: u8) -> bool {
    true
}

#[oxflow::function]
fn none() -> bool {
    true
}

#[oxflow::function]
fn silent(msg: Message<String>) {}

#[oxflow::function(name = "x")]
fn named(msg: Message<String>) -> bool {
    true
}

struct Steps;

impl Steps {
    #[oxflow::function]
    fn method(&self) -> bool {
        true
    }
}

fn main() {}
