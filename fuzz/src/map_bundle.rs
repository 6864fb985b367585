//! Any bytes as a RAM bundle in one file.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use oxflow_sourcemap::{Buffer, Limits, RamBundle};

fuzz_target!(|input: (bool, Vec<u8>)| {
    let (begins_as_one, rest) = input;
    let mut bytes = if begins_as_one { 0xFB0B_D1E5_u32.to_le_bytes().to_vec() } else { Vec::new() };
    bytes.extend(rest);
    let length = bytes.len();
    let buffer: Buffer = Arc::new(bytes);
    let Ok(bundle) = RamBundle::read(&buffer, &Limits::default()) else { return };
    assert!(bundle.startup_code().len() <= length);
    for module in bundle.modules() {
        assert_eq!(Some(module), bundle.module(module.id).expect("it was checked"));
        assert!(module.id < bundle.module_count() && module.code.len() < length);
    }
});
