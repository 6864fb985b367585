//! From a place in a source to the generated code.

use crate::error::Result;
use crate::map::SourceMap;
use crate::mappings::Segment;

/// Segments by their originals.
pub struct Reverse(Vec<Segment>);

impl SourceMap {
    /// Sorts all segments by their originals: once, for many questions.
    pub fn reverse(&self) -> Result<Reverse> {
        let mut segments = Vec::new();
        self.each(|segment| {
            if segment.original.is_some() {
                segments.push(segment);
            }
        })?;
        segments.sort_by_key(|segment| (segment.original, segment.line, segment.column));
        Ok(Reverse(segments))
    }
}

impl Reverse {
    /// The segments whose original is the nearest at or before the column of a line of a source, in the order of the generated code.
    pub fn generated_for(&self, source: u32, line: u32, column: u32) -> &[Segment] {
        let on_line = |segment: &Segment, column| {
            segment.original.is_some_and(|at| (at.source, at.line, at.column) <= (source, line, column))
        };
        let end = self.0.partition_point(|segment| on_line(segment, column));
        let (before, _) = self.0.split_at(end);
        let found = before.last().and_then(|segment| segment.original);
        let Some(found) = found.filter(|at| at.source == source && at.line == line) else { return &[] };
        let start = before.partition_point(|segment| segment.original.is_some_and(|at| at < found));
        before.get(start..).unwrap_or_default()
    }
}
