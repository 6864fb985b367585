//! Reads a map: its JSON, its mappings, and for an index map its sections.

use crate::buffer::{Buffer, Slice};
use crate::error::{Error, Limits, ReferenceKind, Result};
use crate::fields::{Fields, Warnings};
use crate::hermes;
use crate::json::{Item, MOST_BYTES, Scanner, Span, unescape};
use crate::map::{Known, Part, ScopesText, SourceMap};
use crate::mappings::{Mappings, Tables};
use crate::metro::Metro;
use crate::scopes::walk;
use crate::sections;
use crate::sources::{Source, Strings, Written};

/// How a map is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Refuses every map that the standard calls invalid, instead of mending what does no harm.
    pub strict: bool,
    /// How large it may be.
    pub limits: Limits,
}

/// A map that is being put together.
pub(crate) struct Decoder {
    pub(crate) warnings: Warnings,
    pub(crate) limits: Limits,
    pub(crate) buffer: Buffer,
    pub(crate) parts: Vec<Part>,
    pub(crate) strings: Written,
    segments: u64,
    /// Bytes of sources, with their roots, and names.
    string_bytes: u64,
}

impl SourceMap {
    /// Reads a map, of any form of the standard, from its JSON.
    pub fn read(buffer: &Buffer, options: &Options) -> Result<Self> {
        let text: &[u8] = (**buffer).as_ref();
        let most = options.limits.bytes.min(MOST_BYTES);
        if text.len() as u64 > most {
            return Err(Error::Limit { what: "the size of the map in bytes", limit: most });
        }
        let start = start_of_json(text);
        let mut scanner = Scanner::new(text, start, options.limits.depth).with_most_strings(options.limits.strings, 0);
        if let Err(error) = simdutf8::compat::from_utf8(text.get(start..).unwrap_or_default()) {
            return Err(scanner.error_at(start + error.valid_up_to(), "the text is no UTF-8"));
        }
        let mut warnings = Warnings { strict: options.strict, list: Vec::new() };
        let fields = Fields::read(&mut scanner, text, &mut warnings)?;
        scanner.finish()?;
        let strings =
            Written { text: Buffer::clone(buffer), sources: Vec::new(), names: Vec::new(), roots: Vec::new() };
        let decoder = Decoder {
            warnings,
            limits: options.limits,
            buffer: Buffer::clone(buffer),
            parts: Vec::new(),
            strings,
            segments: 0,
            string_bytes: 0,
        };
        decoder.document(fields, text)
    }
}

/// Behind a byte order mark, and behind the line that keeps browsers from running the map as a script.
fn start_of_json(text: &[u8]) -> usize {
    let start = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let rest = text.get(start..).unwrap_or_default();
    if !rest.starts_with(b")]}") {
        return start;
    }
    start + rest.iter().position(|byte| *byte == b'\n' || *byte == b'\r').map_or(rest.len(), |end| end + 1)
}

impl Decoder {
    fn document(mut self, mut fields: Fields, text: &[u8]) -> Result<SourceMap> {
        self.check_version(&fields)?;
        let file = fields.file.take();
        let debug_id = fields.debug_id.take();
        let slice = |range: Option<std::ops::Range<usize>>| range.map(|range| Slice::new(&self.buffer, range));
        let (offsets, functions) = (slice(fields.facebook_offsets.take()), slice(fields.hermes_offsets.take()));
        let metro = Metro::of(offsets, functions, &mut self.warnings);
        match fields.sections.take() {
            Some(range) => sections::read(&mut self, &fields, text, range.start)?,
            None => self.part(fields, text, (0, 0))?,
        }
        Ok(SourceMap {
            parts: self.parts,
            strings: Strings::Json(self.strings),
            file,
            debug_id,
            warnings: self.warnings.list,
            metro,
            functions: Known::default(),
        })
    }

    pub(crate) fn check_version(&mut self, fields: &Fields) -> Result<()> {
        if !fields.has_version {
            return self.warnings.mend(Error::Version { found: "missing".to_owned() }, "read as 3");
        }
        match &fields.odd_version {
            None => Ok(()),
            // Some tools write it as a string.
            Some(found) if found == "\"3\"" => self.warnings.mend(Error::Version { found: found.clone() }, "read as 3"),
            Some(found) => Err(Error::Version { found: found.clone() }),
        }
    }

    /// Reads a map without sections, whose first line and column lie at `offset`.
    pub(crate) fn part(&mut self, fields: Fields, text: &[u8], offset: (u32, u32)) -> Result<()> {
        let missing = |field: &str| Error::Json { line: 1, column: 1, reason: format!("`{field}` is missing") };
        let Some(mappings) = fields.mappings else { return Err(missing("mappings")) };
        if fields.sources.is_none() {
            self.warnings.mend(missing("sources"), "read as an empty list")?;
        }
        let (first_source, first_name) = (self.strings.sources.len(), self.strings.names.len());
        let sources = fields.sources.unwrap_or_default();
        let tables = Tables {
            sources: sources.len(),
            names: fields.names.len(),
            segments: self.limits.segments.saturating_sub(self.segments),
            bytes: self.limits.bytes,
        };
        let is_standard = fields.ignored.is_some();
        let ignored = fields.ignored.or(fields.google_ignored).unwrap_or_default();
        let ignored = self.ignored(&ignored, sources.len(), is_standard)?;
        self.count_bytes(&sources, &fields.names, fields.source_root.as_deref())?;
        self.add_sources(sources, &fields.contents, fields.source_root, &ignored);
        self.strings.names.extend(fields.names);
        let slice = self.slice(mappings, text);
        let strict = self.warnings.strict;
        let written = slice.clone();
        let mappings = Mappings::read(slice, tables, strict, &mut |text| self.warnings.note(text))?;
        self.segments += mappings.segments;
        let (end_source, end_name) = (self.strings.sources.len(), self.strings.names.len());
        let mut part = Part::new(offset, mappings, first_source..end_source, first_name..end_name);
        if let Some(span) = fields.ranges {
            let slice = self.slice(span, text);
            part.read_ranges(slice.bytes(), written.bytes(), &mut self.warnings)?;
        }
        if let Some(span) = fields.scopes {
            part.scopes = self.scopes(&part, span, text)?;
        }
        if let Some(range) = fields.facebook_sources {
            part.facebook_sources = Some(Slice::new(&self.buffer, range));
            hermes::check(&mut part, &mut self.warnings);
        }
        self.parts.push(part);
        Ok(())
    }

    /// The scopes of a part, if they are as the proposal has them.
    fn scopes(&mut self, part: &Part, span: Span, text: &[u8]) -> Result<Option<ScopesText>> {
        let slice = self.slice(span, text);
        match walk(slice.bytes(), part.scope_bounds(), |_| ()) {
            Ok(()) => Ok(Some(ScopesText { text: slice, sum: None })),
            Err(fault) => self.warnings.mend(fault, "`scopes` is left out").map(|()| None),
        }
    }

    /// The bytes of a string; they are copied only if there are escapes in them.
    fn slice(&self, span: Span, text: &[u8]) -> Slice {
        if span.is_escaped() {
            return unescape(text.get(span.range()).unwrap_or_default()).into_owned().into_bytes().into();
        }
        Slice::new(&self.buffer, span.range())
    }

    fn ignored(&mut self, indices: &[u64], sources: usize, is_standard: bool) -> Result<Vec<usize>> {
        let mut ignored = Vec::new();
        for index in indices {
            match usize::try_from(*index) {
                Ok(index) if index < sources => ignored.push(index),
                _ => {
                    let index = i64::try_from(*index).unwrap_or(i64::MAX);
                    let fault = Error::Reference { kind: ReferenceKind::Ignored, index, limit: sources };
                    if is_standard {
                        self.warnings.mend(fault, "left out")?;
                    } else {
                        self.warnings.tell(&fault, "left out");
                    }
                }
            }
        }
        Ok(ignored)
    }

    /// Counts the bytes of sources and names, of which there may not be too many.
    fn count_bytes(&mut self, sources: &[Item], names: &[Item], root: Option<&str>) -> Result<()> {
        let root = root.map_or(0, str::len) as u64;
        let sources = sources.iter().map(|source| source.bytes().saturating_add(root));
        let all = sources.chain(names.iter().map(|name| name.bytes()));
        self.string_bytes = all.fold(self.string_bytes, u64::saturating_add);
        let limit = self.limits.string_bytes;
        if self.string_bytes > limit {
            return Err(Error::Limit { what: "the size of all sources and names in bytes", limit });
        }
        Ok(())
    }

    fn add_sources(&mut self, names: Vec<Item>, contents: &[Item], root: Option<String>, ignored: &[usize]) {
        let root = root.filter(|root| !root.is_empty()).map(|root| {
            self.strings.roots.push(root);
            u32::try_from(self.strings.roots.len() - 1).unwrap_or_default()
        });
        let first = self.strings.sources.len();
        for (index, name) in names.into_iter().enumerate() {
            let content = contents.get(index).copied().unwrap_or(Item::Null);
            self.strings.sources.push(Source { name, content, root, is_ignored: false });
        }
        for index in ignored {
            if let Some(source) = self.strings.sources.get_mut(first + index) {
                source.is_ignored = true;
            }
        }
    }
}
