//! Any text as the `mappings` of a source map.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "other targets use what this one does not")]
mod maps;

fuzz_target!(|data: &[u8]| {
    // What ends the string is for the other target.
    let text: Vec<u8> = data
        .iter()
        .map(|byte| if matches!(byte, b' '..=b'~') && !b"\"\\".contains(byte) { *byte } else { b',' })
        .collect();
    let mut map = br#"{"version":3,"sources":["a",null,"c"],"names":["x","y"],"mappings":""#.to_vec();
    map.extend(text);
    map.extend(b"\"}");
    maps::check(&map);
});
