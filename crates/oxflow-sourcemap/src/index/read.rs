//! Opens an index file.

use super::layout::{
    ENTRY_BYTES, Entry, HEADER_BYTES, Kind, MAGIC, MAJOR, MOST_SECTIONS, damaged, sum, u32_at, u64_at,
};
use super::{Contents, Table};
use crate::buffer::{Buffer, Slice};
use crate::error::{Error, Result};
use crate::functions::Functions;
use crate::map::{Known, Part, ScopesText, SourceMap};
use crate::mappings::{Blocks, Mappings};
use crate::metro::Metro;
use crate::sources::{Indexed, Strings};

/// How an index file is opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Opening {
    /// Checks all of it now, and not each piece when it is used.
    pub verify: bool,
}

/// Whether bytes begin as an index file does.
pub fn is_index(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// The sections of a file.
struct Sections {
    buffer: Buffer,
    entries: Vec<Entry>,
}

/// What is known without looking anything up.
struct Facts {
    segments: u64,
    sources: usize,
    names: usize,
    lines: u32,
    file: Option<String>,
    debug_id: Option<String>,
    warnings: Vec<String>,
}

impl SourceMap {
    /// Opens an index file.
    pub fn open(buffer: &Buffer, opening: Opening) -> Result<Self> {
        let entries = directory((**buffer).as_ref())?;
        let sections = Sections { buffer: Buffer::clone(buffer), entries };
        if opening.verify {
            sections.verify()?;
        }
        let facts = facts(sections.checked(Kind::Facts)?.bytes()).map_or_else(|| damaged("the facts"), Ok)?;
        let blocks = Blocks {
            keys: sections.get(Kind::Keys)?,
            records: sections.get(Kind::Records)?,
            sums: Some(sections.get(Kind::Sums)?),
        };
        let text = sections.get(Kind::Text)?;
        let sum = sections.entry(Kind::Text)?.sum;
        let mappings = Mappings { text, blocks, segments: facts.segments, lines: facts.lines, sum: Some(sum) };
        let mut part = Part::new((0, 0), mappings, 0..facts.sources, 0..facts.names);
        part.scopes = sections.with_sum(Kind::Scopes).map(|(text, sum)| ScopesText { text, sum: Some(sum) });
        let ranges = sections.checked(Kind::Ranges)?;
        part.ranges = ranges.bytes().chunks_exact(8).filter_map(|key| u64_at(key, 0)).collect();
        let strings = Strings::Index(Indexed {
            names: sections.table(Kind::Names, facts.names)?,
            sources: sections.table(Kind::Sources, facts.sources)?,
            contents: Contents {
                places: sections.get(Kind::Places)?,
                frames: sections.get(Kind::Frames)?,
                data: sections.get(Kind::Data)?,
            },
        });
        let Facts { file, debug_id, warnings, .. } = facts;
        let metro = sections.with_sum(Kind::Metro).map_or(Metro::Nothing, |(slice, sum)| Metro::Packed(slice, sum));
        let functions = Known { opened: sections.functions()?, ..Known::default() };
        let parts = vec![part];
        Ok(Self { parts, strings, file, debug_id, warnings, metro, functions })
    }
}

impl Sections {
    fn entry(&self, kind: Kind) -> Result<&Entry> {
        let found = self.entries.iter().find(|entry| entry.kind == kind as u32);
        found.map_or_else(|| damaged("the directory"), Ok)
    }

    fn slice(&self, entry: &Entry) -> Slice {
        let start = usize::try_from(entry.offset).unwrap_or(usize::MAX);
        let length = usize::try_from(entry.length).unwrap_or(usize::MAX);
        Slice::new(&self.buffer, start..start.saturating_add(length))
    }

    fn get(&self, kind: Kind) -> Result<Slice> {
        Ok(self.slice(self.entry(kind)?))
    }

    fn table(&self, kind: Kind, count: usize) -> Result<Table> {
        Table::new(self.get(kind)?, count).map_or_else(|| damaged("the facts"), Ok)
    }

    /// A section that not every file has, and its sum, which is not looked at yet.
    fn with_sum(&self, kind: Kind) -> Option<(Slice, u32)> {
        let entry = self.entries.iter().find(|entry| entry.kind == kind as u32)?;
        Some((self.slice(entry), entry.sum))
    }

    fn functions(&self) -> Result<Option<Functions>> {
        match (self.with_sum(Kind::Functions), self.with_sum(Kind::FunctionNames)) {
            (Some((steps, _)), Some((names, _))) => Functions::new(steps, names).map(Some),
            (None, None) => Ok(None),
            _ => damaged("the directory"),
        }
    }

    /// A section whose sum is right.
    fn checked(&self, kind: Kind) -> Result<Slice> {
        let entry = self.entry(kind)?;
        let slice = self.slice(entry);
        if sum([slice.bytes()]) == entry.sum { Ok(slice) } else { damaged("a section") }
    }

    fn verify(&self) -> Result<()> {
        let is_right = |entry: &Entry| sum([self.slice(entry).bytes()]) == entry.sum;
        if self.entries.iter().all(is_right) { Ok(()) } else { damaged("a section") }
    }
}

/// Reads header and directory, and checks that every section lies in the file.
fn directory(bytes: &[u8]) -> Result<Vec<Entry>> {
    let Some(header) = bytes.get(..HEADER_BYTES).filter(|header| is_index(header)) else {
        return damaged("the header");
    };
    let (covered, wanted) = header.split_at(HEADER_BYTES - 4);
    if u32_at(wanted, 0) != Some(sum([covered])) {
        return damaged("the header");
    }
    let major = header.get(8..10).and_then(<[u8]>::first_chunk).map_or(0, |major| u16::from_le_bytes(*major));
    if major != MAJOR {
        return Err(Error::IndexVersion { found: major });
    }
    if u64_at(header, 16) != Some(bytes.len() as u64) {
        return damaged("the length of the file");
    }
    let count = u32_at(header, 12).filter(|count| *count <= MOST_SECTIONS);
    let directory = count.and_then(|count| bytes.get(HEADER_BYTES..HEADER_BYTES + count as usize * ENTRY_BYTES));
    let Some(directory) = directory.filter(|directory| u32_at(header, 24) == Some(sum([*directory]))) else {
        return damaged("the directory");
    };
    let entries: Vec<_> = directory.chunks_exact(ENTRY_BYTES).filter_map(Entry::read).collect();
    let is_inside = |entry: &Entry| entry.offset.checked_add(entry.length).is_some_and(|end| end <= bytes.len() as u64);
    if entries.iter().all(is_inside) { Ok(entries) } else { damaged("the directory") }
}

fn facts(bytes: &[u8]) -> Option<Facts> {
    let number = |at| usize::try_from(u64_at(bytes, at)?).ok();
    let (segments, sources, names, lines) = (u64_at(bytes, 0)?, number(8)?, number(16)?, u32_at(bytes, 24)?);
    let mut rest = bytes.get(28..)?;
    let mut texts = Vec::new();
    while let Some((present, left)) = rest.split_first() {
        let length = usize::try_from(u64_at(left, 0)?).ok()?;
        let text = left.get(8..8usize.checked_add(length)?)?;
        // Copied first: who changes the file meanwhile must not make a string of what is no text.
        let text = text.to_vec();
        texts.push((*present == 1).then(|| String::from_utf8_lossy(&text).into_owned()));
        rest = left.get(8 + length..)?;
    }
    let mut texts = texts.into_iter();
    let (file, debug_id) = (texts.next()?, texts.next()?);
    Some(Facts { segments, sources, names, lines, file, debug_id, warnings: texts.flatten().collect() })
}
