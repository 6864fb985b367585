//! A map of a file after the file was edited.

use crate::error::{Error, Result};
use crate::map::{Known, SourceMap};
use crate::mappings::{Segment, halves, key};
use crate::metro::Metro;
use crate::whole::Writing;

/// Segments with the stretch that each stands for: up to the next one, or to the end of its line.
struct Stretches<F> {
    segments: Vec<Segment>,
    start: F,
}

impl<F: Fn(&Segment) -> u64> Stretches<F> {
    fn new(mut segments: Vec<Segment>, start: F) -> Self {
        segments.sort_by_key(&start);
        Self { segments, start }
    }

    fn get(&self, index: usize) -> Option<(Segment, std::ops::Range<u64>)> {
        let segment = *self.segments.get(index)?;
        let start = (self.start)(&segment);
        let end_of_line = start | u64::from(u32::MAX);
        let end = self.segments.get(index + 1).map_or(end_of_line, |next| (self.start)(next).min(end_of_line));
        Some((segment, start..end))
    }
}

impl SourceMap {
    /// The map of the generated file after it was edited. `edit` is the map of the edited file, from which only the mappings are
    /// used, whose originals are places in the file as it was.
    ///
    /// Each segment goes where the edit moved it, and is cut where the edit cut it; what was inserted has none. A segment of a range
    /// is one of its beginning.
    pub fn adjust(&self, edit: &Self) -> Result<Self> {
        let original = |segment: &Segment| segment.original.map_or(0, |at| key(at.line, at.column));
        let edits = edit.segments()?.into_iter().filter(|segment| segment.original.is_some()).collect();
        let edits = Stretches::new(edits, original);
        let ours = Stretches::new(self.segments()?, Segment::key);
        let mut moved = Vec::new();
        let mut next = 0;
        for number in 0..edits.segments.len() {
            let Some((edit, covered)) = edits.get(number) else { break };
            while ours.get(next).is_some_and(|(_, stretch)| stretch.end <= covered.start) {
                next += 1;
            }
            while let Some((segment, stretch)) = ours.get(next).filter(|(_, stretch)| stretch.start < covered.end) {
                moved.push(shifted(segment, stretch.start.max(covered.start), covered.start, &edit)?);
                if stretch.end >= covered.end {
                    break;
                }
                next += 1;
            }
        }
        moved.sort_by_key(Segment::key);
        let mut writing = Writing::default();
        for segment in moved {
            writing.push(segment, false)?;
        }
        let parts = vec![writing.finish(0, &self.strings)?];
        // What is known of functions is of other places, or has names.
        let (metro, functions) = (Metro::Nothing, Known::default());
        Ok(Self { parts, metro, functions, ..self.clone() })
    }

    /// All segments, sorted by position; where sections overlap those of the later one count.
    pub fn segments(&self) -> Result<Vec<Segment>> {
        let mut segments = Vec::new();
        self.walk(|segment, _| {
            segments.push(segment);
            Ok(())
        })?;
        Ok(segments)
    }
}

/// A segment that begins at `at` in the file as it was, by as much further as `edit` moved what was at `from`.
fn shifted(segment: Segment, at: u64, from: u64, edit: &Segment) -> Result<Segment> {
    let ((line, column), (from_line, from_column)) = (halves(at), halves(from));
    // The stretch of an edit ends with its line.
    let column = u64::from(edit.column) + u64::from(column) - u64::from(from_column);
    let column = u32::try_from(column).ok().filter(|column| i32::try_from(*column).is_ok());
    let Some(column) = column else {
        return Err(Error::Limit { what: "a column", limit: u64::from(i32::MAX.unsigned_abs()) });
    };
    Ok(Segment { line: edit.line + (line - from_line), column, ..segment })
}
