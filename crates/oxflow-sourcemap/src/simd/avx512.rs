//! 64 bytes at a time with AVX-512: classes of bytes by a table in a register, digits of values brought together by
//! compression, and one addition for the fields of a segment.
#![allow(unsafe_code)]
#![allow(clippy::wildcard_imports, reason = "the names of intrinsics all begin with `_mm`")]

use std::arch::x86_64::*;

use super::strings::{self, Marks};
use super::sums::{CHUNK, Masks, Sums, chunk, cut, is_sound, plain_segment, rest, state_of, take};
use crate::error::Result;
use crate::json;
use crate::mappings::{Built, CLASSES, Cursor, Pass, Tables};

/// The lanes of a segment of so many fields.
const LANES: [u8; 8] = [0, 1, 0, 0, 0b1111, 0b1_1111, 0, 0];

/// Whether this processor has all that is used here.
pub(super) fn is_here() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vbmi")
        && is_x86_feature_detected!("avx512vbmi2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
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

/// Bytes that stand for a character behind a backslash: all but `u`, which takes more.
const SIMPLE: [u8; 2 * CHUNK] = {
    let mut table = [0; 2 * CHUNK];
    let mut rest: &[u8] = b"\"\\/bfnrt";
    while let [byte, more @ ..] = rest {
        #[expect(clippy::indexing_slicing, reason = "computed when it is compiled")]
        {
            table[*byte as usize] = 0xff;
        }
        rest = more;
    }
    table
};

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,bmi1")]
fn string(text: &[u8], start: usize) -> std::result::Result<(usize, bool), usize> {
    let marks = |chunk: &[u8; CHUNK]| {
        let bytes = load(chunk);
        Marks {
            quotes: _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(0x22)),
            backslashes: _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(0x5c)),
            controls: _mm512_cmplt_epu8_mask(bytes, _mm512_set1_epi8(0x20)),
        }
    };
    let simple = |chunk: &[u8; CHUNK]| {
        let (low, high) = SIMPLE.split_at(CHUNK);
        let (Some(low), Some(high)) = (low.first_chunk(), high.first_chunk()) else { return 0 };
        let bytes = load(chunk);
        let found = _mm512_permutex2var_epi8(load(low), bytes, load(high));
        _mm512_movepi8_mask(found) & !_mm512_movepi8_mask(bytes)
    };
    strings::end_of_string(text, start, marks, simple)
}

#[target_feature(enable = "avx512f,avx512bw,bmi1")]
fn stop(text: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = chunk(text, at) {
        let bytes = load(chunk);
        let stops = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(0x22))
            | _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(0x5c))
            | _mm512_cmplt_epu8_mask(bytes, _mm512_set1_epi8(0x20));
        if stops != 0 {
            return at + stops.trailing_zeros() as usize;
        }
        at += CHUNK;
    }
    json::next_stop(text, at)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(chunk: &[u8; CHUNK]) -> __m512i {
    // SAFETY: 64 bytes are there; the load needs no alignment.
    unsafe { _mm512_loadu_si512(chunk.as_ptr().cast()) }
}

/// The differences of a chunk, in the order of the text, with room for what is loaded beyond the last.
struct Values([i16; CHUNK + 8]);

impl Values {
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn store(&mut self, half: usize, values: __m512i) {
        if let Some(place) = self.0.get_mut(half * 32..half * 32 + 32) {
            // SAFETY: 32 numbers of 16 bits are 64 bytes; the store needs no alignment.
            unsafe { _mm512_storeu_si512(place.as_mut_ptr().cast(), values) }
        }
    }

    /// Eight values from one on.
    #[inline]
    #[target_feature(enable = "avx512f,avx512vl")]
    fn load(&self, from: usize) -> __m128i {
        match self.0.get(from..from + 8) {
            // SAFETY: 8 numbers of 16 bits are 16 bytes; the load needs no alignment.
            Some(values) => unsafe { _mm_loadu_si128(values.as_ptr().cast()) },
            None => _mm_setzero_si128(),
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,bmi1,bmi2,lzcnt,popcnt")]
fn chunks(text: &[u8], tables: Tables) -> Option<Result<Built>> {
    let mut pass = Pass::new(tables);
    let mut sums = Sums::new();
    let mut values = Values([0; CHUNK + 8]);
    let (low, high) = CLASSES.split_at(CHUNK);
    let tables_of_classes = (load(low.first_chunk()?), load(high.first_chunk()?));
    let mut at = 0;
    let mut after_comma = false;
    while let Some(chunk) = chunk(text, at) {
        cut(&mut pass, text, at, &sums);
        let digits = classes(chunk, tables_of_classes)?;
        let masks = masks(digits, after_comma)?;
        let length = CHUNK - masks.separators.leading_zeros() as usize;
        if masks.separators == 0 || !decode(digits, &masks, &mut values)? {
            // Values of more than three digits: one segment the plain way.
            let mut cursor = Cursor::after(text, at, state_of(&sums), after_comma);
            let (segment, end) = plain_segment(&mut cursor)?;
            at = end;
            take(&mut sums, &segment, &cursor.state);
            if let Err(error) = pass.count(1) {
                return Some(Err(error));
            }
        } else {
            let segments = add(&mut sums, &masks, &values);
            at += length;
            if let Err(error) = pass.count(segments) {
                return Some(Err(error));
            }
        }
        after_comma = text.get(at.wrapping_sub(1)) == Some(&b',');
    }
    if !is_sound(&sums, tables) {
        return None;
    }
    rest(text, at, after_comma, pass, &state_of(&sums))
}

/// The class of each byte; `None` if one is neither digit nor separator.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn classes(chunk: &[u8; CHUNK], (low, high): (__m512i, __m512i)) -> Option<__m512i> {
    let bytes = load(chunk);
    let classes = _mm512_permutex2var_epi8(low, bytes, high);
    let invalid = _mm512_movepi8_mask(_mm512_or_si512(classes, bytes));
    (invalid == 0).then_some(classes)
}

/// The masks up to the last separator; `None` if there are values without an end or segments without a value.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,bmi1,lzcnt")]
fn masks(classes: __m512i, after_comma: bool) -> Option<Masks> {
    let separators = _mm512_test_epi8_mask(classes, _mm512_set1_epi8(64));
    let semicolons = separators & _mm512_test_epi8_mask(classes, _mm512_set1_epi8(1));
    let commas = separators & !semicolons;
    let inside = u64::MAX.checked_shr(separators.leading_zeros()).unwrap_or(0);
    let more = _mm512_test_epi8_mask(classes, _mm512_set1_epi8(32)) & inside;
    let ends = inside & !separators & !more;
    let unfinished = (more << 1) & separators;
    let empty = separators & (separators << 1 | 1) & (commas | commas << 1 | u64::from(after_comma));
    (unfinished | empty == 0).then_some(Masks { separators, semicolons, ends })
}

/// Writes the values of a chunk; false if one has more than three digits.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,bmi1,bmi2,popcnt")]
fn decode(classes: __m512i, masks: &Masks, values: &mut Values) -> Option<bool> {
    let inside = u64::MAX >> masks.separators.leading_zeros();
    let more = inside & !masks.separators & !masks.ends;
    if more & (more << 1) & (more << 2) != 0 {
        return Some(false);
    }
    let digits = _mm512_and_si512(classes, _mm512_set1_epi8(31));
    let two = (more << 1) & masks.ends;
    let three = (more << 2) & two;
    let last = _mm512_maskz_compress_epi8(masks.ends, digits);
    let middle = _mm512_maskz_compress_epi8(masks.ends, before::<1>(digits, two));
    let first = _mm512_maskz_compress_epi8(masks.ends, before::<2>(digits, three));
    let (two, three) = (_pext_u64(two, masks.ends), _pext_u64(three, masks.ends));
    let half = |part: __m512i| _mm512_castsi512_si256(part);
    let is_sound = join(0, [half(last), half(middle), half(first)], [two, three], values);
    if masks.ends.count_ones() <= 32 {
        return is_sound.then_some(true);
    }
    let half = |part: __m512i| _mm512_extracti64x4_epi64::<1>(part);
    let both = join(1, [half(last), half(middle), half(first)], [two >> 32, three >> 32], values) && is_sound;
    both.then_some(true)
}

/// The digit that stands `BY` before each of `wanted`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn before<const BY: i8>(digits: __m512i, wanted: u64) -> __m512i {
    let places = _mm512_sub_epi8(load(&PLACES), _mm512_set1_epi8(BY));
    _mm512_maskz_permutexvar_epi8(wanted, places, digits)
}

const PLACES: [u8; CHUNK] = {
    let mut places = [0; CHUNK];
    let mut at = 0;
    while at < CHUNK {
        #[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "computed when it is compiled")]
        {
            places[at] = at as u8;
        }
        at += 1;
    }
    places
};

/// Joins the digits of 32 values, the last one highest, and takes the sign from the lowest bit; false for a minus zero.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
#[expect(clippy::cast_possible_truncation, reason = "the lanes of this half")]
fn join(half: usize, [last, middle, first]: [__m256i; 3], [two, three]: [u64; 2], values: &mut Values) -> bool {
    let wide = |part: __m256i| _mm512_cvtepu8_epi16(part);
    let shifted = |value: __m512i, digit: __m256i| _mm512_or_si512(_mm512_slli_epi16::<5>(value), wide(digit));
    let mut value = wide(last);
    value = _mm512_mask_mov_epi16(value, two as u32, shifted(value, middle));
    value = _mm512_mask_mov_epi16(value, three as u32, shifted(value, first));
    let one = _mm512_set1_epi16(1);
    let negative = _mm512_test_epi16_mask(value, one);
    let minus_zero = _mm512_cmpeq_epi16_mask(value, one);
    let magnitude = _mm512_srli_epi16::<1>(value);
    values.store(half, _mm512_mask_sub_epi16(magnitude, negative, _mm512_setzero_si512(), magnitude));
    minus_zero == 0
}

/// Adds the segments of a chunk to the running values; gives how many there are.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1,popcnt")]
fn add(sums: &mut Sums, masks: &Masks, values: &Values) -> u32 {
    let mut separators = masks.separators;
    let mut from = 0;
    let mut segments = 0;
    while separators != 0 {
        let bit = separators & separators.wrapping_neg();
        separators ^= bit;
        let until = (masks.ends & (bit - 1)).count_ones() as usize;
        let fields = until - from;
        let lanes = LANES.get(fields).copied().unwrap_or_default();
        sums.is_bad |= lanes == 0 && fields != 0;
        sums.lanes |= lanes;
        let difference = _mm256_maskz_cvtepi16_epi32(lanes, values.load(from));
        sums.state = _mm256_add_epi32(sums.state, difference);
        sums.highest = _mm256_mask_max_epu32(sums.highest, lanes, sums.highest, sums.state);
        sums.differences = _mm256_or_si256(sums.differences, difference);
        let is_line = u8::from(masks.semicolons & bit != 0);
        sums.state = _mm256_maskz_mov_epi32(!is_line, sums.state);
        sums.line = sums.line.wrapping_add(u32::from(is_line));
        segments += u32::from(fields != 0);
        from = until;
    }
    segments
}
