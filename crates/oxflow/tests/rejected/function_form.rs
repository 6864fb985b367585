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

struct Unmade;

#[oxflow::function]
impl Unmade {
    fn call(&self, _msg: Message<String>) -> bool {
        true
    }
}

struct Callless;

#[oxflow::function]
impl Callless {
    fn new() -> Self {
        Self
    }
}

struct Consumed;

#[oxflow::function]
impl Consumed {
    fn new() -> Self {
        Self
    }

    fn call(self, _msg: Message<String>) -> bool {
        true
    }
}

#[oxflow::function]
fn one_for_all(_batch: &[Message<String>]) -> bool {
    true
}

#[oxflow::function]
struct Nothing;

#[derive(oxflow::ErrorPolicy)]
enum Wrong {
    #[on_error(ignore)]
    Word,
}

#[derive(oxflow::ErrorPolicy)]
#[on_error(retry(times = 0))]
struct Never;

fn main() {}
