//! Functions that are made of arguments, and functions that go through lists.

use crate::host::Entry::{ApplyWith, SelectWith};
use crate::host::{Made, function, inputs, run, text};
use oxflow::abi::{Form, Kind};
use oxflow::{List, Message, Text};
use std::sync::atomic::{AtomicUsize, Ordering};

static ALIVE: AtomicUsize = AtomicUsize::new(0);

struct Above {
    limit: f64,
    unit: String,
}

impl Drop for Above {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Keeps what is above a limit.
#[oxflow::function]
impl Above {
    #[allow(clippy::needless_pass_by_value, reason = "an argument is owned")]
    fn new(limit: f64, #[default("kg".to_owned())] unit: String, note: Option<String>) -> Result<Self, String> {
        assert_ne!(Some("panic"), note.as_deref(), "as asked");
        if limit.is_sign_negative() {
            return Err(format!("{limit} {unit} is no limit"));
        }
        ALIVE.fetch_add(1, Ordering::Relaxed);
        Ok(Self { limit, unit })
    }

    fn call(&self, msg: &Message<f64>) -> bool {
        *msg.payload() > self.limit && !self.unit.is_empty()
    }
}

/// Numbers what comes by.
struct Counter(u64);

#[oxflow::function]
impl Counter {
    fn new(start: u64) -> Self {
        Self(start)
    }

    fn call(&mut self, msg: Message<u64>) -> Option<u64> {
        let (value, _) = msg.take();
        self.0 += 1;
        assert_ne!(13, value, "unlucky");
        (value > 0).then_some(self.0)
    }
}

/// The longest of a list, at least `least` long.
#[derive(Clone)]
struct Longest {
    least: usize,
    found: String,
}

#[oxflow::function]
impl Longest {
    fn new(least: usize) -> Self {
        Self { least, found: String::new() }
    }

    fn add(&mut self, word: &String) {
        if word.len() > self.found.len() {
            word.clone_into(&mut self.found);
        }
    }

    fn finish(self) -> Result<String, String> {
        if self.found.len() < self.least { Err(format!("nothing of {} letters", self.least)) } else { Ok(self.found) }
    }
}

/// Adds a number that is only known where it is asked for.
struct Late(u64);

#[oxflow::function]
impl Late {
    fn new(#[default("seven".parse().expect("a number"))] count: u64) -> Self {
        Self(count)
    }

    fn call(&self, msg: &Message<u64>) -> u64 {
        msg.payload() + self.0
    }
}

#[oxflow::function]
fn total(msg: &Message<List<u64>>) -> u64 {
    msg.payload().iter().sum()
}

#[oxflow::function]
fn repeated(msg: &Message<u64>) -> List<u64> {
    let times = *msg.payload();
    (0..times).collect()
}

fn payloads(inputs_: &[&str], entry: crate::host::Entry) -> (Vec<String>, Vec<String>) {
    let (outputs, failed) = run(&inputs(inputs_), &[entry]);
    let outputs = outputs.into_iter().map(|output| String::from_utf8(output.payload).expect("UTF-8"));
    (outputs.collect(), failed.into_iter().map(|failed| failed.text).collect())
}

/// One test, since the parts count the same instances.
#[test]
fn a_function_is_made_of_its_arguments_and_freed() {
    let table = function("Above");
    assert_eq!((Form::Class as u32, Kind::Filter as u32, 0), (table.form, table.kind, table.stateful));
    let parameters = concat!(
        r#"[{"name":"limit","type":"float","required":true},{"name":"unit","type":"str","required":false,"default":"\"kg\""},"#,
        r#"{"name":"note","type":{"union":["str","none"]},"required":false,"default":"null"}]"#
    );
    assert_eq!(parameters, text(table.parameters));
    let (kept, failed) = payloads(&["1.0", "2.5"], SelectWith("Above", r#"{"limit":2}"#));
    assert_eq!((vec!["2.5".to_owned()], Vec::new()), (kept, failed));
    let (kept, _) = payloads(&["1.0", "2.5"], SelectWith("Above", r#"{"limit":2,"unit":""}"#));
    assert!(kept.is_empty());
    assert_eq!(0, ALIVE.load(Ordering::Relaxed));
    let refused = |arguments| Made::new(table, arguments).err().map(|failed| failed.text);
    assert_eq!(Some("-1 kg is no limit".to_owned()), refused(r#"{"limit":-1}"#));
    assert!(refused(r#"{"limit":1,"note":"panic"}"#).is_some_and(|text| text.contains("as asked")));
    assert_eq!(Some("missing field `limit` at byte 2".to_owned()), refused("{}"));
    assert!(refused(r#"{"limit":1,"more":1}"#).is_some_and(|text| text.starts_with("unknown field `more`")));
    assert_eq!(0, ALIVE.load(Ordering::Relaxed));
}

#[test]
fn a_default_that_panics_costs_only_who_leaves_the_argument_out() {
    let table = function("Late");
    assert_eq!(r#"[{"name":"count","type":"int","required":false}]"#, text(table.parameters));
    assert!(Made::new(table, "{}").err().is_some_and(|failed| failed.text.contains("a number")));
    assert_eq!((vec!["8".to_owned()], Vec::new()), payloads(&["1"], ApplyWith("Late", r#"{"count":7}"#)));
}

#[test]
fn state_goes_on_from_row_to_row_and_after_a_panic() {
    assert_eq!(1, function("Counter").stateful);
    let (given, failed) = payloads(&["5", "0", "13", "5"], ApplyWith("Counter", r#"{"start":10}"#));
    assert_eq!(["11", "14"], given[..]);
    assert_eq!(1, failed.len());
}

#[test]
fn an_accumulator_begins_anew_with_each_list() {
    let (given, failed) = payloads(&[r#"["a","ccc","bb"]"#, "[]", r#"["dd"]"#], ApplyWith("Longest", r#"{"least":1}"#));
    assert_eq!(
        (vec!["\"ccc\"".to_owned(), "\"dd\"".to_owned()], vec!["nothing of 1 letters".to_owned()]),
        (given, failed)
    );
}

#[test]
fn a_list_is_a_payload() {
    use crate::host::Entry::Apply;
    assert_eq!((vec!["6".to_owned()], Vec::new()), payloads(&["[1,2,3]"], Apply("total")));
    assert_eq!((vec!["[0,1]".to_owned()], Vec::new()), payloads(&["2"], Apply("repeated")));
    assert_eq!(Kind::Map as u32, function("repeated").kind);
    let (_, failed) = payloads(&["{}"], Apply("total"));
    assert_eq!(["invalid type: map, expected a list at byte 1"], failed[..]);
    let bytes = br#"["a", "b"]"#;
    let borrowed = <List<Text<'_>> as oxflow::Payload>::decode(bytes).expect("a list");
    assert!(borrowed.iter().all(Text::is_borrowed));
}
