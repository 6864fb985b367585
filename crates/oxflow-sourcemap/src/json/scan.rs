//! Finds the end of a string, eight bytes at a time where the processor can't look at 64.

use crate::simd;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Finds the closing quote of the string that `at` is inside of, and whether there are escapes before it, as `escaped` says of what is
/// before `at`; or the place of a fault.
pub(crate) fn end_of_string_from(text: &[u8], mut at: usize, mut escaped: bool) -> Result<(usize, bool), usize> {
    loop {
        at = simd::next_stop(text, at);
        match text.get(at) {
            Some(b'"') => return Ok((at, escaped)),
            Some(b'\\') => {
                escaped = true;
                at += escape_length(text, at)?;
            }
            _ => return Err(at),
        }
    }
}

/// The bytes of the escape at `at`.
fn escape_length(text: &[u8], at: usize) -> Result<usize, usize> {
    match text.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(2),
        Some(b'u') => match text.get(at + 2..at + 6) {
            Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => Ok(6),
            _ => Err(at),
        },
        _ => Err(at),
    }
}

/// What is wrong at the place that `end_of_string_from` gave.
pub(super) fn fault(text: &[u8], at: usize) -> &'static str {
    match text.get(at) {
        None => "a string has no end",
        Some(b'\\') => "no escape of JSON begins so",
        Some(_) => "a control character stands in a string",
    }
}

/// The first quote, backslash or control character from `at` on; the end of the text if there is none.
pub(crate) fn next_stop(text: &[u8], mut at: usize) -> usize {
    while let Some(bytes) = text.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let stops = stops(u64::from_le_bytes(*bytes));
        if stops != 0 {
            return at + (stops.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len())
}

/// The highest bit of each byte that ends a scan; only the lowest of them is sure.
fn stops(bytes: u64) -> u64 {
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let control = bytes.wrapping_sub(ONES * 0x20) & !bytes & HIGH;
    zero(bytes ^ (ONES * u64::from(b'"'))) | zero(bytes ^ (ONES * u64::from(b'\\'))) | control
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What strings are made of, what may not be in them, and what ends them, seldom enough to come far.
    fn piece() -> impl Strategy<Value = String> {
        prop_oneof![
            20 => "[ -!#-\\[\\]-~é]{0,20}",
            10 => "(\\\\[\"\\\\/bfnrt]){1,5}",
            2 => "\\\\u[0-9a-f]{4}",
            1 => "\\\\[ux ]",
            1 => "\"",
            1 => "\n",
        ]
    }

    proptest! {
        #[test]
        fn every_way_finds_the_same_stop(text in prop::collection::vec(prop_oneof![8 => 0x20u8..=255, 1 => 0u8..0x40, 1 => Just(b'\\')], 0..300)) {
            let expected = text.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(text.len());
            prop_assert_eq!(expected, next_stop(&text, 0));
            for way in simd::Way::all() {
                prop_assert_eq!(expected, way.next_stop(&text, 0), "{:?}", way);
            }
        }

        #[test]
        fn every_way_finds_the_same_end(pieces in prop::collection::vec(piece(), 0..40), start in 0usize..70) {
            let text: String = pieces.concat();
            let start = start.min(text.len());
            let expected = end_of_string_from(text.as_bytes(), start, false);
            for way in simd::Way::all() {
                prop_assert_eq!(expected, way.end_of_string(text.as_bytes(), start), "{:?}", way);
            }
        }
    }
}
