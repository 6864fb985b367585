//! Functions of many messages at once.

use crate::host::Entry::{Apply, ApplyWith, Select, SelectWith};
use crate::host::{Output, function, inputs, run};
use oxflow::Message;
use oxflow::abi::{Kind, Status};

/// How far each is from the mean of all; fails on 99, panics if there is a 13.
#[oxflow::function]
fn deviation(batch: &[Message<f64>]) -> Vec<Result<f64, String>> {
    assert!(batch.iter().all(|msg| (*msg.payload() - 13.0).abs() > 0.1), "a 13");
    let sum: f64 = batch.iter().map(Message::payload).sum();
    let mean = sum / f64::from(u32::try_from(batch.len()).expect("few"));
    let one = |msg: &Message<f64>| if *msg.payload() > 98.0 { Err("99".to_owned()) } else { Ok(msg.payload() - mean) };
    batch.iter().map(one).collect()
}

/// The first and the last.
#[oxflow::function]
fn ends(batch: &[Message<String>]) -> Vec<bool> {
    (0..batch.len()).map(|index| index == 0 || index + 1 == batch.len()).collect()
}

/// Forgets one.
#[oxflow::function]
fn forgetful(batch: &[Message<String>]) -> Vec<Option<String>> {
    batch.iter().skip(1).map(|msg| Some(msg.payload().clone())).collect()
}

#[oxflow::function]
fn borrowed<'m>(batch: &[Message<&'m [u8]>]) -> Vec<Vec<&'m [u8]>> {
    batch.iter().map(|msg| msg.payload().split(|byte| *byte == b' ').collect()).collect()
}

struct Numbered(usize);

#[oxflow::function]
impl Numbered {
    fn new(first: usize) -> Self {
        Self(first)
    }

    fn call(&mut self, batch: &[Message<String>]) -> Vec<Message<String>> {
        let named = |(index, msg): (usize, &Message<String>)| msg.clone().map(|name| format!("{index} {name}"));
        let named = (self.0..).zip(batch).map(named).collect();
        self.0 += batch.len();
        named
    }
}

/// Says of each word whether it is new; panics on `loud`.
struct Dedupe(Vec<String>);

#[oxflow::function]
impl Dedupe {
    fn new() -> Self {
        Self(Vec::new())
    }

    fn call(&mut self, batch: &[Message<String>]) -> Vec<bool> {
        let is_new = |msg: &Message<String>| {
            assert_ne!("loud", msg.payload(), "as asked");
            let is_new = !self.0.contains(msg.payload());
            self.0.push(msg.payload().clone());
            is_new
        };
        batch.iter().map(is_new).collect()
    }
}

fn payloads(outputs: &[Output]) -> Vec<(u32, String)> {
    outputs.iter().map(|output| (output.row, String::from_utf8_lossy(&output.payload).into_owned())).collect()
}

fn expected(rows: &[(u32, &str)]) -> Vec<(u32, String)> {
    rows.iter().map(|(row, payload)| (*row, (*payload).to_owned())).collect()
}

#[test]
fn a_batch_function_sees_all_messages() {
    let (outputs, failed) = run(&inputs(["1", "99", "2"]), &[Apply("deviation")]);
    assert_eq!(expected(&[(0, "-33.0"), (2, "-32.0")]), payloads(&outputs));
    assert_eq!([(1, "99")], *failed.iter().map(|failed| (failed.row, &*failed.text)).collect::<Vec<_>>());
    assert_eq!((Vec::new(), Vec::new()), run(&inputs::<&str>([]), &[Apply("deviation")]));
}

#[test]
fn a_panic_of_a_batch_costs_the_messages_that_it_panics_for() {
    let (outputs, failed) = run(&inputs(["1", "13", "2"]), &[Apply("deviation")]);
    assert_eq!(expected(&[(0, "0.0"), (2, "0.0")]), payloads(&outputs));
    let found: Vec<_> = failed.iter().map(|failed| (failed.row, failed.status, &*failed.text)).collect();
    assert_eq!([(1, Status::Panic as u32, "a 13")], *found);
}

#[test]
fn a_batch_may_select() {
    assert_eq!(Kind::Filter as u32, function("ends").kind);
    let (outputs, _) = run(&inputs(["\"a\"", "\"b\"", "\"c\""]), &[Select("ends")]);
    assert_eq!(expected(&[(0, "\"a\""), (2, "\"c\"")]), payloads(&outputs));
}

#[test]
fn each_message_wants_a_result() {
    let (outputs, failed) = run(&inputs(["\"a\"", "\"b\""]), &[Apply("forgetful")]);
    assert!(outputs.is_empty());
    let text = "the function of a batch gave 1 results for 2 messages; it gives one for each";
    assert_eq!([(0, text), (1, text)], *failed.iter().map(|failed| (failed.row, &*failed.text)).collect::<Vec<_>>());
}

#[test]
fn a_batch_may_borrow_and_give_any_number() {
    let (outputs, _) = run(&inputs(["a b", "c"]), &[Apply("borrowed")]);
    assert_eq!(expected(&[(0, "a"), (0, "b"), (1, "c")]), payloads(&outputs));
}

#[test]
fn a_batch_function_may_have_state() {
    let (outputs, _) = run(&inputs(["\"a\"", "\"b\""]), &[ApplyWith("Numbered", r#"{"first":3}"#)]);
    assert_eq!(expected(&[(0, "\"3 a\""), (1, "\"4 b\"")]), payloads(&outputs));
}

#[test]
fn a_batch_function_with_state_is_not_asked_twice() {
    let (outputs, failed) = run(&inputs(["\"a\"", "\"loud\"", "\"b\""]), &[SelectWith("Dedupe", "{}")]);
    assert!(outputs.is_empty());
    assert_eq!([0, 1, 2], *failed.iter().map(|failed| failed.row).collect::<Vec<_>>());
    let (outputs, _) = run(&inputs(["\"a\"", "\"a\"", "\"b\""]), &[SelectWith("Dedupe", "{}")]);
    assert_eq!(expected(&[(0, "\"a\""), (2, "\"b\"")]), payloads(&outputs));
}
