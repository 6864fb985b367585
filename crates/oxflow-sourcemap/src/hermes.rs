//! The functions of each source, as Metro, the bundler of React Native, writes them: `x_facebook_sources`.
//!
//! The text is checked when the map is read, and read when somebody asks for a function.

use crate::error::{Error, ReferenceKind, Result};
use crate::fields::Warnings;
use crate::functions::{Builder, NONE};
use crate::json::{Item, Kind, Scanner, unescape};
use crate::map::Part;
use crate::vlq::{Fault, Numbers, add as added};

/// Nested lists and objects of a source's functions.
const DEPTH: u32 = 128;

/// The functions of one source, as they are written.
struct Written {
    names: Vec<Item>,
    mappings: Option<(usize, Vec<u8>)>,
}

fn fault(offset: usize, reason: &'static str) -> Error {
    Error::Field { field: "x_facebook_sources", offset, reason }
}

/// Checks the functions of a part's sources; if something is wrong with them, they are left out.
pub(crate) fn check(part: &mut Part, warnings: &mut Warnings) {
    let Some(slice) = &part.facebook_sources else { return };
    let mut sources = 0usize;
    let mut found = each(slice.bytes(), |written| {
        sources += 1;
        written.map_or(Ok(()), |written| written.steps(|_, _, _| {}))
    });
    if found.is_ok() && sources > part.source_count as usize {
        let index = i64::try_from(sources - 1).unwrap_or(i64::MAX);
        let (kind, limit) = (ReferenceKind::ScopeSource, part.source_count as usize);
        found = Err(Error::Reference { kind, index, limit });
    }
    if let Err(fault) = found {
        part.facebook_sources = None;
        warnings.tell(&fault, "`x_facebook_sources` is left out");
    }
}

/// Adds the functions of a part's sources.
pub(crate) fn add(part: &Part, builder: &mut Builder) -> Result<()> {
    let Some(slice) = &part.facebook_sources else { return Ok(()) };
    let text = slice.bytes();
    let mut source = part.first_source;
    each(text, |written| {
        source = source.saturating_add(1);
        let Some(written) = written else { return Ok(()) };
        let numbers: Vec<u32> = written.names.iter().map(|name| builder.own(&named(text, *name))).collect();
        let mut steps = Vec::new();
        written.steps(|line, column, name| {
            steps.push(((source, line, column), numbers.get(name as usize).copied().unwrap_or(NONE)));
        })?;
        steps.sort_by_key(|(place, _)| *place);
        for (place, name) in steps {
            builder.step(place, name);
        }
        Ok(())
    })
}

fn named(text: &[u8], item: Item) -> String {
    match item {
        Item::Text(span) => unescape(text.get(span.range()).unwrap_or_default()).into_owned(),
        Item::Null | Item::Other(..) => String::new(),
    }
}

/// Gives the functions of every source to `see`, `None` where it has none.
fn each(text: &[u8], mut see: impl FnMut(Option<Written>) -> Result<()>) -> Result<()> {
    let mut scanner = Scanner::new(text, 0, DEPTH);
    if scanner.kind()? != Kind::List {
        return Err(fault(0, "must be a list"));
    }
    scanner.list(|scanner| {
        let written = source(scanner, text)?;
        see(written)
    })
}

/// A source: null, or a list of which the first item has its functions.
fn source(scanner: &mut Scanner<'_>, text: &[u8]) -> Result<Option<Written>> {
    let kind = scanner.kind()?;
    let at = scanner.at();
    if kind == Kind::Null {
        return scanner.pass().map(|()| None);
    }
    if kind != Kind::List {
        return Err(fault(at, "a source must be a list or null"));
    }
    let (mut index, mut found) = (0, None);
    scanner.list(|scanner| {
        index += 1;
        if index > 1 {
            return scanner.pass();
        }
        match scanner.kind()? {
            Kind::Null => scanner.pass(),
            Kind::Object => {
                found = Some(functions(scanner, text)?);
                Ok(())
            }
            _ => Err(fault(scanner.at(), "the functions of a source must be an object or null")),
        }
    })?;
    Ok(found)
}

fn functions(scanner: &mut Scanner<'_>, text: &[u8]) -> Result<Written> {
    let mut written = Written { names: Vec::new(), mappings: None };
    scanner.object(|scanner, key| {
        let kind = scanner.kind()?;
        let at = scanner.at();
        match &*unescape(text.get(key.range()).unwrap_or_default()) {
            "names" if kind == Kind::List => written.names = scanner.strings()?,
            "mappings" if kind == Kind::Text => {
                let span = scanner.string()?;
                let raw = text.get(span.range()).unwrap_or_default();
                written.mappings = Some((span.range().start, unescape(raw).into_owned().into_bytes()));
            }
            "names" => return Err(fault(at, "`names` must be a list")),
            "mappings" => return Err(fault(at, "`mappings` must be a string")),
            _ => scanner.pass()?,
        }
        Ok(())
    })?;
    Ok(written)
}

impl Written {
    /// Gives line, column and number of the name of each step. Lines are written from 1.
    fn steps(&self, mut step: impl FnMut(u32, u32, u32)) -> Result<()> {
        let Some((start, text)) = &self.mappings else { return Ok(()) };
        let mut numbers = Numbers::new(text);
        let (mut line, mut column, mut name) = (1, 0, 0);
        let told = |Fault { offset, reason }: Fault| fault(start + offset, reason);
        while numbers.peek().is_some() {
            if numbers.accept(b';') {
                column = 0;
                continue;
            }
            if numbers.accept(b',') {
                continue;
            }
            let here = numbers.at;
            let mut next = |running: u32| -> Result<u32> {
                if !numbers.is_number() {
                    return Ok(running);
                }
                let difference = numbers.signed().map_err(told)?;
                added(running, difference).ok_or_else(|| fault(start + here, "a number becomes negative or 2^31"))
            };
            column = next(column)?;
            name = next(name)?;
            line = next(line)?;
            if numbers.is_number() {
                return Err(fault(start + numbers.at, "a segment has at most 3 numbers"));
            }
            if name as usize >= self.names.len() {
                let (kind, limit) = (ReferenceKind::ScopeName, self.names.len());
                return Err(Error::Reference { kind, index: name.into(), limit });
            }
            step(line.saturating_sub(1), column, name);
        }
        Ok(())
    }
}
