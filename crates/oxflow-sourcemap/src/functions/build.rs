//! Makes a table of functions out of what a map says.

use std::borrow::Cow;
use std::collections::HashMap;

use super::Functions;
use super::table::{self, Place};
use crate::error::Result;
use crate::map::{Part, SourceMap};
use crate::scopes::{Event, walk};

/// No name.
pub(crate) const NONE: u32 = u32::MAX;
/// What a name that was put together has at most, in bytes: who nests deeper is out to fill memory.
pub(crate) const MOST_NAME: usize = 1024;

/// What functions are called.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Name {
    /// Index in the map's names.
    Mapped(u32),
    /// Index in the builder's own texts.
    Own(u32),
}

/// Steps that are being collected, in the order of their places.
#[derive(Default)]
pub(crate) struct Builder {
    steps: Vec<(Place, u32)>,
    names: Vec<Name>,
    known: HashMap<Name, u32>,
    texts: Vec<String>,
    known_texts: HashMap<String, u32>,
}

impl Builder {
    /// From a place on it is this function. Of two at one place the later counts.
    pub(crate) fn step(&mut self, place: Place, name: u32) {
        if self.steps.last().is_some_and(|(last, _)| *last == place) {
            self.steps.pop();
        }
        let is_same = self.steps.last().is_some_and(|(last, before)| last.0 == place.0 && *before == name);
        if !is_same {
            self.steps.push((place, name));
        }
    }

    /// A name of the map.
    pub(crate) fn mapped(&mut self, index: u32) -> u32 {
        self.number(Name::Mapped(index))
    }

    /// A name that the map doesn't have as such.
    pub(crate) fn own(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            return NONE;
        }
        let text = cut(text, MOST_NAME);
        let known = self.known_texts.get(text).copied();
        let index = known.unwrap_or_else(|| {
            let index = number_of(self.texts.len());
            self.texts.push(text.to_owned());
            self.known_texts.insert(text.to_owned(), index);
            index
        });
        self.number(Name::Own(index))
    }

    fn number(&mut self, name: Name) -> u32 {
        let next = number_of(self.names.len());
        let number = *self.known.entry(name).or_insert(next);
        if number == next {
            self.names.push(name);
        }
        number
    }

    pub(crate) fn finish(mut self, map: &SourceMap) -> Result<Functions> {
        // Sections that overlap, and sources that stand in the wrong order.
        if !self.steps.is_sorted_by_key(|(place, _)| *place) {
            self.steps.sort_by_key(|(place, _)| *place);
        }
        let names = self.names.iter().map(|name| match name {
            Name::Own(index) => {
                let text = self.texts.get(*index as usize).map(String::as_bytes);
                Ok(Cow::Borrowed(text.unwrap_or_default()))
            }
            Name::Mapped(index) => {
                let name = map.name(*index as usize)?.unwrap_or_default();
                Ok(Cow::Owned(name.into_owned().into_bytes()))
            }
        });
        table::write(&self.steps, names)
    }
}

/// A text without what is beyond so many bytes.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    if text.len() <= most { text } else { text.get(..end).unwrap_or_default() }
}

fn number_of(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(NONE)
}

impl Part {
    /// The functions of the ranges of `scopes`: what the scopes that they come from are called.
    pub(super) fn add_ranges(&self, builder: &mut Builder) -> Result<()> {
        let Some(text) = self.scopes_text()? else { return Ok(()) };
        let mut scopes = Names::default();
        let mut open: Vec<u32> = Vec::new();
        walk(text, self.scope_bounds(), |event| match event {
            Event::RangeStart { at, definition, .. } => {
                let around = open.last().copied().unwrap_or(NONE);
                let name = definition.map_or(around, |index| scopes.of(index, self.first_name, builder));
                open.push(name);
                let at = self.shifted(at);
                builder.step((0, at.line, at.column), name);
            }
            Event::RangeEnd { at } => {
                open.pop();
                let at = self.shifted(at);
                builder.step((0, at.line, at.column), open.last().copied().unwrap_or(NONE));
            }
            other => scopes.see(&other),
        })
    }

    /// The functions of the scopes themselves, if there are no ranges.
    pub(super) fn add_originals(&self, builder: &mut Builder) -> Result<()> {
        let Some(text) = self.scopes_text()? else { return Ok(()) };
        let mut has_ranges = false;
        walk(text, self.scope_bounds(), |event| has_ranges |= matches!(event, Event::RangeStart { .. }))?;
        if has_ranges {
            return Ok(());
        }
        let mut scopes = Names::default();
        let mut source = self.first_source;
        walk(text, self.scope_bounds(), |event| {
            scopes.see(&event);
            match event {
                Event::NoScope => source = source.saturating_add(1),
                Event::ScopeStart { at, .. } | Event::ScopeEnd { at } => {
                    let name = scopes.innermost(self.first_name, builder);
                    builder.step((source.saturating_add(1), at.line, at.column), name);
                    if scopes.open.is_empty() {
                        source = source.saturating_add(1);
                    }
                }
                _ => {}
            }
        })
    }
}

/// What the functions are called that scopes are or stand in.
#[derive(Default)]
struct Names {
    /// For each scope, in the order of their beginnings.
    all: Vec<Option<u32>>,
    open: Vec<Option<u32>>,
}

impl Names {
    fn see(&mut self, event: &Event<'_>) {
        match event {
            Event::ScopeStart { name, is_stack_frame, .. } => {
                let around = self.open.last().copied().flatten();
                let function = if *is_stack_frame { *name } else { around };
                self.all.push(function);
                self.open.push(function);
            }
            Event::ScopeEnd { .. } => {
                self.open.pop();
            }
            _ => {}
        }
    }

    fn of(&self, index: u32, first: u32, builder: &mut Builder) -> u32 {
        let name = self.all.get(index as usize).copied().flatten();
        name.map_or(NONE, |name| builder.mapped(name.saturating_add(first)))
    }

    fn innermost(&self, first: u32, builder: &mut Builder) -> u32 {
        let name = self.open.last().copied().flatten();
        name.map_or(NONE, |name| builder.mapped(name.saturating_add(first)))
    }
}
