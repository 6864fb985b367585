//! Cuts chunks of bytes into lines.
//!
//! Lines are not copied: a batch shares the chunk that it lies in. Only the piece of a line that a chunk ends with is
//! carried over to the next.

use std::sync::Arc;

use memchr::memchr;

use crate::batch::{ByteColumn, Meta, Span, row_number};
use crate::commit::Position;

use super::{PollLimits, Read, TooLong, UNTIMED};

/// Most bytes that are kept of a message that is too long.
const HEAD_BYTES: usize = 1024;

/// What is kept of a message that is too long. No letter is cut in two, so that text stays text.
pub(super) fn head(message: &[u8]) -> &[u8] {
    let within_letter = |end: usize| message.get(end).is_some_and(|byte| byte & 0xc0 == 0x80);
    let end = (HEAD_BYTES - 3..=HEAD_BYTES).rev().find(|end| !within_letter(*end)).unwrap_or(HEAD_BYTES);
    message.get(..end).unwrap_or(message)
}

/// What some editors put before the first line of a file in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What a line may hold beside its message: a byte order mark, and a carriage return.
const AROUND_BYTES: usize = BYTE_ORDER_MARK.len() + 1;

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
    /// The line that is not finished is too long: no more than its beginning is kept.
    overlong: bool,
    /// Bytes of that line that are not in `chunk` any more.
    forgotten: u64,
    /// No more chunks come: what is left is the last line.
    ended: bool,
}

/// A line that was cut off.
struct Line {
    /// Its message, or the beginning of one that is too long.
    message: Span,
    /// All bytes of a line whose message is too long.
    too_long: Option<u64>,
}

/// A line that is not finished, for whoever goes on with it.
#[derive(Debug, Default)]
pub(super) struct Rest {
    bytes: Vec<u8>,
    overlong: bool,
    forgotten: u64,
}

impl Rest {
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl Lines {
    pub(super) fn new(stream: &Arc<str>, partition: u32) -> Self {
        Self::go_on(stream, partition, Rest::default())
    }

    /// Goes on with a line that somebody else began to read.
    pub(super) fn go_on(stream: &Arc<str>, partition: u32, rest: Rest) -> Self {
        let Rest { bytes, overlong, forgotten } = rest;
        Self {
            stream: Arc::clone(stream),
            partition,
            chunk: Arc::new(bytes),
            cursor: 0,
            searched: 0,
            start: 0,
            line: 0,
            overlong,
            forgotten,
            ended: false,
        }
    }

    /// Goes on in the middle of a partition.
    pub(super) fn resume(&mut self, position: Position) {
        self.start = position.next;
        self.line = position.offset;
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
        if self.overlong {
            self.forget(&mut chunk);
        }
        chunk.reserve(more);
        let answer = read(&mut chunk);
        self.chunk = Arc::new(chunk);
        answer
    }

    /// Keeps the beginning of a line that is too long.
    fn forget(&mut self, line: &mut Vec<u8>) {
        let whole = line.len();
        line.truncate(AROUND_BYTES + HEAD_BYTES);
        line.shrink_to_fit();
        self.forgotten += (whole - line.len()) as u64;
        self.searched = line.len();
    }

    /// No more bytes come.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// The line that is not finished yet.
    pub(super) fn rest(&self) -> Rest {
        Rest { bytes: self.unfinished().to_vec(), overlong: self.overlong, forgotten: self.forgotten }
    }

    fn unfinished(&self) -> &[u8] {
        self.chunk.get(self.cursor..).unwrap_or_default()
    }

    /// The lines of the chunk, as many as the limits allow; none if it holds no whole line any more. Blank lines are left
    /// out.
    pub(super) fn take(&mut self, limits: &PollLimits) -> Option<Read> {
        let mut spans = Vec::new();
        let mut offsets = Vec::new();
        let mut next = Vec::new();
        let mut too_long = Vec::new();
        while spans.len() < limits.messages {
            let Some(Line { message, too_long: bytes }) = self.cut(limits.message_bytes) else { break };
            if let Some(bytes) = bytes {
                too_long.push(TooLong { row: row_number(spans.len()), bytes });
            } else if message.of(&self.chunk).trim_ascii().is_empty() {
                continue;
            }
            spans.push(message);
            offsets.push(self.line - 1);
            next.push(Position { next: self.start + self.cursor as u64, offset: self.line });
        }
        (!spans.is_empty()).then(|| Read { too_long, ..self.read(spans, offsets, next) })
    }

    /// Cuts off the next line.
    fn cut(&mut self, message_bytes: usize) -> Option<Line> {
        let (end, after) = self.find_end(message_bytes)?;
        let mut message = self.trim(end);
        let bytes = self.forgotten + (end - self.cursor) as u64;
        let too_long = std::mem::take(&mut self.overlong) || message.end - message.start > message_bytes;
        if too_long {
            message.end = message.start + head(message.of(&self.chunk)).len();
        }
        self.cursor = after;
        self.start += std::mem::take(&mut self.forgotten);
        self.line += 1;
        Some(Line { message, too_long: too_long.then_some(bytes) })
    }

    /// Where the next line ends, and where the one after it begins.
    fn find_end(&mut self, message_bytes: usize) -> Option<(usize, usize)> {
        let searched = self.searched.max(self.cursor);
        match memchr(b'\n', self.chunk.get(searched..).unwrap_or_default()) {
            Some(length) => Some((searched + length, searched + length + 1)),
            None if self.ended && !self.unfinished().is_empty() => Some((self.chunk.len(), self.chunk.len())),
            None => {
                self.searched = self.chunk.len();
                self.overlong |= self.unfinished().len() > message_bytes.saturating_add(AROUND_BYTES);
                None
            }
        }
    }

    /// The message of the line that ends at `end`.
    fn trim(&self, end: usize) -> Span {
        let line = Span { start: self.cursor, end }.of(&self.chunk);
        let marked = self.start == 0 && self.cursor == 0 && line.starts_with(BYTE_ORDER_MARK);
        let start = self.cursor + if marked { BYTE_ORDER_MARK.len() } else { 0 };
        Span { start, end: if line.ends_with(b"\r") { end - 1 } else { end } }
    }

    fn read(&self, spans: Vec<Span>, offsets: Vec<i64>, next: Vec<Position>) -> Read {
        let count = spans.len();
        Read {
            meta: Meta::new(Arc::clone(&self.stream), vec![self.partition; count], offsets, vec![UNTIMED; count]),
            payloads: ByteColumn::new(Arc::clone(&self.chunk), spans),
            next,
            too_long: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use proptest::prelude::*;

    fn limits(messages: usize, message_bytes: usize) -> PollLimits {
        PollLimits { messages, bytes: 1, wait: Duration::ZERO, message_bytes, decompression_ratio: 1 }
    }

    fn cut(text: &[u8], size: usize, most: usize) -> Vec<Found> {
        cut_at(text, size, &limits(most, 1000)).0
    }

    /// Offset and bytes of a line, and where the next one begins.
    type Found = (i64, Vec<u8>, u64);

    /// Feeds the text in pieces of `size` bytes; gives back the lines, and how long those are that are too long.
    fn cut_at(text: &[u8], size: usize, limits: &PollLimits) -> (Vec<Found>, Vec<u64>) {
        let mut lines = Lines::new(&Arc::from("s"), 0);
        let mut found = Vec::new();
        let mut too_long = Vec::new();
        for piece in text.chunks(size).map(Some).chain([None]) {
            match piece {
                Some(piece) => lines.feed(piece.len(), |chunk| chunk.extend_from_slice(piece)),
                None => lines.end(),
            }
            while let Some(read) = lines.take(limits) {
                too_long.extend(read.too_long.iter().map(|line| line.bytes));
                let offsets = (0..).map_while(|row| read.meta.row(row)).map(|row| row.offset());
                let payloads = read.payloads.iter().map(<[u8]>::to_vec);
                found.extend(
                    offsets.zip(payloads).zip(&read.next).map(|((offset, line), next)| (offset, line, next.next)),
                );
            }
        }
        (found, too_long)
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
        let place = lines.unfinished().as_ptr();
        for _ in 1..1000 {
            assert!(lines.take(&limits(1, 1 << 20)).is_none());
            lines.feed(1, |chunk| chunk.push(b'x'));
        }
        assert_eq!((place, 1000), (lines.unfinished().as_ptr(), lines.searched + 1));
    }

    #[test]
    fn no_letter_is_cut_in_two() {
        for letter in ["x", "\u{e9}", "\u{20ac}", "\u{1f980}"] {
            for shift in 0..4 {
                let text = format!("{}{}", "x".repeat(shift), letter.repeat(HEAD_BYTES));
                let kept = std::str::from_utf8(head(text.as_bytes())).unwrap();
                assert!(text.starts_with(kept) && kept.len() > HEAD_BYTES - letter.len());
            }
        }
        assert_eq!(HEAD_BYTES, head(&[0x80; 2 * HEAD_BYTES]).len());
    }

    #[test]
    fn of_a_line_that_is_too_long_the_beginning_is_kept() {
        let mut lines = Lines::new(&Arc::from("s"), 0);
        for _ in 0..1000 {
            lines.feed(5000, |chunk| chunk.extend_from_slice(&[b'x'; 5000]));
            assert!(lines.take(&limits(9, 6000)).is_none());
            assert!(lines.chunk.capacity() < 13_000);
        }
        lines.feed(3, |chunk| chunk.extend_from_slice(b"x\ny\n"));
        let read = lines.take(&limits(9, 6000)).unwrap();
        assert_eq!(vec![TooLong { row: 0, bytes: 5_000_001 }], read.too_long);
        assert_eq!(vec![[b'x'; HEAD_BYTES].as_slice(), b"y"], read.payloads.iter().collect::<Vec<_>>());
        assert_eq!(vec![5_000_002, 5_000_004], read.next.iter().map(|next| next.next).collect::<Vec<_>>());
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
        fn chunks_do_not_change_which_lines_are_too_long(
            lengths in prop::collection::vec(0..40usize, 0..8),
            end in prop::sample::select(vec!["", "\n", "\r", "\r\n"]),
            mark in any::<bool>(),
            size in 1..60usize,
        ) {
            let lines: Vec<String> = lengths.iter().map(|length| "x".repeat(*length)).collect();
            let mark = if mark { "\u{feff}" } else { "" };
            let text = format!("{mark}{}{end}", lines.join("\r\n"));
            let told = |size| cut_at(text.as_bytes(), size, &limits(3, 20)).1;
            prop_assert_eq!(told(1000), told(size));
            prop_assert_eq!(lengths.iter().filter(|length| **length > 20).count(), told(size).len());
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
