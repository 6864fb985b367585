//! Payloads that lie in the message.

use crate::host::Entry::{Apply, Select};
use crate::host::{function, inputs, run, type_of};
use oxflow::{DecodeError, Message, Payload, Text};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A line of a log, as it lies in the message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Payload)]
struct Line<'a> {
    host: &'a str,
    #[serde(borrow)]
    text: Cow<'a, str>,
    #[serde(borrow, default)]
    tags: BTreeMap<Text<'a>, Option<Text<'a>>>,
}

/// What is left of it.
#[derive(Debug, PartialEq, Serialize, Deserialize, Payload)]
struct Short<'l> {
    #[serde(borrow)]
    host: Text<'l>,
    words: usize,
}

#[derive(Serialize, Deserialize, Payload)]
struct OwnedLine {
    host: String,
    text: String,
    #[serde(default)]
    tags: BTreeMap<String, Option<String>>,
}

#[oxflow::function]
#[allow(clippy::elidable_lifetime_names, reason = "a name is what is tested")]
fn shorten<'m>(msg: Message<Line<'m>>) -> Short<'m> {
    let (line, _) = msg.take();
    Short { host: line.host.into(), words: line.text.split_whitespace().count() }
}

#[oxflow::function]
fn is_long(msg: &Message<Line<'_>>) -> bool {
    msg.payload().text.len() > 3
}

/// By value, on a clone.
#[oxflow::function]
fn is_local(msg: Message<Line<'_>>) -> Result<bool, String> {
    let host = msg.take().0.host;
    if host.is_empty() { Err("no host".to_owned()) } else { Ok(host == "localhost") }
}

#[oxflow::function]
fn trimmed(msg: Message<&[u8]>) -> Option<&[u8]> {
    let bytes = msg.take().0.trim_ascii();
    (!bytes.is_empty()).then_some(bytes)
}

oxflow::rust_function!(
    /// The host alone.
    Host, Line<'_>, Text<'_>, |msg: Message<Line<'_>>| -> Text<'_> { msg.take().0.host.into() }
);

const LINE: &str = r#"{"host":"localhost","text":"to be","tags":{"a":"b","c":null}}"#;

fn given(payload: &str, entries: &[crate::host::Entry]) -> Vec<String> {
    let (outputs, failed) = run(&inputs([payload]), entries);
    assert!(failed.is_empty(), "{failed:?}");
    outputs.into_iter().map(|output| String::from_utf8(output.payload).expect("UTF-8")).collect()
}

#[test]
fn what_is_borrowed_goes_through_functions_and_out_again() {
    assert_eq!([r#"{"host":"localhost","words":2}"#], *given(LINE, &[Select("is_long"), Apply("shorten")]));
    assert_eq!([LINE], *given(LINE, &[Select("is_local")]));
    assert_eq!(["\"localhost\""], *given(LINE, &[Apply("Host")]));
    assert_eq!(["x y"], *given(" x y\n", &[Apply("trimmed")]));
    assert!(given(" \n", &[Apply("trimmed")]).is_empty());
}

#[test]
fn text_lies_in_the_message_unless_it_has_escapes() {
    let bytes = r#"{"host":"h","text":"a\nb","tags":{"k":"v","e":"\u0041"}}"#.as_bytes();
    let line = Line::decode(bytes).expect("a line");
    let inside = |text: &str| bytes.as_ptr_range().contains(&text.as_ptr());
    assert!(inside(line.host));
    assert!(!inside(&line.text));
    let found = line.tags.iter().map(|(key, value)| (key.is_borrowed(), value.as_ref().is_some_and(Text::is_borrowed)));
    assert_eq!([(true, false), (true, true)], *found.collect::<Vec<_>>());
    assert_eq!("A", &**line.tags["e"].as_ref().expect("a tag"));
}

#[test]
fn a_reference_takes_no_text_with_escapes() {
    let error = Line::decode(br#"{"host":"\n","text":""}"#).expect_err("an escape");
    assert_eq!(
        "invalid type: string \"\\n\", expected a borrowed string at byte 12",
        error.to_string(),
        "{error:?} {}",
        matches!(error, DecodeError::Json { .. })
    );
}

#[test]
fn a_type_that_borrows_has_the_hash_of_one_that_does_not() {
    assert_eq!(type_of("OwnedLine").hash, type_of("Line").hash);
    assert_ne!(0, type_of("Line").hash);
}

#[test]
fn a_filter_by_value_selects_what_can_be_cloned() {
    assert!(function("is_local").select.is_some());
    let (outputs, failed) = run(&inputs([r#"{"host":"","text":""}"#]), &[Select("is_local")]);
    assert!(outputs.is_empty());
    assert_eq!(["no host"], failed.iter().map(|failed| failed.text.as_str()).collect::<Vec<_>>()[..]);
}
