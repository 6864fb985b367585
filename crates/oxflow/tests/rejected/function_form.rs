use oxflow::Message;

#[oxflow::function]
fn generic<T: oxflow::Payload>(_msg: Message<T>) -> bool {
    true
}

#[oxflow::function]
async fn late(_msg: Message<String>) -> bool {
    true
}

#[oxflow::function]
fn two(_msg: Message<String>, _more: u8) -> bool {
    true
}

#[oxflow::function]
fn none() -> bool {
    true
}

#[oxflow::function]
fn silent(_msg: Message<String>) {}

#[oxflow::function(name = "x")]
fn named(_msg: Message<String>) -> bool {
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
