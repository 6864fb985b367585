//! One map of two: that of the last code, and that of the code in between, which is a source of the first one.

use std::collections::HashMap;

use crate::error::{Error, ReferenceKind, Result};
use crate::map::{Known, SourceMap};
use crate::mappings::{Bias, Original, Segment, halves, key};
use crate::metro::Metro;
use crate::picked::{Picked, Text};
use crate::ranges::moved;
use crate::sources::Strings;
use crate::whole::Writing;

/// Into how many pieces all ranges together may be cut: a few of them can each lie over all of the other map.
const MOST_PIECES: usize = 1 << 26;

impl SourceMap {
    /// The map of this generated file to the sources of `inner`, which is the map of `source`, a source of this one.
    ///
    /// A lookup gives what two would, first in this map and then in `inner`; the name is that of `inner`, where it has one. What
    /// `inner` has nothing for has no source. Segments of other sources stay.
    pub fn compose(&self, inner: &Self, source: u32) -> Result<Self> {
        let limit = self.source_count();
        if source as usize >= limit {
            return Err(Error::Reference { kind: ReferenceKind::Source, index: i64::from(source), limit });
        }
        let mut composer = Composer::new(self, inner, source)?;
        self.walk(|segment, is_range| composer.take(segment, is_range))?;
        composer.end_range(u64::MAX)?;
        let strings = composer.strings(self, inner)?;
        let parts = vec![composer.writing.finish(self.line_count(), &strings)?];
        // What is known of functions is of other places, or has names.
        let (metro, functions) = (Metro::Nothing, Known::default());
        Ok(Self { parts, strings, metro, functions, ..self.clone() })
    }

    /// The source that `inner` is the map of: the only one, or the only one with the name or file name that `inner` says.
    pub fn source_described_by(&self, inner: &Self) -> Result<Option<u32>> {
        let last = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
        let mut named = Vec::new();
        let mut ending = Vec::new();
        for index in 0..self.source_count() {
            let (Some(name), Some(file)) = (self.source(index)?, inner.file()) else { continue };
            if name == file {
                named.push(index);
            } else if last(&name) == last(file) {
                ending.push(index);
            }
        }
        let found = match (self.source_count(), named.as_slice(), ending.as_slice()) {
            (1, ..) => Some(0),
            (_, [one], _) | (_, [], [one]) => Some(*one),
            _ => None,
        };
        Ok(found.and_then(|index| u32::try_from(index).ok()))
    }
}

/// The names that are used, in the order of their first use.
#[derive(Default)]
struct Names {
    /// By whether it is one of the inner map, and its index.
    known: HashMap<(bool, u32), u32>,
    order: Vec<(bool, u32)>,
}

impl Names {
    fn get(&mut self, is_inner: bool, index: u32) -> u32 {
        let next = u32::try_from(self.order.len()).unwrap_or(u32::MAX);
        let order = &mut self.order;
        *self.known.entry((is_inner, index)).or_insert_with(|| {
            order.push((is_inner, index));
            next
        })
    }
}

struct Composer<'a> {
    inner: &'a SourceMap,
    /// The source whose map is the inner one.
    between: u32,
    /// Index of the first source of the inner map.
    first_inner: u32,
    names: Names,
    /// All of the inner map, if ranges of the outer one have to be laid over it.
    pieces: Vec<(Segment, bool)>,
    left: usize,
    /// The range that is open.
    range: Option<Segment>,
    writing: Writing,
}

impl<'a> Composer<'a> {
    fn new(outer: &SourceMap, inner: &'a SourceMap, between: u32) -> Result<Self> {
        let mut pieces = Vec::new();
        if outer.parts.iter().any(|part| !part.ranges.is_empty()) {
            inner.walk(|segment, is_range| {
                pieces.push((segment, is_range));
                Ok(())
            })?;
        }
        let first_inner = u32::try_from(outer.source_count() - 1).unwrap_or(u32::MAX);
        let (names, range, writing) = (Names::default(), None, Writing::default());
        Ok(Self { inner, between, first_inner, names, pieces, left: MOST_PIECES, range, writing })
    }

    fn take(&mut self, segment: Segment, is_range: bool) -> Result<()> {
        self.end_range(segment.key())?;
        let Some(at) = segment.original.filter(|at| at.source == self.between) else {
            let name = segment.name.map(|name| self.names.get(false, name));
            let original =
                segment.original.map(|at| Original { source: at.source - u32::from(at.source > self.between), ..at });
            return self.writing.push(Segment { original, name, ..segment }, is_range);
        };
        if !is_range {
            let found = self.inner.lookup(i64::from(at.line), i64::from(at.column), Bias::Before)?;
            return self.put(segment, found, false);
        }
        self.range = Some(segment);
        let (found, is_range) = self.piece_at(key(at.line, at.column)).unzip();
        self.put(segment, found, is_range.unwrap_or_default())
    }

    /// Writes a segment of the outer map with the original of one of the inner map.
    fn put(&mut self, segment: Segment, found: Option<Segment>, is_range: bool) -> Result<()> {
        let found = found.and_then(|found| Some((found.original?, found.name)));
        let Some((at, inner_name)) = found else {
            return self.writing.push(Segment { original: None, name: None, ..segment }, false);
        };
        let name = match (inner_name, segment.name) {
            (Some(name), _) => Some(self.names.get(true, name)),
            (None, Some(name)) => Some(self.names.get(false, name)),
            (None, None) => None,
        };
        let original = Some(Original { source: at.source.saturating_add(self.first_inner), ..at });
        self.writing.push(Segment { original, name, ..segment }, is_range)
    }

    /// The segment of the inner map for a position, and whether it stands for a range: as a lookup finds it.
    fn piece_at(&self, target: u64) -> Option<(Segment, bool)> {
        let (line, column) = halves(target);
        let next = self.pieces.partition_point(|(segment, _)| segment.key() < target);
        if let Some(found) = self.pieces.get(next).filter(|(segment, _)| segment.key() == target) {
            return Some(*found);
        }
        let (segment, is_range) = *self.pieces.get(next.checked_sub(1)?)?;
        let found = if is_range { moved(segment, line, column) } else { segment };
        (is_range || segment.line == line).then_some((found, is_range))
    }

    /// Cuts the open range, which ends at a position, where segments of the inner map begin.
    fn end_range(&mut self, end: u64) -> Result<()> {
        let Some((range, from)) = self.range.take().and_then(|range| Some((range, range.original?))) else {
            return Ok(());
        };
        let target = key(from.line, from.column);
        let mut next = self.pieces.partition_point(|(segment, _)| segment.key() < target);
        // The first one that begins where the range does has been written.
        next += usize::from(self.pieces.get(next).is_some_and(|(segment, _)| segment.key() == target));
        while let Some((piece, is_range)) = self.pieces.get(next).copied() {
            let below = piece.line - from.line;
            let column = if below == 0 { piece.column - from.column + range.column } else { piece.column };
            let at = Segment { line: range.line.saturating_add(below), column, ..range };
            if at.key() >= end {
                break;
            }
            self.left = self
                .left
                .checked_sub(1)
                .ok_or(Error::Limit { what: "the number of pieces of ranges", limit: MOST_PIECES as u64 })?;
            self.put(at, Some(piece), is_range)?;
            next += 1;
        }
        Ok(())
    }

    fn strings(&self, outer: &SourceMap, inner: &SourceMap) -> Result<Strings> {
        let mut all = Picked::all_of(&outer.strings)?;
        let mut more = Picked::all_of(&inner.strings)?;
        let between = all.sources.remove(self.between as usize);
        for source in &mut more.sources {
            source.is_ignored |= between.is_ignored;
        }
        all.sources.extend(more.sources);
        let name = |(is_inner, index): &(bool, u32)| -> Option<Text> {
            let names = if *is_inner { &more.names } else { &all.names };
            names.get(*index as usize).cloned()
        };
        let names = self.names.order.iter().filter_map(name).collect();
        Ok(Strings::Picked(Picked { sources: all.sources, names }))
    }
}
