//! 64 bytes in two registers with AVX2, which most processors have that lack AVX-512: classes of bytes by comparison; the
//! digits of a value are brought together without a branch, and one addition takes the fields of a segment.
#![allow(unsafe_code)]
#![allow(clippy::wildcard_imports, reason = "the names of intrinsics all begin with `_mm`")]

use std::arch::x86_64::*;

use super::strings::{self, Marks};
use super::sums::{CHUNK, Masks, Sums, chunk, cut, is_sound, plain_segment, rest, state_of, take};
use crate::error::Result;
use crate::json;
use crate::mappings::{Built, Cursor, Pass, Tables};

const HALF: usize = 32;
/// The lanes of a segment of so many fields.
const LANES: [[i32; 8]; 8] = [
    [0; 8],
    [-1, 0, 0, 0, 0, 0, 0, 0],
    [0; 8],
    [0; 8],
    [-1, -1, -1, -1, 0, 0, 0, 0],
    [-1, -1, -1, -1, -1, 0, 0, 0],
    [0; 8],
    [0; 8],
];
const LANE_BITS: [u8; 8] = [0, 1, 0, 0, 0b1111, 0b1_1111, 0, 0];

/// Whether this processor has all that is used here.
pub(super) fn is_here() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("popcnt")
}

pub(super) fn build(text: &[u8], tables: Tables) -> Option<Result<Built>> {
    // SAFETY: callers ask `is_here` first.
    unsafe { chunks(text, tables) }
}

pub(super) fn next_stop(text: &[u8], at: usize) -> usize {
    // SAFETY: callers ask `is_here` first.
    unsafe { stop(text, at) }
}

pub(super) fn end_of_string(text: &[u8], start: usize) -> std::result::Result<(usize, bool), usize> {
    // SAFETY: callers ask `is_here` first.
    unsafe { string(text, start) }
}

#[target_feature(enable = "avx2,bmi1")]
fn string(text: &[u8], start: usize) -> std::result::Result<(usize, bool), usize> {
    let marks = |chunk: &[u8; CHUNK]| Marks {
        quotes: each_half(chunk, |bytes| equal(bytes, b'"')),
        backslashes: each_half(chunk, |bytes| equal(bytes, b'\\')),
        controls: each_half(chunk, |bytes| _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(0x1f)), bytes)),
    };
    let simple = |chunk: &[u8; CHUNK]| {
        each_half(chunk, |bytes| {
            let one = |found: __m256i, byte: u8| _mm256_or_si256(found, equal(bytes, byte));
            b"\"\\/bfnrt".iter().fold(_mm256_setzero_si256(), |found, byte| one(found, *byte))
        })
    };
    strings::end_of_string(text, start, marks, simple)
}

/// A bit for each byte of a chunk that something is true of.
#[inline]
#[target_feature(enable = "avx2")]
fn each_half(chunk: &[u8; CHUNK], is: impl Fn(__m256i) -> __m256i) -> u64 {
    let (low, high) = chunk.split_at(HALF);
    let bits = |half: &[u8]| half.first_chunk().map_or(0, |half| bits(is(load(half))));
    bits(low) | bits(high) << HALF
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(half: &[u8; HALF]) -> __m256i {
    // SAFETY: 32 bytes are there; the load needs no alignment.
    unsafe { _mm256_loadu_si256(half.as_ptr().cast()) }
}

#[target_feature(enable = "avx2,bmi1")]
fn stop(text: &[u8], mut at: usize) -> usize {
    while let Some(half) = text.get(at..).and_then(<[u8]>::first_chunk::<HALF>) {
        let bytes = load(half);
        let is_control = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(0x1f)), bytes);
        let is_mark = _mm256_or_si256(equal(bytes, b'"'), equal(bytes, b'\\'));
        let stops = bits(_mm256_or_si256(is_control, is_mark));
        if stops != 0 {
            return at + stops.trailing_zeros() as usize;
        }
        at += HALF;
    }
    json::next_stop(text, at)
}

#[inline]
#[target_feature(enable = "avx2")]
fn equal(bytes: __m256i, byte: u8) -> __m256i {
    _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte.cast_signed()))
}

/// Bytes from `first` to `last`, both below 128.
#[inline]
#[target_feature(enable = "avx2")]
fn between(bytes: __m256i, first: u8, last: u8) -> __m256i {
    let above = _mm256_cmpgt_epi8(bytes, _mm256_set1_epi8(first.cast_signed() - 1));
    _mm256_and_si256(above, _mm256_cmpgt_epi8(_mm256_set1_epi8(last.cast_signed() + 1), bytes))
}

/// The highest bit of each byte.
#[inline]
#[target_feature(enable = "avx2")]
fn bits(bytes: __m256i) -> u64 {
    u64::from(_mm256_movemask_epi8(bytes).cast_unsigned())
}

/// The digits of a chunk without the bits that say whether another follows, with room for what is loaded beyond the last.
struct Digits([u8; CHUNK + 4]);

impl Digits {
    /// Up to four digits from one on, a byte each.
    #[inline]
    fn from(&self, start: usize) -> u32 {
        self.0.get(start..).and_then(<[u8]>::first_chunk).map_or(0, |digits| u32::from_le_bytes(*digits))
    }
}

/// What the bytes of one half are.
struct Half {
    separators: u64,
    semicolons: u64,
    /// Digits that say that another follows.
    more: u64,
}

/// Reads one half of a chunk; `None` if a byte is neither digit nor separator.
#[inline]
#[target_feature(enable = "avx2")]
fn half(chunk: &[u8; CHUNK], digits: &mut Digits, index: usize) -> Option<Half> {
    let bytes = load(chunk.get(index * HALF..)?.first_chunk()?);
    let (comma, semicolon) = (equal(bytes, b','), equal(bytes, b';'));
    let kinds = [
        (between(bytes, b'A', b'Z'), -65),
        (between(bytes, b'a', b'z'), -71),
        (between(bytes, b'0', b'9'), 4),
        (equal(bytes, b'+'), 19),
        (equal(bytes, b'/'), 16),
    ];
    let separator = _mm256_or_si256(comma, semicolon);
    let (mut known, mut offset) = (separator, _mm256_setzero_si256());
    for (is_kind, step) in kinds {
        known = _mm256_or_si256(known, is_kind);
        offset = _mm256_or_si256(offset, _mm256_and_si256(is_kind, _mm256_set1_epi8(step)));
    }
    if bits(known) != u64::from(u32::MAX) {
        return None;
    }
    let digit = _mm256_andnot_si256(separator, _mm256_add_epi8(bytes, offset));
    let place = digits.0.get_mut(index * HALF..index * HALF + HALF)?;
    let low = _mm256_and_si256(digit, _mm256_set1_epi8(31));
    // SAFETY: 32 bytes are there; the store needs no alignment.
    unsafe { _mm256_storeu_si256(place.as_mut_ptr().cast(), low) };
    // The bit of 32 becomes the highest.
    let more = bits(_mm256_slli_epi16::<2>(digit));
    Some(Half { separators: bits(separator), semicolons: bits(semicolon), more })
}

/// The masks up to the last separator, and the digits that say that another follows; `None` if there are values without an
/// end or segments without a value.
#[inline]
#[target_feature(enable = "avx2,lzcnt")]
fn masks(chunk: &[u8; CHUNK], digits: &mut Digits, after_comma: bool) -> Option<(Masks, u64)> {
    let (low, high) = (half(chunk, digits, 0)?, half(chunk, digits, 1)?);
    let separators = low.separators | high.separators << HALF;
    let semicolons = low.semicolons | high.semicolons << HALF;
    let commas = separators & !semicolons;
    let inside = u64::MAX.checked_shr(separators.leading_zeros()).unwrap_or(0);
    let more = (low.more | high.more << HALF) & inside;
    let ends = inside & !separators & !more;
    let unfinished = (more << 1) & separators;
    let empty = separators & (separators << 1 | 1) & (commas | commas << 1 | u64::from(after_comma));
    (unfinished | empty == 0).then_some((Masks { separators, semicolons, ends }, more))
}

/// The differences of a chunk, in the order of the text, with room for what is loaded beyond the last.
struct Values([i32; CHUNK + 8]);

impl Values {
    /// Eight values from one on.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn load(&self, from: usize) -> __m256i {
        match self.0.get(from..from + 8) {
            // SAFETY: 8 numbers of 32 bits are 32 bytes; the load needs no alignment.
            Some(values) => unsafe { _mm256_loadu_si256(values.as_ptr().cast()) },
            None => _mm256_setzero_si256(),
        }
    }
}

/// Writes the values of a chunk; false if one has more than three digits, `None` for a minus zero.
#[inline]
#[target_feature(enable = "avx2,bmi1")]
fn decode(digits: &Digits, masks: &Masks, more: u64, values: &mut Values) -> Option<bool> {
    if more & (more << 1) & (more << 2) != 0 {
        return Some(false);
    }
    let mut ends = masks.ends;
    // A value begins behind another or a separator.
    let mut starts = ((masks.ends | masks.separators) << 1 | 1) & (masks.ends | more);
    let mut has_minus_zero = false;
    for place in &mut values.0 {
        if ends == 0 {
            break;
        }
        let (start, end) = (starts.trailing_zeros(), ends.trailing_zeros());
        starts &= starts.wrapping_sub(1);
        ends &= ends.wrapping_sub(1);
        let four = digits.from(start as usize);
        let joined = four & 0x1f | four >> 3 & 0x3e0 | four >> 6 & 0x7c00;
        let value = (joined & !(u32::MAX << (5 * (end - start + 1)))).cast_signed();
        let sign = -(value & 1);
        has_minus_zero |= value == 1;
        *place = ((value >> 1) ^ sign) - sign;
    }
    (!has_minus_zero).then_some(true)
}

#[target_feature(enable = "avx2,bmi1,lzcnt,popcnt")]
fn chunks(text: &[u8], tables: Tables) -> Option<Result<Built>> {
    let mut pass = Pass::new(tables);
    let mut sums = Sums::new();
    let mut values = Values([0; CHUNK + 8]);
    let mut digits = Digits([0; CHUNK + 4]);
    let mut at = 0;
    let mut after_comma = false;
    while let Some(chunk) = chunk(text, at) {
        cut(&mut pass, text, at, &sums);
        let (masks, more) = masks(chunk, &mut digits, after_comma)?;
        let segments = if masks.separators == 0 || !decode(&digits, &masks, more, &mut values)? {
            // Values of more than three digits: one segment the plain way.
            let mut cursor = Cursor::after(text, at, state_of(&sums), after_comma);
            let (segment, end) = plain_segment(&mut cursor)?;
            at = end;
            take(&mut sums, &segment, &cursor.state);
            1
        } else {
            at += CHUNK - masks.separators.leading_zeros() as usize;
            add(&mut sums, &masks, &values)
        };
        if let Err(error) = pass.count(segments) {
            return Some(Err(error));
        }
        after_comma = text.get(at.wrapping_sub(1)) == Some(&b',');
    }
    if !is_sound(&sums, tables) {
        return None;
    }
    rest(text, at, after_comma, pass, &state_of(&sums))
}

/// Adds the segments of a chunk to the running values; gives how many there are.
#[inline]
#[target_feature(enable = "avx2,bmi1,popcnt")]
fn add(sums: &mut Sums, masks: &Masks, values: &Values) -> u32 {
    let mut separators = masks.separators;
    let mut from = 0;
    let mut segments = 0;
    while separators != 0 {
        let bit = separators & separators.wrapping_neg();
        separators ^= bit;
        let until = (masks.ends & (bit - 1)).count_ones() as usize;
        let fields = until - from;
        let bits = LANE_BITS.get(fields).copied().unwrap_or_default();
        sums.is_bad |= bits == 0 && fields != 0;
        sums.lanes |= bits;
        let lanes = lanes(fields);
        let difference = _mm256_and_si256(lanes, values.load(from));
        sums.state = _mm256_add_epi32(sums.state, difference);
        sums.highest = _mm256_max_epu32(sums.highest, _mm256_and_si256(lanes, sums.state));
        sums.differences = _mm256_or_si256(sums.differences, difference);
        let is_line = masks.semicolons & bit != 0;
        // A line begins at column 0.
        let kept = _mm256_setr_epi32(i32::from(is_line) - 1, -1, -1, -1, -1, -1, -1, -1);
        sums.state = _mm256_and_si256(sums.state, kept);
        sums.line = sums.line.wrapping_add(u32::from(is_line));
        segments += u32::from(fields != 0);
        from = until;
    }
    segments
}

#[inline]
#[target_feature(enable = "avx2")]
fn lanes(fields: usize) -> __m256i {
    match LANES.get(fields) {
        // SAFETY: 8 numbers of 32 bits are 32 bytes; the load needs no alignment.
        Some(lanes) => unsafe { _mm256_loadu_si256(lanes.as_ptr().cast()) },
        None => _mm256_setzero_si256(),
    }
}
