//! The records of the blocks, as they lie in memory and in an index file: little-endian, one after the other.

use std::ops::Range;

use super::cursor::State;
use super::halves;
use crate::buffer::Slice;
use crate::error::Result;
use crate::index::{damaged, sum, u32_at};

/// Line, column; begin, end in the text; source, line, column, name.
pub(crate) const RECORD_BYTES: usize = 24;
const KEY_BYTES: usize = 8;
const SUM_BYTES: usize = 4;

/// A record for each block.
#[derive(Clone)]
pub(crate) struct Blocks {
    /// The position that no segment of the block is before: apart from the rest, for the bisection.
    pub(crate) keys: Slice,
    pub(crate) records: Slice,
    /// In an index file, what each block must add up to.
    pub(crate) sums: Option<Slice>,
}

/// What is known of a block without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) range: Range<usize>,
    pub(crate) state: State,
}

impl Blocks {
    pub(crate) fn count(&self) -> usize {
        self.all_keys().len()
    }

    pub(crate) fn key(&self, block: usize) -> Option<u64> {
        self.all_keys().get(block).map(|key| u64::from_le_bytes(*key))
    }

    /// A block, where there is one; an error if it isn't what was written.
    pub(crate) fn get(&self, block: usize, text: &[u8]) -> Result<Option<Block>> {
        if block >= self.count() {
            return Ok(None);
        }
        let wanted = self.sums.as_ref().map(|sums| u32_at(sums.bytes(), block.saturating_mul(SUM_BYTES)));
        let is_right = wanted.is_none_or(|wanted| wanted.is_some() && wanted == self.sum(block, text));
        let found = if is_right { self.read(block) } else { None };
        found.map_or_else(|| damaged("a block of mappings"), |block| Ok(Some(block)))
    }

    /// What a block adds up to: its own key and that of the next block, its record, its text.
    pub(crate) fn sum(&self, block: usize, text: &[u8]) -> Option<u32> {
        let [first, second, third] = *self.record(block)?.as_chunks::<8>().0.first_chunk()?;
        let range = self.read(block)?.range;
        let next = self.key(block + 1).unwrap_or(u64::MAX);
        // In one piece: to begin a sum costs as much as forty bytes of it.
        let head = [self.key(block)?.to_le_bytes(), next.to_le_bytes(), first, second, third];
        Some(sum([head.as_flattened(), text.get(range)?]))
    }

    /// Whether a position, if the block that bisection led to was not found by damaged keys, lies in it.
    pub(crate) fn covers(&self, block: usize, target: u64) -> bool {
        let begins = block == 0 || self.key(block).is_some_and(|key| key < target);
        begins && self.key(block + 1).is_none_or(|key| key >= target)
    }

    fn record(&self, block: usize) -> Option<&[u8]> {
        let start = block.checked_mul(RECORD_BYTES)?;
        self.records.bytes().get(start..start + RECORD_BYTES)
    }

    fn read(&self, block: usize) -> Option<Block> {
        let (line, column) = halves(self.key(block)?);
        let words = self.record(block)?.as_chunks().0.first_chunk()?;
        let [begin, end, source, source_line, source_column, name] = words.map(u32::from_le_bytes);
        let state = State { line, column, source, source_line, source_column, name };
        Some(Block { range: begin as usize..end as usize, state })
    }

    /// How many blocks, from the first on, have a key below `target`.
    pub(crate) fn count_below(&self, target: u64) -> usize {
        self.all_keys().partition_point(|key| u64::from_le_bytes(*key) < target)
    }

    fn all_keys(&self) -> &[[u8; KEY_BYTES]] {
        self.keys.bytes().as_chunks().0
    }
}

/// Blocks that are being made.
#[derive(Default)]
pub(crate) struct Records {
    keys: Vec<u8>,
    records: Vec<u8>,
}

impl Records {
    /// Begins a block; its end is that of the last one until `end` says otherwise.
    pub(crate) fn begin(&mut self, at: usize, state: &State) {
        self.keys.extend(state.key().to_le_bytes());
        for value in [at, at] {
            self.records.extend(word(value).to_le_bytes());
        }
        for value in [state.source, state.source_line, state.source_column, state.name] {
            self.records.extend(value.to_le_bytes());
        }
    }

    /// Says where the last block ends.
    pub(crate) fn end(&mut self, at: usize) {
        let start = self.records.len().saturating_sub(RECORD_BYTES - 4);
        if let Some(end) = self.records.get_mut(start..start + 4) {
            end.copy_from_slice(&word(at).to_le_bytes());
        }
    }

    pub(crate) fn finish(self) -> Blocks {
        Blocks { keys: self.keys.into(), records: self.records.into(), sums: None }
    }
}

/// An offset into a text that is shorter than 4 GiB.
fn word(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
