//! A map that was read.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::buffer::Slice;
use crate::error::Result;
use crate::functions::Functions;
use crate::index::{damaged, sum};
use crate::mappings::{Bias, Mappings, Segment};
use crate::metro::Metro;
use crate::sources::Strings;

/// A source map. It never changes, so threads may share it.
#[derive(Clone)]
pub struct SourceMap {
    /// One, or one for each section, by where they begin.
    pub(crate) parts: Vec<Part>,
    pub(crate) strings: Strings,
    pub(crate) file: Option<String>,
    pub(crate) debug_id: Option<String>,
    pub(crate) warnings: Vec<String>,
    pub(crate) metro: Metro,
    pub(crate) functions: Known,
}

/// The names of functions, as far as they are known.
#[derive(Clone, Default)]
pub(crate) struct Known {
    /// What an index file has.
    pub(crate) opened: Option<Functions>,
    /// What was made of what the parts say, once somebody asked.
    pub(crate) made: Arc<OnceLock<Functions>>,
}

/// `scopes` of a part.
#[derive(Clone)]
pub(crate) struct ScopesText {
    pub(crate) text: Slice,
    /// In an index file, what it must add up to.
    pub(crate) sum: Option<u32>,
}

/// Mappings of a stretch of the generated code.
#[derive(Clone)]
pub(crate) struct Part {
    /// Line and column at which the stretch begins.
    pub(crate) offset: (u32, u32),
    pub(crate) mappings: Mappings,
    pub(crate) first_source: u32,
    pub(crate) first_name: u32,
    pub(crate) source_count: u32,
    pub(crate) name_count: u32,
    pub(crate) scopes: Option<ScopesText>,
    /// `x_facebook_sources` as JSON.
    pub(crate) facebook_sources: Option<Slice>,
    /// Positions of the segments that stand for a range, sorted.
    pub(crate) ranges: Vec<u64>,
}

impl Part {
    /// Mappings whose sources and names are so many, from the first ones on.
    pub(crate) fn new(offset: (u32, u32), mappings: Mappings, sources: Range<usize>, names: Range<usize>) -> Self {
        let number = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
        Self {
            offset,
            mappings,
            first_source: number(sources.start),
            first_name: number(names.start),
            source_count: number(sources.len()),
            name_count: number(names.len()),
            scopes: None,
            facebook_sources: None,
            ranges: Vec::new(),
        }
    }

    /// `scopes` as it is written, if it is what was written.
    pub(crate) fn scopes_text(&self) -> Result<Option<&[u8]>> {
        let Some(scopes) = &self.scopes else { return Ok(None) };
        let text = scopes.text.bytes();
        let is_right = scopes.sum.is_none_or(|wanted| wanted == sum([text]));
        if is_right { Ok(Some(text)) } else { damaged("the scopes") }
    }

    /// A segment of these mappings as one of the whole map.
    pub(crate) fn to_whole(&self, mut segment: Segment) -> Segment {
        let (line, column) = self.offset;
        if segment.line == 0 {
            segment.column = segment.column.saturating_add(column);
        }
        segment.line = segment.line.saturating_add(line);
        if let Some(original) = &mut segment.original {
            original.source += self.first_source;
        }
        segment.name = segment.name.map(|name| name + self.first_name);
        segment
    }

    /// A position of the whole map as one of these mappings, if it isn't before them.
    pub(crate) fn to_part(&self, line: u32, column: u32) -> Option<(u32, u32)> {
        let below = line.checked_sub(self.offset.0)?;
        let column = if below == 0 { column.checked_sub(self.offset.1)? } else { column };
        Some((below, column))
    }

    /// Whether all positions of these mappings are below 2^31 in the whole map, too.
    pub(crate) fn fits(&self) -> Result<bool> {
        let rightmost =
            self.mappings.find(0, i32::MAX.unsigned_abs(), Bias::Before)?.map_or(0, |segment| segment.column);
        let lowest = self.mappings.lines.saturating_sub(1);
        let fits = |offset: u32, more: u32| offset.checked_add(more).is_some_and(|sum| i32::try_from(sum).is_ok());
        Ok(fits(self.offset.0, lowest) && fits(self.offset.1, rightmost))
    }

    /// Where the last segment begins in the whole map.
    pub(crate) fn last_position(&self) -> Result<Option<(u32, u32)>> {
        let last = self.mappings.last_before(self.mappings.blocks.count(), 0)?;
        Ok(last.map(|segment| self.to_whole(segment)).map(|segment| (segment.line, segment.column)))
    }
}

impl SourceMap {
    /// The generated file that the map says it is of.
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// The debug id that generated file and map share.
    pub fn debug_id(&self) -> Option<&str> {
        self.debug_id.as_deref()
    }

    /// What was wrong with the map and mended.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// How many sources there are.
    pub fn source_count(&self) -> usize {
        self.strings.source_count()
    }

    /// How many names there are.
    pub fn name_count(&self) -> usize {
        self.strings.name_count()
    }

    /// How many segments there are.
    pub fn segment_count(&self) -> u64 {
        self.parts.iter().map(|part| part.mappings.segments).sum()
    }

    /// How many lines the mappings have.
    pub fn line_count(&self) -> u32 {
        self.parts.last().map_or(0, |part| part.offset.0.saturating_add(part.mappings.lines))
    }

    /// A name.
    pub fn name(&self, index: usize) -> Result<Option<Cow<'_, str>>> {
        self.strings.name(index)
    }

    /// A source with its root; `None` if it is null.
    pub fn source(&self, index: usize) -> Result<Option<Cow<'_, str>>> {
        self.strings.source(index)
    }

    /// The text of a source, if the map has it.
    pub fn source_content(&self, index: usize) -> Result<Option<Cow<'_, str>>> {
        self.strings.content(index)
    }

    /// Whether debuggers should step over a source: it is on the ignore list.
    pub fn is_ignored(&self, index: usize) -> Result<bool> {
        self.strings.is_ignored(index)
    }

    /// Gives every segment to `each`, in the order of the generated code.
    pub fn each(&self, mut each: impl FnMut(Segment)) -> Result<()> {
        for part in &self.parts {
            part.mappings.each(|segment| each(part.to_whole(segment)))?;
        }
        Ok(())
    }
}
