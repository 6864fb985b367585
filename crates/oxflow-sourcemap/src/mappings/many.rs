//! Finds the segments of many positions at once.
//!
//! Random positions are cache misses. Sorted first, which costs less than they do, all are found in one walk over the text.

use super::cursor::{Cursor, State};
use super::find::Bias;
use super::sorted::Sorted;
use super::{Mappings, Segment, halves};
use crate::error::Result;
use crate::index::damaged;

/// Where a walk is: behind the first segment that is not yet passed.
struct Walk<'a> {
    mappings: &'a Mappings,
    block: usize,
    cursor: Cursor<'a>,
    /// The last segment that was passed, if it was read.
    before: Option<(State, u8)>,
    /// How many fields the segment has that the cursor is behind; 0 at the end of all.
    fields: u8,
}

impl<'a> Walk<'a> {
    fn new(mappings: &'a Mappings, target: u64) -> Result<Self> {
        let cursor = Cursor::new(&[], 0, State::default());
        let mut walk = Self { mappings, block: 0, cursor, before: None, fields: 0 };
        walk.jump(mappings.blocks.count_below(target).saturating_sub(1), target)?;
        Ok(walk)
    }

    /// Goes to a block, in which the segments of `target` are.
    fn jump(&mut self, block: usize, target: u64) -> Result<()> {
        if !self.mappings.blocks.covers(block, target) {
            return damaged("the keys of the mappings");
        }
        self.before = None;
        self.enter(block)?;
        self.step()
    }

    /// Goes to the beginning of a block; false if there is none.
    fn enter(&mut self, block: usize) -> Result<bool> {
        let Some(record) = self.mappings.block(block)? else { return Ok(false) };
        self.block = block;
        self.cursor = self.mappings.cursor(&record);
        Ok(true)
    }

    fn step(&mut self) -> Result<()> {
        loop {
            self.fields = self.cursor.step()?;
            if self.fields > 0 || !self.enter(self.block + 1)? {
                return Ok(());
            }
        }
    }

    fn find(&mut self, target: u64) -> Result<Option<Segment>> {
        let blocks = &self.mappings.blocks;
        if blocks.key(self.block + 2).is_some_and(|key| key < target) {
            self.jump(blocks.count_below(target).saturating_sub(1), target)?;
        }
        while self.fields > 0 && self.cursor.state.key() < target {
            self.before = Some((self.cursor.state, self.fields));
            self.step()?;
        }
        if self.fields > 0 && self.cursor.state.key() == target {
            return Ok(Some(self.cursor.state.segment(self.fields)));
        }
        let (line, column) = halves(target);
        match self.before {
            Some((state, fields)) => Ok((state.line == line).then(|| state.segment(fields))),
            // The block begins behind it, or nothing is before it.
            None => self.mappings.find(line, column, Bias::Before),
        }
    }
}

impl Mappings {
    /// Finds the segments before many positions; `answer` gets the place of each.
    pub(crate) fn find_sorted(&self, positions: &Sorted, mut answer: impl FnMut(usize, Option<Segment>)) -> Result<()> {
        let mut walk = None;
        let mut last = None;
        positions.each(|target, place| {
            let segment = match last {
                Some((known, segment)) if known == target => segment,
                _ => match &mut walk {
                    Some(walk) => Walk::find(walk, target)?,
                    begun => begun.insert(Walk::new(self, target)?).find(target)?,
                },
            };
            last = Some((target, segment));
            answer(place, segment);
            Ok(())
        })
    }
}
