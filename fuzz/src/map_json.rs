//! Any bytes as a source map.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "other targets use what this one does not")]
mod maps;

fuzz_target!(|data: &[u8]| maps::check(data));
