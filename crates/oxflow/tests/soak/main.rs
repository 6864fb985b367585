//! Messages without end through the entries of the tables, in every way that there is: nothing of them may stay.
//!
//! `OXFLOW_SOAK` says how many; `make compat` wants 10 million of a release build, and less of one with a sanitizer.

#![deny(warnings)]
// A test that fails may panic, which is what these two do.
#![allow(clippy::expect_used, clippy::indexing_slicing)]
// A function that borrows says so.
#![allow(clippy::elidable_lifetime_names)]
// Who runs it for an hour reads how it goes.
#![allow(clippy::print_stdout)]

mod functions;
#[path = "../recorded/host.rs"]
mod host;
#[path = "../it/host.rs"]
#[allow(dead_code, reason = "one test needs less of it than many")]
mod runtime;

use functions::ALIVE;
use runtime::Entry::{Apply, ApplyWith, Select, SelectWith};
use runtime::{Entry, Input, decode_and_free, run};
use std::sync::atomic::Ordering;

/// Messages that are decoded at once, as many as the engine gives.
const ROWS: usize = 256;

/// Entries that are run in a row, one after the other, and how many messages are to come out and to fail.
const WAYS: &[(&[Entry], usize, usize)] = &[
    (&[Apply("check"), Apply("letters"), Apply("keyed")], 3 * 236, 20),
    (&[Select("frequent"), Apply("keyed"), Apply("long_only")], 0, 12),
    (&[Apply("double_borrowed"), Select("frequent_borrowed")], 244, 12),
    (&[SelectWith("MoreThan", r#"{"count":1,"words":["the"]}"#), Apply("recorded")], 116, 12),
    (&[ApplyWith("RunningTotal", "{}"), Apply("beside")], 244, 12),
    (&[Apply("fragile")], 240, 16),
];

/// Words, some of which fail where that is asked for, and some of which are none.
fn inputs() -> Vec<Input> {
    let input = |number: usize| {
        let text = match number % 64 {
            1 => "bad",
            2 => "panic",
            _ => "the",
        };
        let broken = if number % 64 > 60 { "}" } else { "" };
        Input {
            payload: format!(r#"{{"text":"{text}","count":{}}}{broken}"#, number % 2).into_bytes(),
            key: number.is_multiple_of(3).then(|| b"key".to_vec()),
            headers: vec![("name".to_owned(), number.to_string().into_bytes())],
            timestamp: 1,
        }
    };
    (0..ROWS).map(input).collect()
}

/// Bytes of this process that lie in memory.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or_default() * 4096
}

/// Each way once; the number of messages that were decoded.
fn round(inputs: &[Input]) -> usize {
    for &(entries, outputs, faults) in WAYS {
        let (written, failed) = run(inputs, entries);
        assert_eq!((outputs, faults), (written.len(), failed.len()), "{entries:?}");
    }
    assert_eq!(244, decode_and_free(inputs, "check"));
    assert!(!host::heard().is_empty());
    (WAYS.len() + 1) * inputs.len()
}

#[test]
fn nothing_of_a_message_stays() {
    host::attach();
    let wanted = std::env::var("OXFLOW_SOAK").ok().and_then(|wanted| wanted.parse().ok()).unwrap_or(20_000);
    let (inputs, mut done, mut early) = (inputs(), 0, None);
    while done < wanted {
        done += round(&inputs);
        if early.is_none() && done >= wanted / 10 {
            early = Some(resident());
            println!("{done} messages: {} KiB", resident() / 1024);
        }
    }
    println!("{done} messages: {} KiB", resident() / 1024);
    assert_eq!(0, ALIVE.load(Ordering::Relaxed), "payloads and instances that nobody freed");
    // Allocators keep what they once had: an eighth of a byte for each message would be seen. A sanitizer looks for leaks itself,
    // and puts aside what was freed.
    let grown = resident().saturating_sub(early.unwrap_or_default());
    let is_compared = std::env::var_os("ASAN_OPTIONS").is_none();
    assert!(!is_compared || grown < (wanted / 8).max(1 << 20), "{grown} bytes more than after a tenth");
}
