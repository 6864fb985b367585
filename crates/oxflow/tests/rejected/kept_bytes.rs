use oxflow::Message;

/// Would keep what lies in the message.
#[oxflow::function]
fn keeps(msg: Message<&'static [u8]>) -> bool {
    msg.payload().is_empty()
}

fn main() {}
