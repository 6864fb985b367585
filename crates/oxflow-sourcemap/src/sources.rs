//! What a map says of its sources, and its names: read out of where they lie when somebody asks.

use std::borrow::Cow;

use crate::buffer::Buffer;
use crate::error::Result;
use crate::index::{Contents, Table, damaged};
use crate::json::{Item, unescape, unescape_into};
use crate::picked::Picked;

/// One source in JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    pub(crate) name: Item,
    pub(crate) content: Item,
    /// Which of the roots its name begins with.
    pub(crate) root: Option<u32>,
    pub(crate) is_ignored: bool,
}

/// All sources and names of a map.
#[derive(Clone)]
pub(crate) enum Strings {
    Json(Written),
    Index(Indexed),
    Picked(Picked),
}

/// As they stand in the JSON of a map.
#[derive(Clone)]
pub(crate) struct Written {
    pub(crate) text: Buffer,
    pub(crate) sources: Vec<Source>,
    pub(crate) names: Vec<Item>,
    pub(crate) roots: Vec<String>,
}

/// As they stand in an index file.
#[derive(Clone)]
pub(crate) struct Indexed {
    pub(crate) names: Table,
    /// A byte of flags, then the name: whether there is one, and whether the source is ignored.
    pub(crate) sources: Table,
    pub(crate) contents: Contents,
}

impl Strings {
    pub(crate) fn source_count(&self) -> usize {
        match self {
            Self::Json(written) => written.sources.len(),
            Self::Index(indexed) => indexed.sources.count,
            Self::Picked(picked) => picked.sources.len(),
        }
    }

    pub(crate) fn name_count(&self) -> usize {
        match self {
            Self::Json(written) => written.names.len(),
            Self::Index(indexed) => indexed.names.count,
            Self::Picked(picked) => picked.names.len(),
        }
    }

    pub(crate) fn name(&self, index: usize) -> Result<Option<Cow<'_, str>>> {
        match self {
            Self::Json(written) => Ok(written.name(index)),
            Self::Index(indexed) => indexed.names.get(index)?.map(text).transpose(),
            Self::Picked(picked) => picked.name(index),
        }
    }

    /// The source's name with its root.
    pub(crate) fn source(&self, index: usize) -> Result<Option<Cow<'_, str>>> {
        match self {
            Self::Json(written) => Ok(written.source(index)),
            Self::Index(indexed) => {
                let (flags, name) = indexed.source(index)?;
                if flags & 1 == 1 { text(name).map(Some) } else { Ok(None) }
            }
            Self::Picked(picked) => picked.source(index),
        }
    }

    pub(crate) fn content(&self, index: usize) -> Result<Option<Cow<'_, str>>> {
        match self {
            Self::Json(written) => Ok(written.content(index)),
            Self::Index(indexed) if index < indexed.sources.count => Ok(indexed.contents.get(index)?.map(Cow::Owned)),
            Self::Index(_) => Ok(None),
            Self::Picked(picked) => picked.content(index),
        }
    }

    /// Appends the text of a source; false if there is none.
    pub(crate) fn content_into(&self, index: usize, text: &mut Vec<u8>) -> Result<bool> {
        if let Self::Json(written) = self
            && let Some(Item::Text(span)) = written.sources.get(index).map(|source| source.content)
        {
            // It was checked when the map was read, and is not copied twice.
            unescape_into((*written.text).as_ref().get(span.range()).unwrap_or_default(), text);
            return Ok(true);
        }
        let content = self.content(index)?;
        text.extend_from_slice(content.as_deref().unwrap_or_default().as_bytes());
        Ok(content.is_some())
    }

    pub(crate) fn is_ignored(&self, index: usize) -> Result<bool> {
        match self {
            Self::Json(written) => Ok(written.sources.get(index).is_some_and(|source| source.is_ignored)),
            Self::Index(indexed) => Ok(indexed.source(index)?.0 & 2 == 2),
            Self::Picked(picked) => Ok(picked.is_ignored(index)),
        }
    }
}

impl Indexed {
    fn source(&self, index: usize) -> Result<(u8, &[u8])> {
        let bytes = self.sources.get(index)?;
        Ok(bytes.and_then(<[u8]>::split_first).map_or((0, &[]), |(flags, name)| (*flags, name)))
    }
}

/// Bytes of an index file as text. They are copied before they are checked: who changes the file in place, against what is
/// asked of him, must not make text of what is none.
fn text(bytes: &[u8]) -> Result<Cow<'static, str>> {
    String::from_utf8(bytes.to_vec()).map_or_else(|_| damaged("a string"), |text| Ok(Cow::Owned(text)))
}

impl Written {
    fn read(&self, item: Item) -> Option<Cow<'_, str>> {
        let text: &[u8] = (*self.text).as_ref();
        match item {
            Item::Null => None,
            Item::Other(start, end) => {
                Some(String::from_utf8_lossy(text.get(start as usize..end as usize).unwrap_or_default()))
            }
            Item::Text(span) => {
                let raw = text.get(span.range()).unwrap_or_default();
                // Checked once, when the map was read.
                Some(if span.is_escaped() { unescape(raw) } else { String::from_utf8_lossy(raw) })
            }
        }
    }

    fn name(&self, index: usize) -> Option<Cow<'_, str>> {
        let item = *self.names.get(index)?;
        Some(self.read(item).unwrap_or(Cow::Borrowed("null")))
    }

    fn source(&self, index: usize) -> Option<Cow<'_, str>> {
        let source = self.sources.get(index)?;
        let name = self.read(source.name)?;
        let root = source.root.and_then(|root| self.roots.get(root as usize));
        Some(match root {
            Some(root) if !is_absolute(&name) => {
                Cow::Owned(format!("{}/{name}", root.strip_suffix('/').unwrap_or(root)))
            }
            _ => name,
        })
    }

    fn content(&self, index: usize) -> Option<Cow<'_, str>> {
        self.read(self.sources.get(index)?.content)
    }
}

/// Whether a source needs no root: it is a URL or begins at the root of its own.
fn is_absolute(name: &str) -> bool {
    let scheme = name.split_once(':').map_or("", |(scheme, _)| scheme);
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.chars().all(|part| part.is_ascii_alphanumeric() || matches!(part, '+' | '-' | '.'));
    name.starts_with('/') || (is_scheme && scheme.len() > 1)
}
