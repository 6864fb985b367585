//! Writes segments as `mappings`.

use super::Segment;
use super::cursor::letter;

/// Writes segments that are sorted by position, in tests; `lines` is how many lines there are at least.
#[cfg(test)]
pub(crate) fn encode(segments: impl IntoIterator<Item = Segment>, lines: u32) -> Vec<u8> {
    let mut encoder = Encoder::default();
    for segment in segments {
        encoder.push(segment);
    }
    encoder.finish(lines)
}

/// `mappings` that are being written.
#[derive(Default)]
pub(crate) struct Encoder {
    pub(crate) text: Vec<u8>,
    line: u32,
    is_in_line: bool,
    column: i64,
    source: i64,
    source_line: i64,
    source_column: i64,
    name: i64,
}

impl Encoder {
    /// Writes a segment that is not before the last one.
    pub(crate) fn push(&mut self, segment: Segment) {
        while self.line < segment.line {
            self.text.push(b';');
            self.line += 1;
            self.column = 0;
            self.is_in_line = false;
        }
        let text = &mut self.text;
        if self.is_in_line {
            text.push(b',');
        }
        self.is_in_line = true;
        value(text, &mut self.column, segment.column);
        if let Some(original) = segment.original {
            value(text, &mut self.source, original.source);
            value(text, &mut self.source_line, original.line);
            value(text, &mut self.source_column, original.column);
            if let Some(index) = segment.name {
                value(text, &mut self.name, index);
            }
        }
    }

    /// The text, with so many lines at least.
    pub(crate) fn finish(mut self, lines: u32) -> Vec<u8> {
        while self.line + 1 < lines {
            self.text.push(b';');
            self.line += 1;
        }
        self.text
    }
}

/// Appends the difference to the running value.
fn value(text: &mut Vec<u8>, running: &mut i64, next: u32) {
    let difference = i64::from(next) - *running;
    *running = i64::from(next);
    let mut rest = difference.unsigned_abs() << 1 | u64::from(difference < 0);
    loop {
        let digit = (rest & 31) as u8;
        rest >>= 5;
        text.push(letter(if rest > 0 { digit | 32 } else { digit }));
        if rest == 0 {
            return;
        }
    }
}
