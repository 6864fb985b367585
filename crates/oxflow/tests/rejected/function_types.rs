use oxflow::Message;

struct Plain;

#[oxflow::function]
fn bare(text: String) -> bool {
    text.is_empty()
}

#[oxflow::function]
fn unknown(_msg: Message<String>) -> Plain {
    Plain
}

fn main() {}
