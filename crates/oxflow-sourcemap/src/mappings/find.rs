//! Finds the segment of a position.

use std::cmp::Ordering;

use super::blocks::Block;
use super::cursor::{Cursor, State};
use super::{Mappings, Segment, key};
use crate::error::Result;
use crate::index::{damaged, sum};

/// Which segment answers for a position that none begins at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bias {
    /// The last one before it.
    #[default]
    Before,
    /// The first one after it.
    After,
}

fn segment((state, fields): (State, u8)) -> Segment {
    state.segment(fields)
}

impl Mappings {
    /// The segment for a position: the first one that begins there, or else the nearest one of the same line.
    pub(crate) fn find(&self, line: u32, column: u32, bias: Bias) -> Result<Option<Segment>> {
        let target = key(line, column);
        let first = self.blocks.count_below(target).saturating_sub(1);
        if !self.blocks.covers(first, target) {
            return damaged("the keys of the mappings");
        }
        let mut before = None;
        let mut block = first;
        while let Some(record) = self.block(block)? {
            let mut cursor = self.cursor(&record);
            loop {
                let fields = cursor.step()?;
                if fields == 0 {
                    break;
                }
                let here = (cursor.state, fields);
                match here.0.key().cmp(&target) {
                    Ordering::Less => before = Some(here),
                    Ordering::Equal => return Ok(Some(segment(here))),
                    Ordering::Greater if bias == Bias::Before => return self.before(before.map(segment), first, line),
                    Ordering::Greater => return Ok((here.0.line == line).then(|| segment(here))),
                }
            }
            block += 1;
        }
        if bias == Bias::Before { self.before(before.map(segment), first, line) } else { Ok(None) }
    }

    /// The segment before a position of `line` that lies in block `first`, where `found` is what was read of that block.
    fn before(&self, found: Option<Segment>, first: usize, line: u32) -> Result<Option<Segment>> {
        let nearest = match found {
            Some(segment) => Some(segment),
            None => self.last_before(first, line)?,
        };
        Ok(nearest.filter(|segment| segment.line == line))
    }

    /// The last segment before a block, as far as it is not before `line`.
    pub(crate) fn last_before(&self, block: usize, line: u32) -> Result<Option<Segment>> {
        let begins_on = |block: usize| self.blocks.key(block).map_or(0, |key| key >> 32);
        let mut block = block;
        while block > 0 && begins_on(block) >= u64::from(line) {
            block -= 1;
            let Some(record) = self.block(block)? else { break };
            let mut cursor = self.cursor(&record);
            let mut last = None;
            while let Some(segment) = cursor.next()? {
                last = Some(segment);
            }
            if last.is_some() {
                return Ok(last);
            }
        }
        Ok(None)
    }

    /// The last segment before a position, whatever its line.
    pub(crate) fn last_below(&self, target: u64) -> Result<Option<Segment>> {
        let mut block = self.blocks.count_below(target);
        while block > 0 {
            block -= 1;
            let Some(record) = self.block(block)? else { break };
            let mut cursor = self.cursor(&record);
            let mut last = None;
            while let Some(segment) = cursor.next()?.filter(|segment| segment.key() < target) {
                last = Some(segment);
            }
            if last.is_some() {
                return Ok(last);
            }
        }
        Ok(None)
    }

    pub(crate) fn cursor(&self, block: &Block) -> Cursor<'_> {
        let text = self.text.bytes().get(..block.range.end).unwrap_or_default();
        Cursor::new(text, block.range.start, block.state)
    }

    /// A block that is what was written.
    pub(super) fn block(&self, block: usize) -> Result<Option<Block>> {
        self.blocks.get(block, self.text.bytes())
    }

    /// Gives every segment to `each`, in order.
    pub(crate) fn each(&self, mut each: impl FnMut(Segment)) -> Result<()> {
        for block in 0..self.blocks.count() {
            let Some(record) = self.block(block)? else { break };
            let mut cursor = self.cursor(&record);
            while let Some(segment) = cursor.next()? {
                each(segment);
            }
        }
        Ok(())
    }

    /// The text as a whole, if it is what was written.
    pub(crate) fn whole_text(&self) -> Result<&[u8]> {
        let text = self.text.bytes();
        let is_right = self.sum.is_none_or(|wanted| wanted == sum([text]));
        if is_right { Ok(text) } else { damaged("the text of the mappings") }
    }
}
