//! Where strings of JSON end, 64 bytes at a time: which bytes are escaped is known of all of them at once.

use super::sums::{CHUNK, chunk};
use crate::json;

/// What the bytes of a chunk are, a bit for each.
pub(super) struct Marks {
    pub(super) quotes: u64,
    pub(super) backslashes: u64,
    pub(super) controls: u64,
}

/// Finds the closing quote of the string that `start` is inside of, and whether there are escapes before it; or the place of a fault.
/// `simple` says which bytes of a chunk may stand behind a backslash without more.
#[inline]
pub(super) fn end_of_string(
    text: &[u8],
    start: usize,
    marks: impl Fn(&[u8; CHUNK]) -> Marks,
    simple: impl Fn(&[u8; CHUNK]) -> u64,
) -> Result<(usize, bool), usize> {
    let (mut at, mut has_escapes, mut is_escaped) = (start, false, 0);
    while let Some(chunk) = chunk(text, at) {
        let Marks { quotes, backslashes, controls } = marks(chunk);
        let (escaped, next) = if backslashes == 0 { (is_escaped, 0) } else { escapes(backslashes, is_escaped) };
        let ends = quotes & !escaped;
        let inside = ends.wrapping_sub(1) & !ends;
        let odd = if escaped & inside == 0 { 0 } else { escaped & !simple(chunk) };
        if (controls | odd) & inside != 0 {
            break;
        }
        has_escapes |= backslashes & inside != 0;
        if ends != 0 {
            return Ok((at + ends.trailing_zeros() as usize, has_escapes));
        }
        is_escaped = next;
        at += CHUNK;
    }
    // Behind the backslash of the last chunk nothing can begin.
    let behind = usize::from(is_escaped != 0);
    json::end_of_string_from(text, at - behind, has_escapes)
}

/// The bytes that backslashes escape, and whether the byte behind the chunk is one: in a row of backslashes each second one.
/// Source: `json_escape_scanner` of simdjson.
fn escapes(backslashes: u64, is_escaped: u64) -> (u64, u64) {
    const ODD: u64 = 0xaaaa_aaaa_aaaa_aaaa;
    let open = backslashes & !is_escaped;
    let ends_of_rows = ((open << 1) | ODD).wrapping_sub(open) ^ ODD;
    (ends_of_rows ^ (backslashes | is_escaped), (ends_of_rows & backslashes) >> 63)
}
