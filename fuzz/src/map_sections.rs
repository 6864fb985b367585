//! Index maps of any sections: their places in any order, their mappings of any text.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "other targets use what this one does not")]
mod maps;

/// Line, column, mappings.
type Section = (u8, u32, Vec<u8>);

fuzz_target!(|sections: Vec<Section>| {
    let digits = b"ACDEFGgh,;+/";
    let written: Vec<String> = sections
        .iter()
        .map(|(line, column, text)| {
            let mappings: String = text.iter().map(|byte| char::from(digits[usize::from(*byte) % digits.len()])).collect();
            format!(
                r#"{{"offset":{{"line":{line},"column":{column}}},"map":{{"version":3,"sources":["a","b"],"names":["n"],"mappings":"{mappings}"}}}}"#
            )
        })
        .collect();
    maps::check(format!(r#"{{"version":3,"sections":[{}]}}"#, written.join(",")).as_bytes());
});
