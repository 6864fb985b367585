//! Escapes of strings, both ways.

use std::borrow::Cow;
use std::ops::Range;

use crate::simd;

/// A string of JSON without its quotes, as text. Half a surrogate pair has no place in UTF-8 and becomes U+FFFD.
pub(crate) fn unescape(raw: &[u8]) -> Cow<'_, str> {
    let raw = String::from_utf8_lossy(raw);
    // In a string of JSON nothing but a backslash makes a stop.
    if simd::next_stop(raw.as_bytes(), 0) == raw.len() {
        return raw;
    }
    let mut text = Vec::new();
    unescape_into(raw.as_bytes(), &mut text);
    Cow::Owned(String::from_utf8(text).unwrap_or_default())
}

/// Bytes that are copied at once: as many as escapes are apart, about.
const COPIED: usize = 64;

/// Appends a string of JSON without its quotes, as `unescape` gives it; the bytes must be UTF-8.
pub(crate) fn unescape_into(raw: &[u8], text: &mut Vec<u8>) {
    let mut to = text.len();
    // No escape is shorter than its character, and behind the end there is room for a last copy.
    text.resize(to + raw.len() + COPIED, 0);
    let mut at = 0;
    loop {
        let stop = simd::next_stop(raw, at);
        copy(raw, at..stop, text, to);
        to += stop - at;
        let Some(escape) = raw.get(stop..).filter(|escape| !escape.is_empty()) else { break };
        let character = escape.get(1).map_or(0, |byte| simple(*byte));
        let length = if character == 0 { unicode_into(escape, text, &mut to) } else { 2 };
        if let Some(place) = text.get_mut(to).filter(|_| character != 0) {
            *place = character;
            to += 1;
        }
        at = stop + length;
    }
    text.truncate(to);
}

/// Copies a range to a place, and perhaps some bytes behind it: how many they are decides nothing, so no guess of it is wrong.
fn copy(raw: &[u8], mut range: Range<usize>, text: &mut [u8], mut to: usize) {
    while !range.is_empty() {
        let from = raw.get(range.start..).and_then(<[u8]>::first_chunk::<COPIED>);
        let place = text.get_mut(to..).and_then(<[u8]>::first_chunk_mut::<COPIED>);
        let (Some(from), Some(place)) = (from, place) else { break };
        *place = *from;
        range.start += COPIED;
        to += COPIED;
    }
    let rest = raw.get(range).unwrap_or_default();
    if let Some(place) = text.get_mut(to..to + rest.len()) {
        place.copy_from_slice(rest);
    }
}

/// Writes the character of an escape with digits; gives the length of the escape.
fn unicode_into(escape: &[u8], text: &mut [u8], to: &mut usize) -> usize {
    let (character, length) = unicode(escape);
    let mut bytes = [0; 4];
    let bytes = character.encode_utf8(&mut bytes).as_bytes();
    if let Some(place) = text.get_mut(*to..*to + bytes.len()) {
        place.copy_from_slice(bytes);
        *to += bytes.len();
    }
    length
}

/// The character that a byte behind a backslash stands for; 0 for `u`, behind which digits say it.
#[expect(clippy::indexing_slicing, reason = "a character for each byte")]
fn simple(byte: u8) -> u8 {
    const SIMPLE: [u8; 256] = {
        let mut table = [0; 256];
        let mut byte = 0u8;
        while byte < 255 {
            table[byte as usize] = match byte {
                b'b' => 8,
                b'f' => 12,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'u' => 0,
                other => other,
            };
            byte += 1;
        }
        table
    };
    SIMPLE[usize::from(byte)]
}

/// The character of an escape with digits, and the length of the escape.
fn unicode(escape: &[u8]) -> (char, usize) {
    let Some(first) = unit(escape) else { return (char::REPLACEMENT_CHARACTER, 6) };
    let second = if matches!(first, 0xd800..0xdc00) { escape.get(6..).and_then(unit) } else { None };
    match second {
        Some(second @ 0xdc00..0xe000) => {
            let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12)
        }
        _ => (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 6),
    }
}

fn unit(escape: &[u8]) -> Option<u32> {
    let digits = escape.strip_prefix(b"\\u")?.get(..4)?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Appends a string as JSON, with its quotes.
pub(crate) fn quote(text: &str, json: &mut Vec<u8>) {
    json.push(b'"');
    for character in text.chars() {
        match character {
            '"' => json.extend(b"\\\""),
            '\\' => json.extend(b"\\\\"),
            '\n' => json.extend(b"\\n"),
            '\r' => json.extend(b"\\r"),
            '\t' => json.extend(b"\\t"),
            '\0'..=' ' if character != ' ' => json.extend(format!("\\u{:04x}", u32::from(character)).into_bytes()),
            _ => json.extend(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    json.push(b'"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn text_comes_back_from_both_writers(text in any::<String>()) {
            for json in [serde_json::to_vec(&text).unwrap(), { let mut json = Vec::new(); quote(&text, &mut json); json }] {
                prop_assert_eq!(&text, &serde_json::from_slice::<String>(&json).unwrap());
                let raw = &json[1..json.len() - 1];
                prop_assert_eq!(&text, &unescape(raw));
                let mut bytes = b"before".to_vec();
                unescape_into(raw, &mut bytes);
                let wanted = format!("before{text}").into_bytes();
                prop_assert_eq!(wanted, bytes);
            }
        }
    }

    #[test]
    fn pairs_are_characters_and_halves_are_replaced() {
        assert_eq!("\u{1f600}", unescape(b"\\ud83d\\ude00"));
        assert_eq!("\u{fffd}a\u{fffd}", unescape(b"\\ud83da\\ude00"));
    }
}
