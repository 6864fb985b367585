//! What happens to rows on their way through the tables.

use crate::functions::{CAUGHT, DROPS};
use crate::host::Entry::{Apply, Select};
use crate::host::{Entry, Failed, Input, Output, decode_and_free, function, inputs, run};
use oxflow::abi::{Kind, Status, Wish};
use std::sync::atomic::Ordering;

fn reading(value: &str) -> String {
    format!(r#"{{"sensor":"s","value":{value}}}"#)
}

fn payloads(outputs: &[Output]) -> Vec<(u32, String)> {
    outputs.iter().map(|output| (output.row, String::from_utf8_lossy(&output.payload).into_owned())).collect()
}

fn owned<T: AsRef<str>>(expected: &[(u32, T)]) -> Vec<(u32, String)> {
    expected.iter().map(|(row, payload)| (*row, payload.as_ref().to_owned())).collect()
}

#[track_caller]
fn check<T: AsRef<str>>(expected: &[(u32, T)], inputs: &[Input], entries: &[Entry]) {
    let (outputs, failed) = run(inputs, entries);
    assert_eq!(Vec::<Failed>::new(), failed);
    assert_eq!(owned(expected), payloads(&outputs));
}

#[test]
fn fused_functions_pass_rows_as_they_are() {
    check(
        &[(0, reading("6.0")), (1, reading("8.0"))],
        &inputs([reading("1.5"), reading("2")]),
        &[Apply("Double"), Apply("Double")],
    );
}

#[test]
fn an_empty_batch_gives_an_empty_batch() {
    check::<&str>(&[], &[], &[Apply("Double")]);
}

#[test]
fn floats_keep_their_last_digit() {
    let exact = reading("2.4116879811988746e+17");
    check(&[(0, exact.as_str())], &inputs([&exact]), &[Apply("Identity")]);
}

#[test]
fn unknown_fields_are_dropped() {
    check(&[(0, reading("1.0"))], &inputs([r#"{"sensor":"s","more":[1],"value":1}"#]), &[Apply("Identity")]);
}

#[test]
fn a_bad_row_costs_that_row_only() {
    let batch = inputs([
        reading("1"),
        "{\"sensor\":\"s\"}".to_owned(),
        reading("-1"),
        reading("13"),
        reading("13"),
        reading("2"),
    ]);
    let (outputs, failed) = run(&batch, &[Apply("checked"), Apply("Double")]);
    assert_eq!(owned(&[(0, reading("2.0")), (5, reading("4.0"))]), payloads(&outputs));
    let found: Vec<_> =
        failed.iter().map(|failed| (failed.row, failed.status, &*failed.class, &*failed.text)).collect();
    let expected = [
        (1, Status::Undecodable as u32, "oxflow::DecodeError", "missing field `value` at byte 14"),
        (2, Status::Error as u32, "core::num::error::ParseIntError", "invalid digit found in string"),
        (3, Status::Panic as u32, "panic", "s is unlucky"),
        (4, Status::Panic as u32, "panic", "s is unlucky"),
    ];
    assert_eq!(expected.as_slice(), found);
}

#[test]
fn the_first_panic_has_its_backtrace_if_one_is_asked_for() {
    // Rust reads the variable once in a process, so each way has a process of its own.
    let name = "rows::the_first_panic_has_its_backtrace_if_one_is_asked_for";
    let Ok(wanted) = std::env::var("PANIC_TEST") else {
        return ["0", "1"].iter().for_each(|wanted| again(name, wanted));
    };
    let (_, failed) = run(&inputs([reading("13"), reading("13")]), &[Apply("checked")]);
    let details: Vec<_> = failed.iter().map(|failed| failed.detail.as_str()).collect();
    assert!(details.iter().all(|detail| detail.starts_with("at ") && detail.contains("functions.rs:")), "{details:?}");
    assert_eq!(wanted == "1", details[0].contains("functions::checked"), "{}", details[0]);
    assert_eq!(wanted == "1", details[0].lines().count() > 1, "{}", details[0]);
    assert!(!details[0].contains("oxflow::guard"), "{}", details[0]);
    assert_eq!(1, details[1].lines().count());
}

#[track_caller]
fn again(test: &str, wanted: &str) {
    let mut command = std::process::Command::new(std::env::current_exe().expect("the path of this test"));
    let command = command.args(["--exact", test]).env("PANIC_TEST", wanted).env("RUST_BACKTRACE", wanted);
    assert!(command.env_remove("RUST_LIB_BACKTRACE").status().expect("a process").success(), "RUST_BACKTRACE={wanted}");
}

#[test]
fn a_panic_without_text_is_reported_too() {
    let (_, failed) = run(&inputs(["1"]), &[Apply("odd")]);
    assert_eq!(["a panic without text"], failed.iter().map(|failed| failed.text.as_str()).collect::<Vec<_>>()[..]);
}

#[test]
fn what_a_panic_carries_is_freed() {
    let (_, failed) = run(&inputs(["1", "2"]), &[Apply("throw")]);
    assert_eq!(["a panic without text"; 2], failed.iter().map(|failed| failed.text.as_str()).collect::<Vec<_>>()[..]);
    assert_eq!(2, CAUGHT.load(Ordering::Relaxed));
}

#[test]
fn a_broken_document_says_at_which_byte() {
    let (_, failed) = run(&inputs(["{\n\"sensor\": 1}", "{\"sensor\":\"s\",\"value\":1} x"]), &[Apply("Identity")]);
    let texts: Vec<_> = failed.iter().map(|failed| failed.text.as_str()).collect();
    assert_eq!(
        ["invalid type: integer `1`, expected a string at byte 13", "trailing characters at byte 26"],
        texts[..]
    );
}

#[test]
fn a_flat_map_keeps_for_each_output_its_row() {
    let (outputs, failed) = run(&inputs(["a b", "", "1 2 3 4", "c"]), &[Apply("Split"), Apply("NotEmpty")]);
    assert_eq!(owned(&[(0, "a"), (0, "b"), (3, "c")]), payloads(&outputs));
    let expected = Failed {
        row: 2,
        wish: Wish::default(),
        status: 2,
        class: "alloc::string::String".into(),
        text: "4 parts".into(),
        detail: String::new(),
    };
    assert_eq!(vec![expected], failed);
}

#[test]
fn a_filter_answers_or_selects() {
    let batch = inputs([reading("1.0"), reading("-1.0")]);
    check(&[(0, "true"), (1, "false")], &batch, &[Apply("positive")]);
    check(&[(0, reading("2.0"))], &batch, &[Select("positive"), Apply("Double")]);
}

#[test]
fn a_filter_that_fails_selects_nothing() {
    let (outputs, failed) = run(&inputs(["abc", "!", "", "abcd", "ab"]), &[Select("short")]);
    assert_eq!(owned(&[(0, "abc"), (4, "ab")]), payloads(&outputs));
    let found: Vec<_> = failed.iter().map(|failed| (failed.row, failed.status)).collect();
    assert_eq!([(1, Status::Panic as u32), (2, Status::Error as u32)].as_slice(), found);
}

#[test]
fn a_filter_by_value_selects_only_where_it_can_clone() {
    let selects = |name| function(name).select.is_some();
    assert_eq!([true, true, false, false], ["positive", "short", "consumed", "Double"].map(selects));
}

#[test]
fn kinds_follow_the_return_type() {
    let kinds =
        ["Double", "checked", "Label", "positive", "short", "NotEmpty", "Split"].map(|name| function(name).kind);
    let (map, filter) = (Kind::Map as u32, Kind::Filter as u32);
    assert_eq!([map, map, map, filter, filter, Kind::FilterMap as u32, Kind::FlatMap as u32], kinds);
}

#[test]
fn changed_metadata_is_reported_for_its_output_only() {
    let mut batch = inputs([reading("1"), reading("2")]);
    batch[1].key = Some(b"k".to_vec());
    batch[1].timestamp = 41;
    let (outputs, _) = run(&batch, &[Apply("Label")]);
    let headers = vec![("a".to_owned(), b"1".to_vec()), ("b".to_owned(), Vec::new())];
    assert_eq!(Some((Some(b"none!".to_vec()), headers.clone(), 1)), outputs[0].changed);
    assert_eq!(Some((Some(b"k!".to_vec()), headers, 42)), outputs[1].changed);
    let (outputs, _) = run(&batch, &[Apply("Double")]);
    assert!(outputs.iter().all(|output| output.changed.is_none()));
}

#[test]
fn a_fresh_message_has_the_timestamp_of_its_row_and_nothing_else() {
    let mut batch = inputs([reading("1")]);
    batch[0] =
        Input { key: Some(b"k".to_vec()), headers: vec![("h".into(), vec![1])], timestamp: 7, ..batch[0].clone() };
    let (outputs, _) = run(&batch, &[Apply("Fresh")]);
    assert_eq!(Some((None, Vec::new(), 7)), outputs[0].changed);
}

#[test]
fn a_message_may_outlive_its_batch() {
    let first = Input { key: Some(b"first".to_vec()), timestamp: 1, payload: b"\"a\"".to_vec(), ..Input::default() };
    check::<&str>(&[], &[first], &[Apply("delay")]);
    let (outputs, _) = run(&inputs(["\"b\""]), &[Apply("delay")]);
    assert_eq!(owned(&[(0, "\"a\"")]), payloads(&outputs));
    assert_eq!(Some((Some(b"first".to_vec()), Vec::new(), 1)), outputs[0].changed);
}

#[test]
fn a_message_knows_its_origin() {
    check(&[(0, "\"in/3/100\""), (1, "\"in/3/101\"")], &inputs(["\"\"", "\"\""]), &[Apply("origin")]);
}

/// One test, since the two parts count the same drops.
#[test]
fn a_destructor_that_panics_costs_its_row_only() {
    let before = DROPS.load(Ordering::Relaxed);
    assert_eq!(4, decode_and_free(&inputs(["1", "2", "3", "4"]), "pass"));
    assert_eq!(4, DROPS.load(Ordering::Relaxed) - before);
    let (outputs, failed) = run(&inputs(["1", "2", "3", "4"]), &[Apply("pass")]);
    assert_eq!(owned(&[(1, "2"), (3, "4")]), payloads(&outputs));
    assert_eq!([0, 2], failed.iter().map(|failed| failed.row).collect::<Vec<_>>()[..]);
    assert_eq!(8, DROPS.load(Ordering::Relaxed) - before);
}
