//! Range mappings, a proposal: a segment that stands for every position up to the next one, each with its own original.

use crate::error::{Error, ReferenceKind, Result};
use crate::fields::Warnings;
use crate::map::Part;
use crate::mappings::{Cursor, Segment, State};
use crate::vlq::{Fault, Numbers, put};

impl Part {
    /// Reads `rangeMappings`: for each line the numbers of the segments that stand for a range, from 1, each as the
    /// difference to the one before it. They count the segments of `written`, the mappings before they were mended.
    pub(crate) fn read_ranges(&mut self, text: &[u8], written: &[u8], warnings: &mut Warnings) -> Result<()> {
        let wanted = match Marks::new(text).count() {
            Ok(wanted) => wanted,
            Err(Fault { offset, reason }) => {
                let fault = Error::Field { field: "rangeMappings", offset, reason };
                return warnings.mend(fault, "left out");
            }
        };
        let mut ranges = Vec::new();
        let found = if std::ptr::eq(written, self.mappings.text.bytes()) {
            each_marked(text, written, |key, is_range| note_range(&mut ranges, key, is_range))?
        } else {
            // Mending may have put the segments of a line in another order.
            let mut keys = Vec::new();
            let found = each_marked(text, written, |key, is_range| keys.push((key, is_range)))?;
            keys.sort_by_key(|(key, _)| *key);
            for (key, is_range) in keys {
                note_range(&mut ranges, key, is_range);
            }
            found
        };
        if found < wanted {
            let index = i64::try_from(wanted).unwrap_or(i64::MAX);
            let limit = usize::try_from(found).unwrap_or(usize::MAX);
            let fault = Error::Reference { kind: ReferenceKind::Range, index, limit };
            warnings.mend(fault, "left out")?;
        }
        self.ranges = ranges;
        Ok(())
    }

    pub(crate) fn is_range(&self, segment: &Segment) -> bool {
        self.ranges.binary_search(&segment.key()).is_ok()
    }

    /// The segment with the original of a position in its range, where it stands for one.
    pub(crate) fn in_range(&self, segment: Segment, line: u32, column: u32) -> Segment {
        if self.ranges.is_empty() || !self.is_range(&segment) {
            return segment;
        }
        moved(segment, line, column)
    }
}

impl Part {
    /// `rangeMappings` of mappings that begin at the first line and column; empty if there are none.
    pub(crate) fn ranges_text(&self) -> Result<Vec<u8>> {
        let mut text = Vec::new();
        if self.ranges.is_empty() {
            return Ok(text);
        }
        let (mut line, mut number, mut last) = (0, 0u64, 0u64);
        self.mappings.each(|segment| {
            while line < segment.line {
                text.push(b';');
                (line, number, last) = (line + 1, 0, 0);
            }
            number += 1;
            if self.is_range(&segment) {
                put(&mut text, number - last);
                last = number;
            }
        })?;
        Ok(text)
    }
}

/// Gives the position of each segment of `mappings`, and whether `ranges` marks it; how many it marks.
fn each_marked(ranges: &[u8], mappings: &[u8], mut each: impl FnMut(u64, bool)) -> Result<u64> {
    let mut marks = Marks::new(ranges);
    let mut next = move || marks.read().ok().flatten();
    let mut marked = next();
    let (mut line, mut number, mut found) = (0, 0, 0);
    let mut cursor = Cursor::new(mappings, 0, State::default());
    while let Some(segment) = cursor.next()? {
        number = if segment.line == line { number + 1 } else { 1 };
        line = segment.line;
        while marked.is_some_and(|marked| marked < (line, number)) {
            marked = next();
        }
        let is_range = marked == Some((line, number));
        found += u64::from(is_range);
        each(segment.key(), is_range);
    }
    Ok(found)
}

/// Notes whether the next segment stands for a range. Of several at one position the last one reaches further.
pub(crate) fn note_range(ranges: &mut Vec<u64>, key: u64, is_range: bool) {
    let is_noted = ranges.last() == Some(&key);
    if is_noted && !is_range {
        ranges.pop();
    } else if is_range && !is_noted {
        ranges.push(key);
    }
}

/// The segment of a range with the original of a position in it.
pub(crate) fn moved(mut segment: Segment, line: u32, column: u32) -> Segment {
    if let Some(original) = &mut segment.original {
        let below = line.saturating_sub(segment.line);
        original.line = original.line.saturating_add(below);
        original.column =
            if below == 0 { original.column.saturating_add(column.saturating_sub(segment.column)) } else { column };
    }
    segment
}

/// What `rangeMappings` marks, in its order: line, and number of the segment in it.
///
/// Read while it is used: a list of it could take many times as much as the text.
struct Marks<'a> {
    numbers: Numbers<'a>,
    line: u32,
    number: u64,
}

impl<'a> Marks<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self { numbers: Numbers::new(text), line: 0, number: 0 }
    }

    fn read(&mut self) -> std::result::Result<Option<(u32, u64)>, Fault> {
        while self.numbers.accept(b';') {
            (self.line, self.number) = (self.line.saturating_add(1), 0);
        }
        if self.numbers.peek().is_none() {
            return Ok(None);
        }
        let offset = self.numbers.at;
        match self.numbers.unsigned()? {
            0 => Err(Fault { offset, reason: "segments are counted from 1, not from 0" }),
            more => {
                self.number += u64::from(more);
                Ok(Some((self.line, self.number)))
            }
        }
    }

    /// How many there are, if all can be read.
    fn count(mut self) -> std::result::Result<u64, Fault> {
        let mut count = 0;
        while self.read()?.is_some() {
            count += 1;
        }
        Ok(count)
    }
}
