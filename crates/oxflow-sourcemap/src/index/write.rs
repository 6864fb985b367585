//! Writes an index file.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use super::layout::{ALIGNMENT, ENTRY_BYTES, Entry, HEADER_BYTES, Kind, MAGIC, MAJOR, MINOR, sum};
use super::{contents, table};
use crate::error::{Error, Result};
use crate::functions::Functions;
use crate::map::{Part, SourceMap};
use crate::metro::pack;

/// How the contents of sources are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Content {
    /// Compressed.
    #[default]
    Zstd,
    /// As they are.
    Raw,
    /// Not at all.
    None,
}

/// What the name of a file ends in that is being written.
pub(crate) const UNFINISHED: &str = "tmp";

type Section = (Kind, Vec<u8>);

/// Writes the index of a map to a file, all of it or nothing: what was there before is there until the new one is whole.
pub fn write(map: &SourceMap, path: &Path, content: Content, durable: bool) -> Result<()> {
    write_with(map, map.functions()?, path, content, durable)
}

/// Writes the index of a map with functions that the map doesn't have itself, as `write` does.
pub fn write_with(
    map: &SourceMap,
    functions: Option<&Functions>,
    path: &Path,
    content: Content,
    durable: bool,
) -> Result<()> {
    let whole = map.whole()?;
    let mut sections = sections(map, &whole, content)?;
    if let Some(functions) = functions {
        sections.push((Kind::Functions, functions.steps.bytes().to_vec()));
        sections.push((Kind::FunctionNames, functions.names.bytes.bytes().to_vec()));
    }
    let text = whole.mappings.text.bytes();
    replace(path, durable, |file| put(file, &sections, text))
        .map_err(|error| Error::File { path: path.to_owned(), reason: format!("the index can't be written: {error}") })
}

fn sections(map: &SourceMap, whole: &Part, content: Content) -> Result<Vec<Section>> {
    let blocks = &whole.mappings.blocks;
    let mut sums = Vec::with_capacity(blocks.count() * 4);
    for block in 0..blocks.count() {
        sums.extend(blocks.sum(block, whole.mappings.text.bytes()).unwrap_or_default().to_le_bytes());
    }
    let mut written = contents::Writer::new(content)?;
    for source in 0..map.source_count() {
        written.add(source, &map.strings)?;
    }
    let [places, frames, data] = written.finish()?;
    let names = (0..map.name_count()).map(|index| Ok(bytes(map.name(index)?.unwrap_or_default())));
    let sources = (0..map.source_count()).map(|index| source(map, index));
    let mut sections = vec![
        (Kind::Facts, facts(map, whole)),
        (Kind::Keys, blocks.keys.bytes().to_vec()),
        (Kind::Records, blocks.records.bytes().to_vec()),
        (Kind::Sums, sums),
        (Kind::Names, table::write(names)?),
        (Kind::Sources, table::write(sources)?),
        (Kind::Ranges, whole.ranges.iter().flat_map(|key| key.to_le_bytes()).collect()),
        (Kind::Places, places),
        (Kind::Frames, frames),
        (Kind::Data, data),
    ];
    if let Some(text) = map.scopes_text()? {
        sections.push((Kind::Scopes, text.into_owned()));
    }
    let metro = map.metro_members()?;
    if !metro.is_empty() {
        sections.push((Kind::Metro, pack(&metro)?));
    }
    Ok(sections)
}

fn bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

/// A byte of flags, then the source's name.
fn source(map: &SourceMap, index: usize) -> Result<Cow<'static, [u8]>> {
    let name = map.source(index)?;
    let flags = u8::from(name.is_some()) | u8::from(map.is_ignored(index)?) << 1;
    let mut bytes = vec![flags];
    bytes.extend_from_slice(name.unwrap_or_default().as_bytes());
    Ok(Cow::Owned(bytes))
}

/// Counts, then strings: each with its length before it, absent ones without.
fn facts(map: &SourceMap, whole: &Part) -> Vec<u8> {
    let mut facts = Vec::new();
    facts.extend(whole.mappings.segments.to_le_bytes());
    facts.extend((map.source_count() as u64).to_le_bytes());
    facts.extend((map.name_count() as u64).to_le_bytes());
    facts.extend(whole.mappings.lines.to_le_bytes());
    let optional = [map.file(), map.debug_id()];
    let warnings = map.warnings().iter().map(|warning| Some(&**warning));
    for text in optional.into_iter().chain(warnings) {
        facts.push(u8::from(text.is_some()));
        let text = text.unwrap_or_default();
        facts.extend((text.len() as u64).to_le_bytes());
        facts.extend_from_slice(text.as_bytes());
    }
    facts
}

fn put(file: &mut impl Write, sections: &[Section], text: &[u8]) -> io::Result<()> {
    let all = sections.iter().map(|(kind, bytes)| (*kind, bytes.as_slice())).chain([(Kind::Text, text)]);
    let count = sections.len() + 1;
    let mut offset = padded(HEADER_BYTES + count * ENTRY_BYTES);
    let mut directory = Vec::new();
    for (kind, bytes) in all.clone() {
        let entry = Entry { kind: kind as u32, sum: sum([bytes]), offset: offset as u64, length: bytes.len() as u64 };
        directory.extend(entry.write());
        offset = padded(offset + bytes.len());
    }
    file.write_all(&header(offset as u64, count, sum([&*directory])))?;
    file.write_all(&directory)?;
    file.write_all(padding(HEADER_BYTES + directory.len()))?;
    for (_, bytes) in all {
        file.write_all(bytes)?;
        file.write_all(padding(bytes.len()))?;
    }
    Ok(())
}

fn header(length: u64, sections: usize, directory: u32) -> Vec<u8> {
    let mut header = MAGIC.to_vec();
    header.extend(MAJOR.to_le_bytes());
    header.extend(MINOR.to_le_bytes());
    header.extend(u32::try_from(sections).unwrap_or_default().to_le_bytes());
    header.extend(length.to_le_bytes());
    header.extend(directory.to_le_bytes());
    header.resize(HEADER_BYTES - 4, 0);
    header.extend(sum([&*header]).to_le_bytes());
    header
}

fn padded(length: usize) -> usize {
    length.next_multiple_of(ALIGNMENT)
}

fn padding(length: usize) -> &'static [u8] {
    const ZEROS: [u8; ALIGNMENT] = [0; ALIGNMENT];
    ZEROS.get(..padded(length) - length).unwrap_or_default()
}

/// Writes a file beside `path` and puts it in its place.
fn replace(path: &Path, durable: bool, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let (mut file, beside) = temporary(path)?;
    let made = write(&mut file).and_then(|()| if durable { file.sync_all() } else { Ok(()) });
    drop(file);
    if let Err(error) = made.and_then(|()| fs::rename(&beside, path)) {
        // What is left of it is of no use; the first error is the one to tell.
        let _ = fs::remove_file(&beside);
        return Err(error);
    }
    // The new name must last as the file does.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if durable && cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// A new file beside `path`. Its name may be taken: processes of several containers that share a folder have the same number.
fn temporary(path: &Path) -> io::Result<(File, PathBuf)> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    loop {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}-{}.{UNFINISHED}", process::id(), NUMBER.fetch_add(1, Ordering::Relaxed)));
        let beside = path.with_file_name(name);
        match File::create_new(&beside) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|file| (file, beside)),
        }
    }
}
