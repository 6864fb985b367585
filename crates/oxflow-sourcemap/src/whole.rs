//! Mappings that are written anew: those of all sections as one, and those of maps that are made of others.

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::map::{Part, ScopesText, SourceMap};
use crate::mappings::{Encoder, Mappings, Segment, Tables};
use crate::ranges::note_range;
use crate::sources::Strings;

/// How many lines mappings may have that are written anew: each of them is a byte of text, wherever a small map says that
/// its section begins.
const MOST_LINES: u32 = 1 << 26;

/// Mappings that are being written.
#[derive(Default)]
pub(crate) struct Writing {
    encoder: Encoder,
    ranges: Vec<u64>,
}

impl Writing {
    /// Writes a segment that is not before the last one.
    pub(crate) fn push(&mut self, segment: Segment, is_range: bool) -> Result<()> {
        check_lines(segment.line)?;
        note_range(&mut self.ranges, segment.key(), is_range);
        self.encoder.push(segment);
        Ok(())
    }

    /// The mappings of so many lines at least, as those of a map with these sources and names.
    pub(crate) fn finish(self, lines: u32, strings: &Strings) -> Result<Part> {
        check_lines(lines.saturating_sub(1))?;
        let (sources, names) = (strings.source_count(), strings.name_count());
        let tables = Tables { sources, names, segments: u64::MAX, bytes: u64::MAX };
        let mappings = Mappings::read(self.encoder.finish(lines).into(), tables, true, &mut |_| ())?;
        Ok(Part { ranges: self.ranges, ..Part::new((0, 0), mappings, 0..sources, 0..names) })
    }
}

fn check_lines(line: u32) -> Result<()> {
    let is_too_many = line >= MOST_LINES;
    if is_too_many { Err(Error::Limit { what: "the number of lines", limit: u64::from(MOST_LINES) }) } else { Ok(()) }
}

impl SourceMap {
    /// The same map without sections.
    pub fn flatten(&self) -> Result<Self> {
        let whole = self.whole()?.into_owned();
        Ok(Self { parts: vec![whole], ..self.clone() })
    }

    /// The map as one part that begins at the first line and column.
    pub(crate) fn whole(&self) -> Result<Cow<'_, Part>> {
        if let [part] = self.parts.as_slice()
            && part.offset == (0, 0)
        {
            return Ok(Cow::Borrowed(part));
        }
        let mut writing = Writing::default();
        self.walk(|segment, is_range| writing.push(segment, is_range))?;
        let mut whole = writing.finish(self.line_count(), &self.strings)?;
        whole.scopes = self.scopes_text()?.map(|text| ScopesText { text: text.into_owned().into(), sum: None });
        whole.facebook_sources = self.metro_sources()?.map(|text| text.into_owned().into());
        Ok(Cow::Owned(whole))
    }

    /// Gives every segment to `each` and whether it stands for a range, sorted by position; where sections overlap those of
    /// the later one count.
    pub(crate) fn walk(&self, mut each: impl FnMut(Segment, bool) -> Result<()>) -> Result<()> {
        for (index, part) in self.parts.iter().enumerate() {
            let end = self.parts.get(index + 1).map(|next| next.offset);
            let mut outcome = Ok(());
            part.mappings.each(|segment| {
                let whole = part.to_whole(segment);
                let is_hidden = end.is_some_and(|end| (whole.line, whole.column) >= end);
                if outcome.is_ok() && !is_hidden {
                    outcome = each(whole, part.is_range(&segment));
                }
            })?;
            outcome?;
        }
        Ok(())
    }
}
