//! What the ways of AVX-512 and AVX2 share: running values in one register, and what is read the plain way.
#![allow(unsafe_code)]
#![allow(clippy::wildcard_imports, reason = "the names of intrinsics all begin with `_mm`")]

use std::arch::x86_64::*;

use crate::error::Result;
use crate::mappings::{Built, Cursor, Oddities, Pass, Segment, State, Tables};

/// Bytes that are looked at together.
pub(super) const CHUNK: usize = 64;

pub(super) fn chunk(text: &[u8], at: usize) -> Option<&[u8; CHUNK]> {
    text.get(at..)?.first_chunk()
}

/// What is added up over all chunks.
pub(super) struct Sums {
    /// Running values: column, source, its line, its column, name.
    pub(super) state: __m256i,
    pub(super) line: u32,
    /// The highest running value of each field.
    pub(super) highest: __m256i,
    /// All differences, for their signs.
    pub(super) differences: __m256i,
    /// The lanes that any segment had.
    pub(super) lanes: u8,
    /// A segment has 2, 3 or more than 5 fields.
    pub(super) is_bad: bool,
}

impl Sums {
    #[target_feature(enable = "avx2")]
    pub(super) fn new() -> Self {
        let zero = _mm256_setzero_si256();
        Self { state: zero, line: 0, highest: zero, differences: zero, lanes: 0, is_bad: false }
    }
}

/// The masks of a chunk, a bit for each byte.
pub(super) struct Masks {
    pub(super) separators: u64,
    pub(super) semicolons: u64,
    /// The last digit of each value.
    pub(super) ends: u64,
}

/// Begins a block at the chunk here, if the last one is large enough.
#[target_feature(enable = "avx2")]
pub(super) fn cut(pass: &mut Pass, text: &[u8], at: usize, sums: &Sums) {
    if pass.is_full(at) {
        // Lines without segments may be many, and whoever looks for one of them should not have to read over them.
        let block = text.get(pass.block_start..at).unwrap_or_default();
        let last = block.iter().rposition(|byte| !matches!(byte, b',' | b';'));
        pass.end = pass.block_start + last.map_or(0, |last| last + 1);
        pass.cut(at, &state_of(sums));
    }
}

/// What is left after the last whole chunk, the plain way.
pub(super) fn rest(text: &[u8], at: usize, after_comma: bool, mut pass: Pass, state: &State) -> Option<Result<Built>> {
    pass.end = at;
    pass.last = state.key();
    let mut cursor = Cursor::after(text, at, *state, after_comma);
    // The counts of an error are not known here.
    pass.walk(&mut cursor).ok()?;
    let built = pass.finish(&cursor);
    (!built.is_odd()).then_some(Ok(built))
}

/// Reads one segment and what separates it from the next; gives where that begins.
pub(super) fn plain_segment(cursor: &mut Cursor<'_>) -> Option<(Segment, usize)> {
    let before = cursor.state.key();
    let segment = cursor.next().ok()??;
    cursor.step_over_separator();
    let is_plain = cursor.oddities == Oddities::default() && segment.key() >= before;
    is_plain.then_some((segment, cursor.at))
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn numbers(vector: __m256i) -> [u32; 8] {
    let mut numbers = [0; 8];
    // SAFETY: 8 numbers of 32 bits are 32 bytes; the store needs no alignment.
    unsafe { _mm256_storeu_si256(numbers.as_mut_ptr().cast(), vector) };
    numbers
}

#[target_feature(enable = "avx2")]
pub(super) fn state_of(sums: &Sums) -> State {
    let [column, source, source_line, source_column, name, ..] = numbers(sums.state);
    State { line: sums.line, column, source, source_line, source_column, name }
}

#[target_feature(enable = "avx2")]
pub(super) fn take(sums: &mut Sums, segment: &Segment, state: &State) {
    let [column, source, line, source_column, name] =
        [state.column, state.source, state.source_line, state.source_column, state.name].map(u32::cast_signed);
    sums.state = _mm256_setr_epi32(column, source, line, source_column, name, 0, 0, 0);
    sums.line = state.line;
    sums.lanes |= if segment.original.is_some() { 0b1111 } else { 1 };
    sums.lanes |= if segment.name.is_some() { 0b1_0000 } else { 0 };
    sums.highest = _mm256_max_epu32(sums.highest, sums.state);
}

/// Whether no running value was negative or too high, no segment before the one before it, and all references lead somewhere.
#[target_feature(enable = "avx2")]
pub(super) fn is_sound(sums: &Sums, tables: Tables) -> bool {
    let highest = numbers(sums.highest);
    let [_, source, _, _, name, ..] = highest;
    let [column, ..] = numbers(sums.differences);
    let in_range = highest.iter().all(|value| i32::try_from(*value).is_ok());
    let has_source = sums.lanes & 2 == 0 || (source as usize) < tables.sources;
    let has_name = sums.lanes & 16 == 0 || (name as usize) < tables.names;
    !sums.is_bad && in_range && i32::try_from(column).is_ok() && has_source && has_name
}
