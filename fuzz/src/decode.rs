//! Any bytes into `decode` of a type of any form: they are refused, or become a value that is written as what it was read from.
//!
//! The first byte chooses the type, of those of the tests' own extension.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use runtime::Entry::Apply;
use runtime::{functions, inputs, run, text};

#[path = "../../crates/oxflow/tests/it/host.rs"]
#[allow(dead_code, reason = "the tests use what this target does not")]
mod runtime;
#[path = "../../tests/steps/src/types.rs"]
#[allow(dead_code, reason = "the tests use what this target does not")]
mod types;

/// The functions that give back what they get.
fn names() -> &'static [&'static str] {
    static NAMES: OnceLock<Vec<&'static str>> = OnceLock::new();
    NAMES.get_or_init(|| functions().iter().map(|function| &*text(function.name).leak()).collect())
}

fn json(payload: &[u8]) -> Option<serde_json::Value> {
    serde_json::from_slice(payload).ok()
}

fuzz_target!(|data: &[u8]| {
    let Some((&chosen, payload)) = data.split_first() else { return };
    let name = names()[usize::from(chosen) % names().len()];
    let (first, failed) = run(&inputs([payload]), &[Apply(name)]);
    assert_eq!(1, first.len() + failed.len(), "{name}");
    for output in first {
        let (again, failed) = run(&inputs([&output.payload]), &[Apply(name)]);
        assert!(failed.is_empty(), "{name} does not read what it wrote: {failed:?}");
        assert_eq!(json(&output.payload), again.first().and_then(|again| json(&again.payload)), "{name}");
    }
});
