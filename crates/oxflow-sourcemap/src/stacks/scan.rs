//! Finds the stack traces in JSON, in one pass: where each is, and the members of its frames.

use std::collections::HashMap;
use std::ops::Range;

use crate::error::Result;
use crate::json::{Kind, Scanner, Span, unescape};

/// Where a stack trace is.
pub(super) enum Trace {
    /// A `stack`, with its quotes.
    Text(Range<usize>),
    /// A `stacktrace` with `frames`.
    Frames(Frames),
}

/// A `stacktrace` with `frames`.
pub(super) struct Frames {
    /// The whole `stacktrace`.
    pub(super) range: Range<usize>,
    pub(super) list: Vec<Option<Members>>,
    /// The members of the object that it is in.
    pub(super) beside: Members,
}

/// A `stacktrace`, and its `frames` if it has such.
type Found = (Range<usize>, Option<Vec<Option<Members>>>);

/// The members of an object.
#[derive(Default)]
pub(super) struct Members {
    /// Key and value. Of a key that comes twice the last one counts.
    list: Vec<(Span, Range<usize>)>,
}

impl Members {
    fn read(scanner: &mut Scanner<'_>) -> Result<Self> {
        let mut list = Vec::new();
        scanner.object(|scanner, key| {
            list.push((key, scanner.skip()?));
            Ok(())
        })?;
        Ok(Self { list })
    }

    /// Where the value of a key is.
    pub(super) fn get(&self, text: &[u8], key: &str) -> Option<Range<usize>> {
        let mut found = self.list.iter().rev().filter(|(span, _)| is_key(text, *span, key));
        found.next().map(|(_, range)| range.clone())
    }

    pub(super) fn text(&self, text: &[u8], key: &str) -> Option<String> {
        string(text, self.get(text, key)?)
    }

    pub(super) fn number(&self, text: &[u8], key: &str) -> Option<i64> {
        std::str::from_utf8(text.get(self.get(text, key)?)?).ok()?.parse().ok()
    }

    /// Where more members can be written, behind a comma: an object whose members are asked for has one.
    pub(super) fn end(&self) -> usize {
        self.list.last().map_or(0, |(_, range)| range.end)
    }
}

/// A value that is text.
pub(super) fn string(text: &[u8], range: Range<usize>) -> Option<String> {
    let inside = text.get(range)?.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    Some(unescape(inside).into_owned())
}

fn is_key(text: &[u8], span: Span, key: &str) -> bool {
    let raw = text.get(span.range()).unwrap_or_default();
    if span.is_escaped() { unescape(raw) == key } else { raw == key.as_bytes() }
}

/// What was found.
pub(super) struct Scan<'a> {
    text: &'a [u8],
    pub(super) traces: Vec<Trace>,
    /// Debug ids of scripts, by their URLs.
    pub(super) debug_ids: HashMap<String, String>,
}

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, traces: Vec::new(), debug_ids: HashMap::new() }
    }

    /// Looks through a value.
    pub(super) fn value(&mut self, scanner: &mut Scanner<'a>) -> Result<Range<usize>> {
        let kind = scanner.kind()?;
        let start = scanner.at();
        match kind {
            Kind::Object => self.object(scanner)?,
            Kind::List => scanner.list(|scanner| self.value(scanner).map(|_| ()))?,
            _ => scanner.pass()?,
        }
        Ok(start..scanner.at())
    }

    fn object(&mut self, scanner: &mut Scanner<'a>) -> Result<()> {
        let mut beside = Members::default();
        let (mut stack, mut trace) = (None, None);
        scanner.object(|scanner, key| {
            let is = |name: &str| is_key(self.text, key, name);
            let (is_text, is_trace) = (is("stack"), is("stacktrace"));
            let kind = scanner.kind()?;
            let range = if is_trace && kind == Kind::Object {
                let (range, frames) = self.stacktrace(scanner)?;
                trace = frames.map(|frames| (range.clone(), frames));
                range
            } else if is("debug_meta") && kind == Kind::Object {
                self.debug_meta(scanner)?
            } else if is_text || is_trace || is("raw_stacktrace") {
                let range = scanner.skip()?;
                let is_stack = is_text && kind == Kind::Text;
                stack = if is_stack { Some(range.clone()) } else { stack.take() };
                range
            } else {
                self.value(scanner)?
            };
            beside.list.push((key, range));
            Ok(())
        })?;
        self.traces.extend(stack.map(Trace::Text));
        self.traces.extend(trace.map(|(range, list)| Trace::Frames(Frames { range, list, beside })));
        Ok(())
    }

    fn stacktrace(&mut self, scanner: &mut Scanner<'a>) -> Result<Found> {
        let start = scanner.at();
        let mut found = None;
        scanner.object(|scanner, key| {
            if !is_key(self.text, key, "frames") || scanner.kind()? != Kind::List {
                return scanner.pass();
            }
            found = Some(objects(scanner)?);
            Ok(())
        })?;
        Ok((start..scanner.at(), found))
    }

    /// Reads which script has which debug id, as Sentry's events say it.
    fn debug_meta(&mut self, scanner: &mut Scanner<'a>) -> Result<Range<usize>> {
        let start = scanner.at();
        scanner.object(|scanner, key| {
            if !is_key(self.text, key, "images") || scanner.kind()? != Kind::List {
                return scanner.pass();
            }
            for image in objects(scanner)?.into_iter().flatten() {
                let text = |key| image.text(self.text, key);
                if let (Some(url), Some(id)) = (text("code_file"), text("debug_id")) {
                    self.debug_ids.insert(url, id);
                }
            }
            Ok(())
        })?;
        Ok(start..scanner.at())
    }
}

/// The objects of a list, `None` for what is none.
fn objects(scanner: &mut Scanner<'_>) -> Result<Vec<Option<Members>>> {
    let mut objects = Vec::new();
    scanner.list(|scanner| {
        let is_object = scanner.kind()? == Kind::Object;
        objects.push(if is_object { Some(Members::read(scanner)?) } else { scanner.pass().map(|()| None)? });
        Ok(())
    })?;
    Ok(objects)
}
