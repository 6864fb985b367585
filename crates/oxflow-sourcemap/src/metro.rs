//! What Metro, the bundler of React Native, puts into maps beside the standard: the functions of each source
//! (`x_facebook_sources`), where the modules of a RAM bundle begin (`x_facebook_offsets`), and where functions begin in the
//! bytecode of Hermes (`x_hermes_function_offsets`).
//!
//! It stays as it is written: in an index file compressed, since only who writes the map anew needs most of it.

use std::borrow::Cow;

use crate::buffer::Slice;
use crate::error::{Error, Result};
use crate::fields::Warnings;
use crate::index::{damaged, sum, u32_at};
use crate::json::{Kind, Scanner};
use crate::map::SourceMap;

const DEPTH: u32 = 128;
const SOURCES: &str = "x_facebook_sources";
const OFFSETS: &str = "x_facebook_offsets";
const FUNCTIONS: &str = "x_hermes_function_offsets";
/// What zstd makes of a byte at most.
const MOST_FOLD: usize = 32 << 10;

/// The fields of a whole map.
#[derive(Clone, Default)]
pub(crate) enum Metro {
    /// The map has none of them.
    #[default]
    Nothing,
    /// In its JSON, where those of the sources lie with the parts.
    Written { offsets: Option<Slice>, functions: Option<Slice> },
    /// In an index file: the length, then a compressed object; and its sum.
    Packed(Slice, u32),
}

/// Numbers for each segment of the bytecode.
pub type FunctionOffsets = Vec<(u32, Vec<u32>)>;

impl Metro {
    /// Takes what a map has, if it is of the right kind.
    pub(crate) fn of(offsets: Option<Slice>, functions: Option<Slice>, warnings: &mut Warnings) -> Self {
        let mut sound = |slice: Option<Slice>, field: &'static str, wanted: Kind| {
            let slice = slice?;
            if Scanner::new(slice.bytes(), 0, DEPTH).kind() == Ok(wanted) {
                return Some(slice);
            }
            let reason = if wanted == Kind::List { "must be a list" } else { "must be an object" };
            warnings.tell(&Error::Field { field, offset: 0, reason }, "left out");
            None
        };
        let offsets = sound(offsets, OFFSETS, Kind::List);
        let functions = sound(functions, FUNCTIONS, Kind::Object);
        let is_empty = offsets.is_none() && functions.is_none();
        if is_empty { Self::Nothing } else { Self::Written { offsets, functions } }
    }
}

/// The length of an object, and the object, compressed.
pub(crate) fn pack(members: &[u8]) -> Result<Vec<u8>> {
    let length = u32::try_from(members.len())
        .map_err(|_| Error::Limit { what: "the size of what Metro wrote", limit: u64::from(u32::MAX) })?;
    let packed = zstd::bulk::compress(members, 1).map_err(|error| Error::Write { reason: error.to_string() })?;
    Ok([&length.to_le_bytes(), &*packed].concat())
}

fn unpack(slice: &Slice, wanted: u32) -> Result<Vec<u8>> {
    let bytes = slice.bytes();
    let length = u32_at(bytes, 0).map_or(0, |length| length as usize);
    let packed = bytes.get(4..).unwrap_or_default();
    let is_sound = sum([bytes]) == wanted && length <= packed.len().saturating_mul(MOST_FOLD);
    let found = if is_sound { zstd::bulk::decompress(packed, length).ok() } else { None };
    found.filter(|found| found.len() == length).map_or_else(|| damaged("what Metro wrote"), Ok)
}

impl SourceMap {
    /// The members of an object with these fields, without its braces; empty if the map has none of them.
    pub(crate) fn metro_members(&self) -> Result<Vec<u8>> {
        let (offsets, functions) = match &self.metro {
            Metro::Packed(slice, sum) => return unpack(slice, *sum),
            Metro::Nothing => (None, None),
            Metro::Written { offsets, functions } => (offsets.as_ref(), functions.as_ref()),
        };
        let sources = self.metro_sources()?;
        let fields = [
            (SOURCES, sources.as_deref()),
            (OFFSETS, offsets.map(Slice::bytes)),
            (FUNCTIONS, functions.map(Slice::bytes)),
        ];
        let mut members = Vec::new();
        for (field, text) in fields.into_iter().filter_map(|(field, text)| Some((field, text?))) {
            if !members.is_empty() {
                members.push(b',');
            }
            members.extend(format!("\"{field}\":").into_bytes());
            members.extend_from_slice(text);
        }
        Ok(members)
    }

    /// `x_facebook_sources` of all parts: an item for each source.
    pub(crate) fn metro_sources(&self) -> Result<Option<Cow<'_, [u8]>>> {
        if let [part] = self.parts.as_slice() {
            return Ok(part.facebook_sources.as_ref().map(|slice| Cow::Borrowed(slice.bytes())));
        }
        if self.parts.iter().all(|part| part.facebook_sources.is_none()) {
            return Ok(None);
        }
        let mut parts: Vec<_> = self.parts.iter().collect();
        parts.sort_by_key(|part| part.first_source);
        let mut items: Vec<&[u8]> = Vec::new();
        for part in parts {
            items.resize(part.first_source as usize, b"null");
            let Some(slice) = &part.facebook_sources else { continue };
            let text = slice.bytes();
            Scanner::new(text, 0, DEPTH).list(|scanner| {
                items.push(text.get(scanner.skip()?).unwrap_or_default());
                Ok(())
            })?;
        }
        Ok(Some(Cow::Owned([b"[", &*items.join(&b","[..]), b"]"].concat())))
    }

    /// A field as its JSON.
    fn metro_field(&self, field: &str) -> Result<Option<Vec<u8>>> {
        match (&self.metro, field) {
            (Metro::Nothing, _) => Ok(None),
            (Metro::Written { offsets, .. }, OFFSETS) => Ok(offsets.as_ref().map(|slice| slice.bytes().to_vec())),
            (Metro::Written { functions, .. }, _) => Ok(functions.as_ref().map(|slice| slice.bytes().to_vec())),
            (Metro::Packed(slice, sum), _) => {
                let object = [b"{", &*unpack(slice, *sum)?, b"}"].concat();
                let mut found = None;
                Scanner::new(&object, 0, DEPTH).object(|scanner, key| {
                    let range = scanner.skip()?;
                    if object.get(key.range()) == Some(field.as_bytes()) {
                        found = object.get(range).map(<[u8]>::to_vec);
                    }
                    Ok(())
                })?;
                Ok(found)
            }
        }
    }

    /// The lines of the generated code at which the modules of a RAM bundle begin, by their numbers; empty if the map
    /// doesn't say.
    pub fn module_lines(&self) -> Result<Vec<Option<u32>>> {
        let mut lines = Vec::new();
        if let Some(text) = self.metro_field(OFFSETS)? {
            Scanner::new(&text, 0, DEPTH).list(|scanner| {
                lines.push(scanner.whole()?.and_then(|line| u32::try_from(line).ok()));
                Ok(())
            })?;
        }
        Ok(lines)
    }

    /// For each segment of Hermes' bytecode where its functions begin: columns of the map count from there.
    pub fn function_offsets(&self) -> Result<FunctionOffsets> {
        let mut segments = Vec::new();
        if let Some(text) = self.metro_field(FUNCTIONS)? {
            Scanner::new(&text, 0, DEPTH).object(|scanner, key| {
                let key = text.get(key.range()).and_then(|key| std::str::from_utf8(key).ok()?.parse().ok());
                let (Some(segment), Kind::List) = (key, scanner.kind()?) else { return scanner.pass() };
                let mut offsets = Vec::new();
                scanner.list(|scanner| {
                    let offset = scanner.whole()?.and_then(|offset| u32::try_from(offset).ok());
                    offsets.push(offset.unwrap_or_default());
                    Ok(())
                })?;
                segments.push((segment, offsets));
                Ok(())
            })?;
        }
        Ok(segments)
    }
}
