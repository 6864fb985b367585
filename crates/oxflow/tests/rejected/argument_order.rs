use oxflow::Message;

struct Disordered;

#[oxflow::function]
impl Disordered {
    fn new(_may: Option<u8>, _must: u8) -> Self {
        Self
    }

    fn call(&self, _msg: Message<String>) -> bool {
        true
    }
}

fn main() {}
