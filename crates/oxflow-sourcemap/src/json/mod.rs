//! Reads JSON without copying: strings stay where they are, as spans, and what nobody asks for is only checked.
//!
//! Two thirds of a source map are the contents of sources, which a lookup never needs.

mod scan;
mod text;

pub(crate) use scan::{end_of_string_from, next_stop};
pub(crate) use text::{quote, unescape, unescape_into};

use crate::error::{Error, Result};
use crate::simd;

/// A string in the text, without its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    /// The highest bit says whether there are escapes in it.
    length: u32,
}

const ESCAPED: u32 = 1 << 31;
/// What spans can point at.
pub(crate) const MOST_BYTES: u64 = ESCAPED as u64 - 1;
/// The scanner is recursive, and the stack has an end.
const MOST_DEPTH: u32 = 512;

impl Span {
    pub(crate) fn range(self) -> std::ops::Range<usize> {
        let start = self.start as usize;
        start..start + (self.length & !ESCAPED) as usize
    }

    pub(crate) fn is_escaped(self) -> bool {
        self.length & ESCAPED != 0
    }
}

/// A value that stands in a list of strings, or should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Text(Span),
    Null,
    /// Neither of both; from where to where.
    Other(u32, u32),
}

impl Item {
    /// How long it is in the text.
    pub(crate) fn bytes(self) -> u64 {
        match self {
            Self::Text(span) => span.range().len() as u64,
            Self::Null => 0,
            Self::Other(start, end) => u64::from(end.saturating_sub(start)),
        }
    }
}

/// What a value is, by its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    List,
    Text,
    Number,
    Boolean,
    Null,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Object => "an object",
            Self::List => "a list",
            Self::Text => "a string",
            Self::Number => "a number",
            Self::Boolean => "a boolean",
            Self::Null => "null",
        }
    }
}

/// A place in the text, and what was read before it.
pub(crate) struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    depth: u32,
    most_depth: u32,
    /// How many strings of lists may still be read, and of how many.
    strings_left: u64,
    most_strings: u64,
}

impl<'a> Scanner<'a> {
    /// The text must be UTF-8 and at most `MOST_BYTES` long.
    pub(crate) fn new(text: &'a [u8], at: usize, most_depth: u32) -> Self {
        Self {
            text,
            at,
            depth: 0,
            most_depth: most_depth.min(MOST_DEPTH),
            strings_left: u64::MAX,
            most_strings: u64::MAX,
        }
    }

    /// With at most so many strings in its lists, of which some were read before: each takes more memory than it does in the text.
    pub(crate) fn with_most_strings(self, most_strings: u64, read: usize) -> Self {
        Self { strings_left: most_strings.saturating_sub(read as u64), most_strings, ..self }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// An error at a byte of the text.
    pub(crate) fn error_at(&self, at: usize, reason: impl Into<String>) -> Error {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.split(|byte| *byte == b'\n').count();
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        Error::Json { line, column, reason: reason.into() }
    }

    fn expected<T>(&self, what: &str) -> Result<T> {
        let found = match self.text.get(self.at) {
            None => "the end of the text".to_owned(),
            Some(byte) => format!("`{}`", byte.escape_ascii()),
        };
        Err(self.error_at(self.at, format!("{what} is expected, not {found}")))
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.text.get(self.at) {
            self.at += 1;
        }
    }

    fn accept(&mut self, byte: u8) -> bool {
        let there = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(there);
        there
    }

    /// What the next value is.
    pub(crate) fn kind(&mut self) -> Result<Kind> {
        self.skip_space();
        match self.text.get(self.at) {
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::List),
            Some(b'"') => Ok(Kind::Text),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            Some(b't' | b'f') => Ok(Kind::Boolean),
            Some(b'n') => Ok(Kind::Null),
            _ => self.expected("a value"),
        }
    }

    /// Reads an object; `member` reads the value of each key.
    pub(crate) fn object(&mut self, mut member: impl FnMut(&mut Self, Span) -> Result<()>) -> Result<()> {
        self.enter(b'{')?;
        self.skip_space();
        if self.accept(b'}') {
            return self.leave();
        }
        loop {
            self.skip_space();
            let key = self.string()?;
            self.skip_space();
            if !self.accept(b':') {
                return self.expected("`:`");
            }
            member(self, key)?;
            self.skip_space();
            if self.accept(b'}') {
                return self.leave();
            }
            if !self.accept(b',') {
                return self.expected("`,` or `}`");
            }
        }
    }

    /// Reads a list; `item` reads each of its values.
    pub(crate) fn list(&mut self, mut item: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        self.enter(b'[')?;
        self.skip_space();
        if self.accept(b']') {
            return self.leave();
        }
        loop {
            item(self)?;
            self.skip_space();
            if self.accept(b']') {
                return self.leave();
            }
            if !self.accept(b',') {
                return self.expected("`,` or `]`");
            }
        }
    }

    /// Reads a list of strings and nulls.
    pub(crate) fn strings(&mut self) -> Result<Vec<Item>> {
        let mut items = Vec::new();
        self.list(|scanner| {
            let Some(left) = scanner.strings_left.checked_sub(1) else {
                return Err(Error::Limit {
                    what: "the number of sources, contents and names",
                    limit: scanner.most_strings,
                });
            };
            scanner.strings_left = left;
            items.push(scanner.item()?);
            Ok(())
        })?;
        Ok(items)
    }

    fn item(&mut self) -> Result<Item> {
        match self.kind()? {
            Kind::Text => Ok(Item::Text(self.string()?)),
            Kind::Null => self.skip().map(|_| Item::Null),
            _ => self.skip().map(|range| Item::Other(offset(range.start), offset(range.end))),
        }
    }

    /// Reads a string.
    pub(crate) fn string(&mut self) -> Result<Span> {
        if !self.accept(b'"') {
            return self.expected("a string");
        }
        let start = self.at;
        match simd::end_of_string(self.text, start) {
            Ok((end, escaped)) => {
                self.at = end + 1;
                let flag = if escaped { ESCAPED } else { 0 };
                Ok(Span { start: offset(start), length: offset(end - start) | flag })
            }
            Err(at) => Err(self.error_at(at, scan::fault(self.text, at))),
        }
    }

    /// Reads a whole number that is not negative and not over 2^53; anything else is checked, and `None`.
    pub(crate) fn whole(&mut self) -> Result<Option<u64>> {
        if self.kind()? != Kind::Number {
            return self.skip().map(|_| None);
        }
        let range = self.skip()?;
        let text = self.text.get(range).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
        if let Ok(whole) = text.parse::<u64>() {
            return Ok((whole <= 1 << 53).then_some(whole));
        }
        // `3.0` and `3e0` are 3 in JSON.
        let number: f64 = text.parse().unwrap_or(f64::NAN);
        let is_whole = number.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&number);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number in the range")]
        Ok(is_whole.then_some(number as u64))
    }

    /// Checks a value without reading it; gives where it is.
    pub(crate) fn skip(&mut self) -> Result<std::ops::Range<usize>> {
        let kind = self.kind()?;
        let start = self.at;
        match kind {
            Kind::Object => self.object(|scanner, _| scanner.pass())?,
            Kind::List => self.list(Self::pass)?,
            Kind::Text => self.string().map(|_| ())?,
            Kind::Number => self.number()?,
            Kind::Boolean | Kind::Null => self.word()?,
        }
        Ok(start..self.at)
    }

    /// Checks a value that nobody wants.
    pub(crate) fn pass(&mut self) -> Result<()> {
        self.skip().map(|_| ())
    }

    /// Fails unless only white space is left.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.skip_space();
        if self.at < self.text.len() { self.expected("the end of the text") } else { Ok(()) }
    }

    fn word(&mut self) -> Result<()> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        match ["true", "false", "null"].into_iter().find(|word| rest.starts_with(word.as_bytes())) {
            Some(word) => {
                self.at += word.len();
                Ok(())
            }
            None => self.expected("`true`, `false` or `null`"),
        }
    }

    fn digits(&mut self) -> Result<()> {
        let start = self.at;
        while self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        if self.at == start { self.expected("a digit") } else { Ok(()) }
    }

    fn number(&mut self) -> Result<()> {
        self.accept(b'-');
        if !self.accept(b'0') {
            self.digits()?;
        }
        if self.accept(b'.') {
            self.digits()?;
        }
        if self.accept(b'e') || self.accept(b'E') {
            let _ = self.accept(b'+') || self.accept(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn enter(&mut self, open: u8) -> Result<()> {
        self.skip_space();
        if !self.accept(open) {
            return self.expected(if open == b'{' { "an object" } else { "a list" });
        }
        self.depth += 1;
        if self.depth > self.most_depth {
            return Err(Error::Limit { what: "the nesting of the JSON", limit: u64::from(self.most_depth) });
        }
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "reads as the end of `object` and `list`")]
    fn leave(&mut self) -> Result<()> {
        self.depth -= 1;
        Ok(())
    }
}

/// An offset into a text of at most `MOST_BYTES`.
#[expect(clippy::cast_possible_truncation, reason = "the text is at most `MOST_BYTES` long")]
fn offset(at: usize) -> u32 {
    at as u32
}

#[cfg(test)]
mod tests {
    use super::Scanner;

    #[test]
    fn what_serde_json_takes_is_taken_and_nothing_else() {
        let texts = [
            "{}",
            "[]",
            "null",
            "true",
            "false",
            "0",
            "-0",
            "01",
            "1.",
            "1.5e+3",
            "-",
            "1e",
            "\"\"",
            "\"a\\u00e9\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\\u12\"",
            "\"a\nb\"",
            "\"",
            "[1,]",
            "[,]",
            "[1 2]",
            "{\"a\":1}",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "{\"a\":1,}",
            "nul",
            "tru",
            " [ 1 , { \"b\" : [ ] } ] ",
            "[1]]",
            "",
            " ",
            "\"\\\"",
            "\"\\\\\"",
            "[\"ab\\\\\",\"c\"]",
        ];
        for text in texts {
            let mut scanner = Scanner::new(text.as_bytes(), 0, 128);
            let taken = scanner.skip().is_ok() && scanner.finish().is_ok();
            assert_eq!(serde_json::from_str::<serde_json::Value>(text).is_ok(), taken, "{text}");
        }
    }

    #[test]
    fn an_error_names_line_and_column() {
        let mut scanner = Scanner::new(b"{\n  \"a\": x}", 0, 128);
        assert_eq!("line 2, column 8: a value is expected, not `x`", scanner.skip().unwrap_err().to_string());
    }

    #[test]
    fn nesting_has_a_limit() {
        let text = "[".repeat(200);
        let error = Scanner::new(text.as_bytes(), 0, 128).skip().unwrap_err();
        assert_eq!("the nesting of the JSON is over the limit of 128", error.to_string());
    }
}
