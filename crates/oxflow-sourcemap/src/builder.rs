//! Makes a map out of nothing.

use std::collections::HashMap;
use std::sync::Arc;

use crate::error::{Error, ReferenceKind, Result};
use crate::map::{Known, SourceMap};
use crate::mappings::Segment;
use crate::metro::Metro;
use crate::picked::{Picked, PickedSource, Text};
use crate::sources::Strings;
use crate::whole::Writing;

/// The largest line and column of the standard.
const MOST: u32 = i32::MAX.unsigned_abs();

/// A map that is being made: sources and names each once, and segments in any order.
#[derive(Default)]
pub struct Builder {
    file: Option<String>,
    debug_id: Option<String>,
    strings: Picked,
    sources: HashMap<Arc<str>, u32>,
    names: HashMap<Arc<str>, u32>,
    segments: Vec<Segment>,
}

impl Builder {
    /// A builder of the map of this file.
    pub fn new(file: Option<&str>) -> Self {
        Self { file: file.map(str::to_owned), ..Self::default() }
    }

    /// Whether nothing was added to it.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty() && self.strings.sources.is_empty() && self.strings.names.is_empty()
    }

    /// Says which debug id generated file and map share.
    pub fn set_debug_id(&mut self, debug_id: Option<&str>) {
        self.debug_id = debug_id.map(str::to_owned);
    }

    /// The index of a source, which is added if it isn't there. Each one without a name is one of its own.
    pub fn source(&mut self, name: Option<&str>) -> u32 {
        let next = index_of(self.strings.sources.len());
        let Some(name) = name else {
            self.strings.sources.push(PickedSource::default());
            return next;
        };
        if let Some(known) = self.sources.get(name) {
            return *known;
        }
        let name: Arc<str> = name.into();
        self.sources.insert(Arc::clone(&name), next);
        self.strings.sources.push(PickedSource { name: Some(Text::New(name)), ..PickedSource::default() });
        next
    }

    /// Gives a source its text.
    pub fn set_content(&mut self, source: u32, content: Option<&str>) -> Result<()> {
        self.source_at(source)?.content = content.map(|content| Text::New(content.into()));
        Ok(())
    }

    /// Says whether debuggers should step over a source.
    pub fn set_ignored(&mut self, source: u32, is_ignored: bool) -> Result<()> {
        self.source_at(source)?.is_ignored = is_ignored;
        Ok(())
    }

    /// The index of a name, which is added if it isn't there.
    pub fn name(&mut self, name: &str) -> u32 {
        if let Some(known) = self.names.get(name) {
            return *known;
        }
        let next = index_of(self.strings.names.len());
        let name: Arc<str> = name.into();
        self.names.insert(Arc::clone(&name), next);
        self.strings.names.push(Text::New(name));
        next
    }

    /// Adds a segment; a name needs an original, and is left out without one.
    pub fn add(&mut self, segment: Segment) -> Result<()> {
        let Segment { line, column, original, name } = segment;
        let places = [Some(line), Some(column), original.map(|at| at.line), original.map(|at| at.column)];
        if places.into_iter().flatten().any(|place| place > MOST) {
            return Err(Error::Limit { what: "a line or column", limit: u64::from(MOST) });
        }
        if let Some(original) = original {
            self.source_at(original.source)?;
        }
        if let Some(name) = name.filter(|name| *name as usize >= self.strings.names.len()) {
            return Err(dangling(ReferenceKind::Name, name, self.strings.names.len()));
        }
        self.segments.push(Segment { name: original.and(name), ..segment });
        Ok(())
    }

    /// The map. Of segments at one position the one that was added first comes first.
    pub fn build(mut self) -> Result<SourceMap> {
        self.segments.sort_by_key(Segment::key);
        let mut writing = Writing::default();
        for segment in self.segments {
            writing.push(segment, false)?;
        }
        let strings = Strings::Picked(self.strings);
        let parts = vec![writing.finish(0, &strings)?];
        Ok(SourceMap {
            parts,
            strings,
            file: self.file,
            debug_id: self.debug_id,
            warnings: Vec::new(),
            metro: Metro::default(),
            functions: Known::default(),
        })
    }

    fn source_at(&mut self, source: u32) -> Result<&mut PickedSource> {
        let limit = self.strings.sources.len();
        self.strings.sources.get_mut(source as usize).ok_or(dangling(ReferenceKind::Source, source, limit))
    }
}

fn dangling(kind: ReferenceKind, index: u32, limit: usize) -> Error {
    Error::Reference { kind, index: i64::from(index), limit }
}

fn index_of(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
