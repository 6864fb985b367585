//! What functions are called: of which pieces the names consist, and what the map has for each.

use crate::error::Result;
use crate::map::SourceMap;
use crate::mappings::{Bias, Segment};

/// A piece of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Between tokens.
    Plain(&'static str),
    /// An identifier of the script, which the map may have another name for: from where to where.
    Token(u32, u32),
    /// A piece of the script that no map renames.
    Written(u32, u32),
}

impl Part {
    pub(super) fn token(&self) -> Option<u32> {
        match self {
            Self::Token(start, _) => Some(*start),
            Self::Plain(_) | Self::Written(..) => None,
        }
    }

    pub(super) fn text(self, script: &[u8]) -> String {
        match self {
            Self::Plain(text) => text.to_owned(),
            Self::Token(start, end) | Self::Written(start, end) => {
                let end = end.min(start.saturating_add(place(super::MOST_NAME)));
                String::from_utf8_lossy(script.get(start as usize..end as usize).unwrap_or_default()).into_owned()
            }
        }
    }
}

/// The name that the map has for an identifier, as its index, where `segment` is what it has for the place.
///
/// It counts if it begins there, or one before, as those of class members may. Some compilers give the name to the keyword
/// `function` before it, which then has the same original.
pub(super) fn of_map(map: &SourceMap, at: (u32, u32), segment: Option<Segment>) -> Result<Option<u32>> {
    let (line, column) = at;
    let Some(segment) = segment.filter(|segment| segment.line == line && segment.column + 1 >= column) else {
        return Ok(None);
    };
    if segment.name.is_some() || segment.column == 0 || segment.original.is_none() {
        return Ok(segment.name);
    }
    let before = map.lookup(segment.line.into(), i64::from(segment.column) - 1, Bias::Before)?;
    Ok(before.filter(|before| before.original == segment.original).and_then(|before| before.name))
}

/// The pieces of a chain of members as it is written: `a.b[0].c`.
pub(super) fn chain(script: &[u8], start: usize, end: usize) -> Vec<Part> {
    /// More than that no name shows.
    const MOST: usize = 16;
    // What is longer is cut in the end, and one identifier may be what many functions are assigned to.
    let end = end.min(start.saturating_add(super::MOST_NAME));
    let text = script.get(start..end).unwrap_or_default();
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(first) = text.get(at).copied() {
        if parts.len() >= MOST {
            break;
        }
        let rest = text.get(at..).unwrap_or_default();
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'#' | b'\\' | 0x80..);
        let length = rest.iter().position(|byte| !is_word(byte)).unwrap_or(rest.len());
        if length > 0 {
            let (from, to) = (place(start + at), place(start + at + length));
            let is_this = rest.get(..length) == Some(b"this");
            parts.push(if is_this { Part::Plain("this") } else { Part::Token(from, to) });
            at += length;
            continue;
        }
        if first == b'[' {
            let inside = rest.iter().position(|byte| *byte == b']').unwrap_or(rest.len());
            computed(script, start + at + 1, start + at + inside, &mut parts);
            at += inside + 1;
            continue;
        }
        if first == b'.' {
            parts.push(Part::Plain("."));
        }
        at += 1;
    }
    parts
}

/// A member by what stands in brackets: a literal, an identifier, or whatever else.
fn computed(script: &[u8], start: usize, end: usize, parts: &mut Vec<Part>) {
    let text = script.get(start..end).unwrap_or_default();
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..);
    let is_text = text.len() >= 2 && matches!(text.first(), Some(b'"' | b'\'')) && text.first() == text.last();
    let is_number = text.iter().all(u8::is_ascii_digit);
    let piece = match text.iter().all(is_word) && !text.is_empty() {
        true if is_number => Part::Written(place(start), place(end)),
        true => Part::Token(place(start), place(end)),
        false if is_text => Part::Written(place(start), place(end)),
        false => Part::Plain("<computed>"),
    };
    parts.extend([Part::Plain("["), piece, Part::Plain("]")]);
}

/// An offset into a script that is shorter than 4 GiB.
pub(super) fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
