//! The sections of an index map: each a map of its own, with the place where its code begins.

use crate::decode::Decoder;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::json::{Kind, Scanner, unescape};
use crate::map::Part;

/// One section, before its map is read.
#[derive(Default)]
struct Section {
    offset: Option<(Option<u64>, Option<u64>)>,
    map: Option<usize>,
    has_url: bool,
}

/// Reads the sections, whose list begins at `start`.
pub(crate) fn read(decoder: &mut Decoder, fields: &Fields, text: &[u8], start: usize) -> Result<()> {
    if fields.mappings.is_some() {
        let reason = "a map with `sections` has no `mappings` of its own".to_owned();
        decoder.warnings.mend(Error::Json { line: 1, column: 1, reason }, "`mappings` are left out")?;
    }
    let mut scanner = Scanner::new(text, start, decoder.limits.depth);
    let kind = scanner.kind()?;
    if kind != Kind::List {
        return Err(scanner.error_at(start, format!("`sections` must be a list, not {}", kind.name())));
    }
    let mut index = 0;
    scanner.list(|scanner| {
        let section = section(scanner, text, index)?;
        add(decoder, &section, text, index)?;
        index += 1;
        Ok(())
    })?;
    let is_ordered = decoder.parts.is_sorted_by(|one, next| one.offset <= next.offset);
    if !is_ordered {
        decoder.parts.sort_by_key(|part| part.offset);
    }
    Ok(())
}

fn fault(index: usize, reason: &str) -> Error {
    Error::Section { index, reason: reason.to_owned() }
}

fn section(scanner: &mut Scanner<'_>, text: &[u8], index: usize) -> Result<Section> {
    if scanner.kind()? != Kind::Object {
        return Err(fault(index, "it must be an object"));
    }
    let mut section = Section::default();
    scanner.object(|scanner, key| {
        match &*unescape(text.get(key.range()).unwrap_or_default()) {
            "offset" => section.offset = Some(offset(scanner, text, index)?),
            "map" if scanner.kind()? == Kind::Object => section.map = Some(scanner.skip()?.start),
            "map" => return Err(fault(index, "`map` must be an object")),
            "url" => {
                section.has_url = true;
                scanner.skip()?;
            }
            _ => scanner.pass()?,
        }
        Ok(())
    })?;
    Ok(section)
}

fn offset(scanner: &mut Scanner<'_>, text: &[u8], index: usize) -> Result<(Option<u64>, Option<u64>)> {
    if scanner.kind()? != Kind::Object {
        return Err(fault(index, "`offset` must be an object"));
    }
    let (mut line, mut column) = (None, None);
    scanner.object(|scanner, key| {
        match &*unescape(text.get(key.range()).unwrap_or_default()) {
            "line" => line = scanner.whole()?,
            "column" => column = scanner.whole()?,
            _ => scanner.pass()?,
        }
        Ok(())
    })?;
    Ok((line, column))
}

fn add(decoder: &mut Decoder, section: &Section, text: &[u8], index: usize) -> Result<()> {
    let Some((line, column)) = section.offset else { return Err(fault(index, "`offset` is missing")) };
    let Some(start) = section.map else {
        let reason = if section.has_url {
            "its map lies behind a `url`, which nothing is read from"
        } else {
            "`map` is missing"
        };
        return Err(fault(index, reason));
    };
    let mut number = |value: Option<u64>, name: &str| match value.and_then(|value| u32::try_from(value).ok()) {
        Some(value) if i32::try_from(value).is_ok() => Ok(value),
        _ => {
            let reason = format!("`{name}` of `offset` must be a whole number from 0 to 2^31");
            decoder.warnings.mend(Error::Section { index, reason }, "read as 0").map(|()| 0)
        }
    };
    let offset = (number(line, "line")?, number(column, "column")?);
    let read = decoder.strings.sources.len() + decoder.strings.names.len();
    let mut scanner = Scanner::new(text, start, decoder.limits.depth).with_most_strings(decoder.limits.strings, read);
    let fields = Fields::read(&mut scanner, text, &mut decoder.warnings)?;
    decoder.check_version(&fields)?;
    if fields.sections.is_some() {
        return Err(fault(index, "its map has sections itself"));
    }
    if let Some(last) = decoder.parts.last()
        && let Some(reason) = conflict(last, offset)?
    {
        decoder.warnings.mend(fault(index, reason), "the one that begins last counts")?;
    }
    decoder.part(fields, text, offset)?;
    match decoder.parts.last().map(Part::fits).transpose()? {
        Some(false) => Err(fault(index, "with its `offset` a segment lies at 2^31 or beyond")),
        _ => Ok(()),
    }
}

/// What is wrong with a section that begins at `offset` behind another.
fn conflict(last: &Part, offset: (u32, u32)) -> Result<Option<&'static str>> {
    if offset < last.offset {
        return Ok(Some("it begins before the one that stands before it"));
    }
    let end = last.last_position()?;
    // One that begins where the last segment is leaves it its place; one that begins where the whole section does leaves none.
    let overlaps = end.is_some_and(|end| end > offset || offset == last.offset);
    Ok(overlaps.then_some("it overlaps the one before it"))
}
