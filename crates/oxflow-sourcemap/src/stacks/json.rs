//! Writes over the places in JSON that come from minified code.

use std::collections::HashMap;
use std::ops::{Deref, Range};

use super::scan::{Frames, Members, Scan, Trace, string};
use super::{Maps, Place, Script, place, symbolicate_text};
use crate::SourceMap;
use crate::error::{Error, Result};
use crate::json::{Kind, MOST_BYTES, Scanner, quote};

/// How deep the JSON may be nested.
const MOST_DEPTH: u32 = 512;
/// Lines of the source before and after that of a frame.
const CONTEXT_LINES: usize = 5;
/// Characters of such a line. What was inlined into a source, or minified before, has lines of megabytes.
const LINE_CHARS: usize = 200;
/// Frames of one text that are given lines of their sources: an event of a stranger must not take the memory.
const MOST_CONTEXTS: usize = 250;

/// JSON with stack traces in it, with the places of the sources: every `stack` that is text, and every `stacktrace` with a list
/// `frames` as in Sentry's events, the oldest frame first; text alone is one trace. Beside each `stacktrace` that changed stands
/// `raw_stacktrace`, as it was. All else stays as it is, byte for byte.
///
/// A frame gets five lines of its source on each side, 200 characters of each, those around its place; after 250 frames no more
/// are given any.
///
/// An event tells debug ids of its scripts in `debug_meta.images`, as Sentry's do.
pub fn symbolicate_json<S: Maps>(text: &[u8], maps: &mut S) -> std::result::Result<Vec<u8>, S::Error> {
    let Scan { traces, debug_ids, .. } = scan(text)?;
    let mut edits = Edits { text, list: Vec::new(), debug_ids, contexts: 0 };
    for trace in &traces {
        match trace {
            Trace::Text(range) => {
                let stack = string(text, range.clone()).unwrap_or_default();
                let written = symbolicate_text(&stack, maps)?;
                if written != stack {
                    edits.list.push((range.clone(), quoted(&written)));
                }
            }
            Trace::Frames(frames) => edits.frames(frames, maps)?,
        }
    }
    Ok(edits.written())
}

fn scan(text: &[u8]) -> Result<Scan<'_>> {
    if text.len() as u64 > MOST_BYTES {
        return Err(Error::Limit { what: "the size of the JSON in bytes", limit: MOST_BYTES });
    }
    let mut scanner = Scanner::new(text, 0, MOST_DEPTH);
    if let Err(error) = simdutf8::compat::from_utf8(text) {
        return Err(scanner.error_at(error.valid_up_to(), "the text is no UTF-8"));
    }
    let mut scan = Scan::new(text);
    let is_text = scanner.kind()? == Kind::Text;
    let whole = scan.value(&mut scanner)?;
    scanner.finish()?;
    if is_text {
        scan.traces.push(Trace::Text(whole));
    }
    Ok(scan)
}

/// A text, and what is written over in it.
struct Edits<'a> {
    text: &'a [u8],
    list: Vec<(Range<usize>, Vec<u8>)>,
    debug_ids: HashMap<String, String>,
    /// Frames that have lines of their sources.
    contexts: usize,
}

impl Edits<'_> {
    fn frames<S: Maps>(&mut self, trace: &Frames, maps: &mut S) -> std::result::Result<(), S::Error> {
        let mut caller: Option<Place<S::Map>> = None;
        let mut is_changed = false;
        for frame in &trace.list {
            let found = match frame {
                Some(frame) => self.place(frame, maps)?,
                // What is no frame stands between nobody.
                None => continue,
            };
            if let Some(found) = &found {
                let name = caller.as_ref().map_or(Ok(None), Place::name)?;
                let mut pieces = pieces(found, name.as_deref());
                if self.contexts < MOST_CONTEXTS && add_context(&mut pieces, found)? {
                    self.contexts += 1;
                }
                self.write(frame.as_ref(), &pieces);
                is_changed = true;
            }
            caller = found;
        }
        if is_changed {
            let raw = self.text.get(trace.range.clone()).unwrap_or_default().to_vec();
            self.write(Some(&trace.beside), &[("raw_stacktrace", raw)]);
        }
        Ok(())
    }

    fn place<S: Maps>(&self, frame: &Members, maps: &mut S) -> std::result::Result<Option<Place<S::Map>>, S::Error> {
        let text = |key| frame.text(self.text, key).filter(|text| !text.is_empty());
        let Some(url) = text("abs_path").or_else(|| text("filename")) else { return Ok(None) };
        let number = |key| frame.number(self.text, key);
        let (Some(line), Some(column)) = (number("lineno"), number("colno")) else { return Ok(None) };
        let debug_id = self.debug_ids.get(&url).map(String::as_str);
        place(maps, Script { url: &url, debug_id }, line, column)
    }

    /// Writes members over, and those that aren't there behind the last one.
    fn write(&mut self, members: Option<&Members>, pieces: &[(&str, Vec<u8>)]) {
        let Some(members) = members else { return };
        let mut more = Vec::new();
        for (key, piece) in pieces {
            if let Some(range) = members.get(self.text, key) {
                self.list.push((range, piece.clone()));
                continue;
            }
            more.extend(format!(",\"{key}\":").into_bytes());
            more.extend_from_slice(piece);
        }
        self.list.push((members.end()..members.end(), more));
    }

    fn written(mut self) -> Vec<u8> {
        // Stable: what is put behind a value was put there after the value itself.
        self.list.sort_by_key(|(range, _)| (range.start, range.end));
        let mut written = Vec::with_capacity(self.text.len());
        let mut at = 0;
        for (range, bytes) in self.list {
            written.extend_from_slice(self.text.get(at..range.start).unwrap_or_default());
            written.extend(bytes);
            at = range.end;
        }
        written.extend_from_slice(self.text.get(at..).unwrap_or_default());
        written
    }
}

/// What a frame says of its place.
fn pieces<M: Deref<Target = SourceMap>>(found: &Place<M>, name: Option<&str>) -> Vec<(&'static str, Vec<u8>)> {
    let number = |number: u64| number.to_string().into_bytes();
    let source = quoted(&found.source);
    let mut pieces = vec![
        ("filename", source.clone()),
        ("abs_path", source),
        ("lineno", number(found.line)),
        ("colno", number(found.column)),
    ];
    if let Some(name) = name {
        pieces.push(("function", quoted(name)));
    }
    pieces
}

/// Adds the lines of the source around the place; whether there are any.
fn add_context<M: Deref<Target = SourceMap>>(
    pieces: &mut Vec<(&'static str, Vec<u8>)>,
    found: &Place<M>,
) -> Result<bool> {
    let Some(at) = found.segment.original else { return Ok(false) };
    let context = found.map.context(at.source as usize, at.line, CONTEXT_LINES, CONTEXT_LINES)?;
    let Some(context) = context else { return Ok(false) };
    pieces.push(("pre_context", list(&context.before)));
    pieces.push(("context_line", quoted(cut(&context.line, at.column as usize))));
    pieces.push(("post_context", list(&context.after)));
    Ok(true)
}

/// What a long line has around a column.
fn cut(line: &str, column: usize) -> &str {
    let start = column.saturating_sub(LINE_CHARS / 2);
    let rest = line.char_indices().nth(start).and_then(|(at, _)| line.get(at..)).filter(|_| line.len() > LINE_CHARS);
    let rest = rest.unwrap_or(line);
    rest.char_indices().nth(LINE_CHARS).and_then(|(end, _)| rest.get(..end)).unwrap_or(rest)
}

fn quoted(text: &str) -> Vec<u8> {
    let mut json = Vec::with_capacity(text.len() + 2);
    quote(text, &mut json);
    json
}

fn list(texts: &[String]) -> Vec<u8> {
    let mut json = vec![b'['];
    for (index, text) in texts.iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        quote(cut(text, 0), &mut json);
    }
    json.push(b']');
    json
}
