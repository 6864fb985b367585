//! Any bytes as a document of tasks: they are refused, or become a list in which each name stands once, and that is read as itself. The same
//! bytes as an amount with a unit: what is one is never NaN.

#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use oxflow_scheduler::{MOST_DEPTH, flatten, quantity};

fuzz_target!(|data: &[u8]| {
    if let Ok(flat) = flatten(data, MOST_DEPTH) {
        let names: HashSet<_> = flat.iter().map(|task| task["name"].as_str()).collect();
        assert_eq!(flat.len(), names.len(), "a name stands twice");
        let again = serde_json::to_vec(&flat).expect("what was read can be written");
        assert_eq!(flat, flatten(&again, MOST_DEPTH).expect("a flat list is a document"), "read again it is another");
    }
    if let Ok(text) = std::str::from_utf8(data) {
        assert!(quantity(text).is_none_or(|amount| !amount.is_nan()), "{text:?} is NaN");
    }
});
