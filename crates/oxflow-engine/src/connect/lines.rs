//! Cuts chunks of bytes into lines.
//!
//! Lines are not copied: a batch shares the chunk that it lies in. Only the piece of a line that a chunk ends with is
//! carried over to the next.

use std::sync::Arc;

use memchr::memchr;

use crate::batch::{ByteColumn, Meta, Span};
use crate::commit::Position;

use super::{Read, UNTIMED};

/// Most bytes of a message.
pub(super) const MAX_LINE_BYTES: usize = 64 << 20;

/// What some editors put before the first line of a file in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Lines of one partition.
#[derive(Debug)]
pub(super) struct Lines {
    stream: Arc<str>,
    partition: u32,
    chunk: Arc<Vec<u8>>,
    /// Where the next line begins in `chunk`.
    cursor: usize,
    /// Up to where no line ends after `cursor`, so that a line that grows chunk by chunk is looked through once.
    searched: usize,
    /// Position in the partition of the first byte of `chunk`.
    start: u64,
    /// Number of the next line, from 0.
    line: i64,
    /// No more chunks come: what is left is the last line.
    ended: bool,
}

impl Lines {
    pub(super) fn new(stream: &Arc<str>, partition: u32) -> Self {
        let stream = Arc::clone(stream);
        Self { stream, partition, chunk: Arc::default(), cursor: 0, searched: 0, start: 0, line: 0, ended: false }
    }

    /// Goes on in the middle of a partition.
    pub(super) fn resume(&mut self, position: Position) {
        self.start = position.next;
        self.line = position.offset;
    }

    /// Number of the line that comes next, from 1, for errors.
    pub(super) fn line_number(&self) -> i64 {
        self.line + 1
    }

    /// Goes on with the next chunk: `read` appends about `more` bytes to the line that is not finished.
    pub(super) fn feed<T>(&mut self, more: usize, read: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        // Moved, not copied, unless a batch still lies in it: a line of many chunks would be copied with each of them.
        let mut chunk = match Arc::try_unwrap(std::mem::take(&mut self.chunk)) {
            Ok(mut chunk) => {
                chunk.drain(..self.cursor);
                chunk
            }
            Err(shared) => shared.get(self.cursor..).unwrap_or_default().to_vec(),
        };
        self.start += self.cursor as u64;
        self.searched = self.searched.saturating_sub(self.cursor);
        self.cursor = 0;
        chunk.reserve(more);
        let answer = read(&mut chunk);
        self.chunk = Arc::new(chunk);
        answer
    }

    /// No more bytes come.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// Bytes of the line that is not finished yet.
    pub(super) fn rest(&self) -> &[u8] {
        self.chunk.get(self.cursor..).unwrap_or_default()
    }

    /// Up to `most` lines of the chunk; none if it holds no whole line any more. Blank lines are left out.
    pub(super) fn take(&mut self, most: usize) -> Option<Read> {
        let mut spans = Vec::new();
        let mut offsets = Vec::new();
        let mut next = Vec::new();
        while spans.len() < most {
            let Some((span, after)) = self.cut() else { break };
            let blank = span.of(&self.chunk).trim_ascii().is_empty();
            self.cursor = after;
            if !blank {
                spans.push(span);
                offsets.push(self.line);
                next.push(Position { next: self.start + after as u64, offset: self.line + 1 });
            }
            self.line += 1;
        }
        (!spans.is_empty()).then(|| self.read(spans, offsets, next))
    }

    /// The next line, without its end, and where the one after it begins.
    fn cut(&mut self) -> Option<(Span, usize)> {
        let searched = self.searched.max(self.cursor);
        let (end, after) = match memchr(b'\n', self.chunk.get(searched..).unwrap_or_default()) {
            Some(length) => (searched + length, searched + length + 1),
            None if self.ended && !self.rest().is_empty() => (self.chunk.len(), self.chunk.len()),
            None => {
                self.searched = self.chunk.len();
                return None;
            }
        };
        let line = Span { start: self.cursor, end }.of(&self.chunk);
        let marked = self.start == 0 && self.cursor == 0 && line.starts_with(BYTE_ORDER_MARK);
        let start = self.cursor + if marked { BYTE_ORDER_MARK.len() } else { 0 };
        let end = if line.ends_with(b"\r") { end - 1 } else { end };
        Some((Span { start, end }, after))
    }

    fn read(&self, spans: Vec<Span>, offsets: Vec<i64>, next: Vec<Position>) -> Read {
        let count = spans.len();
        Read {
            meta: Meta::new(Arc::clone(&self.stream), vec![self.partition; count], offsets, vec![UNTIMED; count]),
            payloads: ByteColumn::new(Arc::clone(&self.chunk), spans),
            next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Feeds the text in pieces of `size` bytes and gives back `(offset, line, next)` of each line.
    fn cut(text: &[u8], size: usize, most: usize) -> Vec<(i64, Vec<u8>, u64)> {
        let mut lines = Lines::new(&Arc::from("s"), 0);
        let mut found = Vec::new();
        for piece in text.chunks(size).map(Some).chain([None]) {
            match piece {
                Some(piece) => lines.feed(piece.len(), |chunk| chunk.extend_from_slice(piece)),
                None => lines.end(),
            }
            while let Some(read) = lines.take(most) {
                let offsets = (0..).map_while(|row| read.meta.row(row)).map(|row| row.offset());
                let payloads = read.payloads.iter().map(<[u8]>::to_vec);
                found.extend(
                    offsets.zip(payloads).zip(&read.next).map(|((offset, line), next)| (offset, line, next.next)),
                );
            }
        }
        found
    }

    #[test]
    fn blank_lines_and_line_ends_are_left_out() {
        let expected = vec![(0, b"a".to_vec(), 3), (2, b"b".to_vec(), 6), (4, b"c".to_vec(), 10)];
        assert_eq!(expected, cut(b"a\r\n\nb\n  \nc", 100, 10));
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_line() {
        assert_eq!(vec![(0, b"a".to_vec(), 5), (1, b"b".to_vec(), 7)], cut(b"\xef\xbb\xbfa\nb\n", 2, 10));
    }

    #[test]
    fn a_line_of_many_chunks_is_not_copied_with_each() {
        let mut lines = Lines::new(&Arc::from("s"), 0);
        lines.feed(1 << 20, |chunk| chunk.push(b'x'));
        let place = lines.rest().as_ptr();
        for _ in 1..1000 {
            assert!(lines.take(1).is_none());
            lines.feed(1, |chunk| chunk.push(b'x'));
        }
        assert_eq!((place, 1000), (lines.rest().as_ptr(), lines.searched + 1));
    }

    proptest! {
        #[test]
        fn chunks_do_not_change_the_lines(text in "[ab\n\r ]{0,60}", size in 1..20usize, most in 1..5usize) {
            let whole = cut(text.as_bytes(), 1000, 1000);
            prop_assert_eq!(&whole, &cut(text.as_bytes(), size, most));
            let expected: Vec<Vec<u8>> = text
                .split('\n')
                .map(|line| line.strip_suffix('\r').unwrap_or(line).as_bytes().to_vec())
                .filter(|line| !line.trim_ascii().is_empty())
                .collect();
            prop_assert_eq!(expected, whole.iter().map(|(_, line, _)| line.clone()).collect::<Vec<_>>());
        }

        #[test]
        fn reading_goes_on_after_the_line(text in "[ab\n]{0,60}", size in 1..20usize) {
            for (_, line, next) in cut(text.as_bytes(), size, 3) {
                let before = &text.as_bytes()[..usize::try_from(next).unwrap()];
                prop_assert!(before.strip_suffix(b"\n").unwrap_or(before).ends_with(&line));
            }
        }
    }
}
