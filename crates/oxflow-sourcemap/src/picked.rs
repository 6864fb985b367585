//! Sources and names that were put together: out of those of other maps, where they stay, and of new ones.

use std::borrow::Cow;
use std::sync::Arc;

use crate::error::Result;
use crate::sources::Strings;

/// A text, or where it is.
#[derive(Clone)]
pub(crate) enum Text {
    New(Arc<str>),
    NameOf(Arc<Strings>, usize),
    SourceOf(Arc<Strings>, usize),
    ContentOf(Arc<Strings>, usize),
}

impl Text {
    fn read(&self) -> Result<Option<Cow<'_, str>>> {
        match self {
            Self::New(text) => Ok(Some(Cow::Borrowed(text))),
            Self::NameOf(strings, index) => strings.name(*index),
            Self::SourceOf(strings, index) => strings.source(*index),
            Self::ContentOf(strings, index) => strings.content(*index),
        }
    }
}

/// A source; without a name it is null.
#[derive(Clone, Default)]
pub(crate) struct PickedSource {
    pub(crate) name: Option<Text>,
    pub(crate) content: Option<Text>,
    pub(crate) is_ignored: bool,
}

/// All sources and names of a map.
#[derive(Clone, Default)]
pub(crate) struct Picked {
    pub(crate) sources: Vec<PickedSource>,
    pub(crate) names: Vec<Text>,
}

impl Picked {
    /// Everything that a map has.
    pub(crate) fn all_of(strings: &Strings) -> Result<Self> {
        if let Strings::Picked(picked) = strings {
            return Ok(picked.clone());
        }
        let strings = Arc::new(strings.clone());
        let names = (0..strings.name_count()).map(|index| Text::NameOf(Arc::clone(&strings), index)).collect();
        let sources = (0..strings.source_count()).map(|index| {
            Ok(PickedSource {
                name: Some(Text::SourceOf(Arc::clone(&strings), index)),
                content: Some(Text::ContentOf(Arc::clone(&strings), index)),
                is_ignored: strings.is_ignored(index)?,
            })
        });
        Ok(Self { sources: sources.collect::<Result<_>>()?, names })
    }

    pub(crate) fn name(&self, index: usize) -> Result<Option<Cow<'_, str>>> {
        self.names.get(index).map_or(Ok(None), Text::read)
    }

    pub(crate) fn source(&self, index: usize) -> Result<Option<Cow<'_, str>>> {
        self.sources.get(index).and_then(|source| source.name.as_ref()).map_or(Ok(None), Text::read)
    }

    pub(crate) fn content(&self, index: usize) -> Result<Option<Cow<'_, str>>> {
        self.sources.get(index).and_then(|source| source.content.as_ref()).map_or(Ok(None), Text::read)
    }

    pub(crate) fn is_ignored(&self, index: usize) -> bool {
        self.sources.get(index).is_some_and(|source| source.is_ignored)
    }
}
