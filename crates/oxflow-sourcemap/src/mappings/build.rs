//! Reads all of `mappings` once: checks each segment, and makes the records of the blocks.

use super::Blocks;
use super::blocks::Records;
use super::cursor::{Cursor, Oddities, State};
use crate::error::{Error, ReferenceKind, Result};
use crate::simd;

/// Segments of a block, about.
pub(super) const BLOCK_SEGMENTS: u32 = 24;
/// Bytes of a block, about.
pub(super) const BLOCK_BYTES: usize = 1024;

/// What segments may refer to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tables {
    pub(crate) sources: usize,
    pub(crate) names: usize,
    /// How many segments are allowed.
    pub(crate) segments: u64,
    /// How many bytes of text are allowed where it is written anew.
    pub(crate) bytes: u64,
}

/// What a pass over the text found.
pub(crate) struct Built {
    pub(crate) blocks: Blocks,
    pub(crate) segments: u64,
    pub(crate) lines: u32,
    pub(crate) oddities: Oddities,
    /// Segments of a line are not in the order of their columns.
    pub(crate) unsorted: bool,
    /// A segment whose source or name does not exist.
    pub(crate) dangling: Option<Error>,
}

impl Built {
    /// Whether the text can't stay as it is, or was not as the standard has it.
    pub(crate) fn is_odd(&self) -> bool {
        let Oddities { empty, minus_zero, long } = self.oddities;
        self.unsorted || self.dangling.is_some() || empty.is_some() || minus_zero.is_some() || long
    }
}

/// A pass over the text, as far as it has come.
pub(crate) struct Pass {
    pub(crate) tables: Tables,
    pub(crate) records: Records,
    pub(crate) segments: u64,
    pub(crate) in_block: u32,
    pub(crate) block_start: usize,
    /// Where the last segment of the block ends.
    pub(crate) end: usize,
    unsorted: bool,
    dangling: Option<Error>,
    /// The position that the next segment is not before.
    pub(crate) last: u64,
}

impl Pass {
    pub(crate) fn new(tables: Tables) -> Self {
        let mut records = Records::default();
        records.begin(0, &State::default());
        let (unsorted, dangling) = (false, None);
        Self { tables, records, segments: 0, in_block: 0, block_start: 0, end: 0, unsorted, dangling, last: 0 }
    }

    /// Whether the last block is large enough, if it ends here.
    pub(crate) fn is_full(&self, at: usize) -> bool {
        self.in_block >= BLOCK_SEGMENTS || at - self.block_start >= BLOCK_BYTES
    }

    /// Begins a block here if the last one is large enough.
    pub(crate) fn cut(&mut self, at: usize, state: &State) {
        if self.is_full(at) {
            self.records.end(self.end);
            self.records.begin(at, state);
            self.in_block = 0;
            self.block_start = at;
        }
    }

    /// Reads all segments that are left.
    pub(crate) fn walk(&mut self, cursor: &mut Cursor<'_>) -> Result<()> {
        while cursor.skip_separators() {
            self.cut(cursor.at, &cursor.state);
            let fields = cursor.take()?;
            self.count(1)?;
            self.end = cursor.at;
            self.note(&cursor.state, fields);
        }
        Ok(())
    }

    /// Counts segments, of which there may not be too many.
    pub(crate) fn count(&mut self, more: u32) -> Result<()> {
        self.segments += u64::from(more);
        self.in_block += more;
        if self.segments > self.tables.segments {
            return Err(Error::Limit { what: "the number of segments", limit: self.tables.segments });
        }
        Ok(())
    }

    fn note(&mut self, state: &State, fields: u8) {
        let key = state.key();
        self.unsorted |= key < self.last;
        self.last = self.last.max(key);
        let no_source = fields > 1 && state.source as usize >= self.tables.sources;
        let no_name = fields > 4 && state.name as usize >= self.tables.names;
        if (no_source || no_name) && self.dangling.is_none() {
            let (kind, index, limit) = if no_source {
                (ReferenceKind::Source, state.source, self.tables.sources)
            } else {
                (ReferenceKind::Name, state.name, self.tables.names)
            };
            self.dangling = Some(Error::Reference { kind, index: i64::from(index), limit });
        }
    }

    pub(crate) fn finish(mut self, cursor: &Cursor<'_>) -> Built {
        self.records.end(self.end);
        Built {
            blocks: self.records.finish(),
            segments: self.segments,
            lines: cursor.state.line.saturating_add(1),
            oddities: cursor.oddities,
            unsorted: self.unsorted,
            dangling: self.dangling,
        }
    }
}

/// Reads all segments, the quickest way that this processor has.
pub(crate) fn build(text: &[u8], tables: Tables) -> Result<Built> {
    match simd::build(text, tables) {
        Some(built) => built,
        None => build_plainly(text, tables),
    }
}

/// Reads all segments one by one.
pub(crate) fn build_plainly(text: &[u8], tables: Tables) -> Result<Built> {
    let mut pass = Pass::new(tables);
    let mut cursor = Cursor::new(text, 0, State::default());
    pass.walk(&mut cursor)?;
    Ok(pass.finish(&cursor))
}
