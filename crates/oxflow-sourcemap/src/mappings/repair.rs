//! Writes mappings anew that the index can't have as they are: out of order, or with segments that mean nothing.

use super::build::{Built, Tables, build_plainly};
use super::cursor::{Cursor, State};
use super::encode::Encoder;
use super::{Mappings, Segment};
use crate::buffer::Slice;
use crate::error::{Error, Reason, Result};

impl Mappings {
    /// Reads `mappings`; what had to be mended is told through `warn`, or an error if `strict`.
    pub(crate) fn read(text: Slice, tables: Tables, strict: bool, warn: &mut impl FnMut(String)) -> Result<Self> {
        let built = super::build(text.bytes(), tables)?;
        let found = if strict { first_fault(&built) } else { None };
        if let Some(error) = found {
            return Err(error);
        }
        let is_mended =
            built.unsorted || built.oddities.long || built.oddities.empty.is_some() || built.dangling.is_some();
        if !is_mended {
            warn_of(&built, warn);
            return Ok(Self { text, blocks: built.blocks, segments: built.segments, lines: built.lines, sum: None });
        }
        warn_of(&built, warn);
        let written = rewrite(text.bytes(), tables, built.lines)?;
        let built = build_plainly(&written, tables)?;
        Ok(Self { text: written.into(), blocks: built.blocks, segments: built.segments, lines: built.lines, sum: None })
    }
}

/// What the standard forbids, and readers mend.
fn first_fault(built: &Built) -> Option<Error> {
    let empty = built.oddities.empty.map(|place| place.fault(Reason::Fields(0)));
    let minus_zero = built.oddities.minus_zero.map(|place| place.fault(Reason::NegativeZero));
    empty.or(minus_zero).or_else(|| built.dangling.clone())
}

fn warn_of(built: &Built, warn: &mut impl FnMut(String)) {
    if let Some(place) = built.oddities.empty {
        warn(format!("{}: left out", place.fault(Reason::Fields(0))));
    }
    if let Some(place) = built.oddities.minus_zero {
        warn(format!("{}: read as 0", place.fault(Reason::NegativeZero)));
    }
    if let Some(error) = &built.dangling {
        warn(format!("{error}: segments that lead nowhere have no source or no name"));
    }
}

fn rewrite(text: &[u8], tables: Tables, lines: u32) -> Result<Vec<u8>> {
    let mut encoder = Encoder::default();
    // Segments of other lines are never out of order.
    let mut segments: Vec<Segment> = Vec::new();
    let mut cursor = Cursor::new(text, 0, State::default());
    loop {
        let next = cursor.next()?;
        if next.is_none_or(|next| segments.last().is_some_and(|last| last.line < next.line)) {
            segments.sort_by_key(Segment::key);
            for segment in segments.drain(..) {
                encoder.push(segment);
                if encoder.text.len() as u64 > tables.bytes {
                    return Err(Error::Limit { what: "the size of the mended mappings in bytes", limit: tables.bytes });
                }
            }
        }
        let Some(segment) = next else { return Ok(encoder.finish(lines)) };
        segments.push(without_dangling(segment, tables));
    }
}

fn without_dangling(segment: Segment, tables: Tables) -> Segment {
    let original = segment.original.filter(|original| (original.source as usize) < tables.sources);
    let name = segment.name.filter(|name| original.is_some() && (*name as usize) < tables.names);
    Segment { original, name, ..segment }
}
