//! Any text as the `scopes` of a map, and as the functions of a source that Metro wrote.

#![no_main]

use std::fmt::Write;

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "other targets use what this one does not")]
mod maps;

/// Numbers of items, which say most where they are small; and any text.
type Input = (Vec<Vec<u8>>, Vec<u8>, bool);

fn number(text: &mut String, value: u8) {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut rest = usize::from(value);
    loop {
        text.push(char::from(digits[(rest & 31) | usize::from(rest > 31) << 5]));
        rest >>= 5;
        if rest == 0 {
            return;
        }
    }
}

fuzz_target!(|input: Input| {
    let (items, bytes, is_hermes) = input;
    let mut text = String::new();
    for item in &items {
        for value in item {
            number(&mut text, *value);
        }
        text.push(if is_hermes && item.len() % 2 == 0 { ';' } else { ',' });
    }
    text.extend(
        bytes.iter().filter(|byte| matches!(byte, b'#'..=b'~' if **byte != b'\\')).map(|byte| char::from(*byte)),
    );
    text.truncate(text.trim_end_matches(',').len());
    let mut map = String::from(r#"{"version":3,"sources":["a",null],"names":["x","y"],"mappings":"AAAA,CACA,CADA""#);
    if is_hermes {
        write!(map, r#","x_facebook_sources":[[{{"names":["f","g"],"mappings":"{text}"}}],null]}}"#)
    } else {
        write!(map, r#","scopes":"{text}"}}"#)
    }
    .expect("a string takes all");
    maps::check(map.as_bytes());
});
