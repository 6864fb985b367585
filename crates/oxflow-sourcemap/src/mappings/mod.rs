//! The segments of a map: its `mappings` as they are written, and an index into them.
//!
//! Segments are not taken apart: that would cost more in fresh memory than in time to decode. The text stays as it is, and
//! each block of some 24 segments has a record of where it begins and of the running values there (32 bytes). A lookup finds
//! its block by bisection and reads that one. The same holds of a map in memory and in an index file.

mod blocks;
mod build;
mod cursor;
mod encode;
mod find;
mod many;
mod repair;
mod sorted;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use blocks::Block;
pub(crate) use blocks::Blocks;
#[cfg(test)]
pub(crate) use build::build_plainly;
pub(crate) use build::{Built, Pass, Tables, build};
pub(crate) use cursor::{CLASSES, Cursor, Oddities, State, letter};
pub(crate) use encode::Encoder;
#[cfg(test)]
pub(crate) use encode::encode;
pub use find::Bias;
pub(crate) use sorted::Sorted;

use crate::buffer::Slice;

/// One segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Segment {
    /// Line in the generated code, from 0.
    pub line: u32,
    /// Column in the generated code in UTF-16 units, from 0.
    pub column: u32,
    /// Where it comes from, if it comes from anywhere.
    pub original: Option<Original>,
    /// Index of the name that the source has for it.
    pub name: Option<u32>,
}

/// A place in a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Original {
    /// Index of the source.
    pub source: u32,
    /// Line in it, from 0.
    pub line: u32,
    /// Column in it in UTF-16 units, from 0.
    pub column: u32,
}

impl Segment {
    /// Line and column as one number, in the order of positions.
    pub(crate) fn key(&self) -> u64 {
        key(self.line, self.column)
    }
}

pub(crate) fn key(line: u32, column: u32) -> u64 {
    u64::from(line) << 32 | u64::from(column)
}

/// Line and column of a key.
#[expect(clippy::cast_possible_truncation, reason = "the halves of a key")]
pub(crate) fn halves(key: u64) -> (u32, u32) {
    ((key >> 32) as u32, key as u32)
}

/// `mappings` and the index into them.
#[derive(Clone)]
pub(crate) struct Mappings {
    pub(crate) text: Slice,
    pub(crate) blocks: Blocks,
    pub(crate) segments: u64,
    pub(crate) lines: u32,
    /// In an index file, what the text must add up to.
    pub(crate) sum: Option<u32>,
}
