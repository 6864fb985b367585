//! Any bytes as the script that a map is of: its functions are found, or it is nested too deeply.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use oxflow_sourcemap::{Functions, Limits, SourceMap};

#[allow(dead_code, reason = "other targets use what this one does not")]
mod maps;

const MAP: &[u8] = br#"{"version":3,"sources":["a"],"names":["one","two"],"mappings":"AAAAA,CAAAC,CACAD,EAEA;AAAA,CAAAA,CAAAC;;IAAAD"}"#;

fuzz_target!(|script: &[u8]| {
    static READ: OnceLock<SourceMap> = OnceLock::new();
    let map = READ.get_or_init(|| maps::read(MAP.to_vec(), true).expect("a map"));
    let Ok(functions) = Functions::of_script(map, script, &Limits::default()) else { return };
    for (line, column) in [(0, 0), (0, 3), (0, 40), (1, 1), (2, 7), (-1, 0), (0, i64::MAX)] {
        let name = functions.at(map, line, column).expect("a table in memory has no damage");
        assert!(name.is_none_or(|name| !name.is_empty() && name.len() <= 1024));
    }
});
