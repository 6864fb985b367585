//! From a position in the generated code to its segment, in a map of one part or many.

use crate::error::Result;
use crate::map::{Part, SourceMap};
use crate::mappings::{Bias, Segment, Sorted, halves, key};
use crate::ranges::moved;

impl SourceMap {
    /// The segment for a position: the first that begins there, or else the nearest one of the same line on the side that
    /// `bias` says. Negative positions have none.
    pub fn lookup(&self, line: i64, column: i64, bias: Bias) -> Result<Option<Segment>> {
        let (Ok(line), Ok(column)) = (u32::try_from(line), u32::try_from(column)) else { return Ok(None) };
        let reached = self.parts.partition_point(|part| part.offset <= (line, column));
        match bias {
            Bias::Before => self.before(line, column, reached),
            Bias::After => self.after(line, column, reached),
        }
    }

    fn before(&self, line: u32, column: u32, reached: usize) -> Result<Option<Segment>> {
        let reached = self.parts.get(..reached).unwrap_or_default();
        let Some(last) = reached.last() else { return Ok(None) };
        if let Some(found) = last.find(line, column, Bias::Before)? {
            return Ok(Some(found));
        }
        let has_ranges = reached.iter().any(|part| !part.ranges.is_empty());
        // What a section has behind the beginning of the next one is hidden.
        let mut end = (line, 0);
        for part in reached.iter().rev() {
            if part.offset.0 < line && !has_ranges && end.0 < line {
                break;
            }
            if let Some((segment, is_range)) = part.last_below(end)? {
                let segment = if is_range { moved(segment, line, column) } else { segment };
                return Ok((is_range || segment.line == line).then_some(segment));
            }
            end = part.offset;
        }
        Ok(None)
    }

    fn after(&self, line: u32, column: u32, reached: usize) -> Result<Option<Segment>> {
        let first = reached.saturating_sub(1);
        for (index, part) in self.parts.iter().enumerate().skip(first) {
            if part.offset.0 > line {
                break;
            }
            let from = if part.offset <= (line, column) { column } else { part.offset.1 };
            let end = self.parts.get(index + 1).map(|next| next.offset);
            let found = part.find(line, from, Bias::After)?;
            if let Some(segment) = found.filter(|at| end.is_none_or(|end| (at.line, at.column) < end)) {
                return Ok(Some(segment));
            }
        }
        Ok(None)
    }

    /// The segments for many positions, `None` where a position is negative or too large; `answer` gets the place of the
    /// position and its segment, in no order.
    pub fn lookup_many(
        &self,
        positions: impl Iterator<Item = Option<(u32, u32)>> + Clone,
        mut answer: impl FnMut(usize, Option<Segment>),
    ) -> Result<()> {
        let positions = Sorted::new(positions);
        match self.parts.as_slice() {
            [part] if part.offset == (0, 0) && part.ranges.is_empty() => part.mappings.find_sorted(&positions, answer),
            _ => positions.each(|key, place| {
                let (line, column) = halves(key);
                answer(place, self.lookup(i64::from(line), i64::from(column), Bias::Before)?);
                Ok(())
            }),
        }
    }
}

impl Part {
    fn find(&self, line: u32, column: u32, bias: Bias) -> Result<Option<Segment>> {
        let Some((line, column)) = self.to_part(line, column) else { return Ok(None) };
        let found = self.mappings.find(line, column, bias)?;
        Ok(found.map(|segment| self.to_whole(self.in_range(segment, line, column))))
    }

    /// The last segment before a place, whatever its line, and whether it stands for a range.
    fn last_below(&self, (line, column): (u32, u32)) -> Result<Option<(Segment, bool)>> {
        let Some((line, column)) = self.to_part(line, column) else { return Ok(None) };
        let found = self.mappings.last_below(key(line, column))?;
        Ok(found.map(|segment| (self.to_whole(segment), self.is_range(&segment))))
    }
}
