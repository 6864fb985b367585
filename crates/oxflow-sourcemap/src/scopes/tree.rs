//! What `scopes` says, as a whole.

use std::borrow::Cow;

use super::{Event, encode, walk};
use crate::error::Result;
use crate::map::{Part, SourceMap};
use crate::scopes::decode::Bounds;

/// A place in generated code or a source, from 0; columns in UTF-16 units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
}

/// A scope of a source. Names are indices in the map's names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginalScope {
    /// Index of the source.
    pub source: u32,
    /// Index of the scope that it stands in.
    pub parent: Option<usize>,
    /// Where it begins.
    pub start: Position,
    /// Where it ends: the first place that is not in it.
    pub end: Position,
    /// Its name, if it is of a function or class.
    pub name: Option<u32>,
    /// What it is, for people.
    pub kind: Option<u32>,
    /// Whether it is a function, which stack traces show.
    pub is_stack_frame: bool,
    /// The names of what it declares.
    pub variables: Vec<u32>,
}

/// What has the value of a variable: an index in the map's names, where expressions stand; `None` if nothing has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Binding {
    /// From the beginning of the range on.
    pub expression: Option<u32>,
    /// From other places on.
    pub from: Vec<(Position, Option<u32>)>,
}

/// Where the function was called that stands in a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallSite {
    /// Index of the source.
    pub source: u32,
    /// Place in it.
    pub at: Position,
}

/// A range of the generated code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedRange {
    /// Index of the range that it stands in.
    pub parent: Option<usize>,
    /// Where it begins.
    pub start: Position,
    /// Where it ends: the first place that is not in it.
    pub end: Position,
    /// Index of the scope that became it.
    pub definition: Option<usize>,
    /// Whether it is a function of the generated code.
    pub is_stack_frame: bool,
    /// Whether stack traces should leave that function out.
    pub is_hidden: bool,
    /// Where it was called, if it is a function that was put in the place of its call.
    pub call_site: Option<CallSite>,
    /// One for each variable of its scope, or none at all.
    pub bindings: Vec<Binding>,
}

/// All scopes and ranges of a map, those that stand in others behind them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes {
    /// Of the sources.
    pub originals: Vec<OriginalScope>,
    /// Of the generated code.
    pub ranges: Vec<GeneratedRange>,
}

impl SourceMap {
    /// `scopes` of the whole map as it is written.
    pub(crate) fn scopes_text(&self) -> Result<Option<Cow<'_, [u8]>>> {
        if let [part] = self.parts.as_slice()
            && part.offset == (0, 0)
        {
            return Ok(part.scopes_text()?.map(Cow::Borrowed));
        }
        let scopes = self.scopes()?;
        Ok(scopes.map(|scopes| Cow::Owned(encode(&scopes, self.source_count()))))
    }

    /// What `scopes` says; `None` if the map has no such field.
    pub fn scopes(&self) -> Result<Option<Scopes>> {
        if self.parts.iter().all(|part| part.scopes.is_none()) {
            return Ok(None);
        }
        let mut scopes = Scopes::default();
        for part in &self.parts {
            let Some(text) = part.scopes_text()? else { continue };
            let mut tree = Tree::new(&mut scopes, part.first_source);
            let shift = |at: Position| part.shifted(at);
            walk(text, part.scope_bounds(), |event| tree.see(&event, &shift, part.first_name, part.first_source))?;
        }
        Ok(Some(scopes))
    }
}

/// Scopes that are being put together, of one part of a map.
struct Tree<'a> {
    scopes: &'a mut Scopes,
    source: u32,
    first_scope: usize,
    open_scopes: Vec<usize>,
    open_ranges: Vec<usize>,
}

impl<'a> Tree<'a> {
    fn new(scopes: &'a mut Scopes, source: u32) -> Self {
        let first_scope = scopes.originals.len();
        Self { scopes, source, first_scope, open_scopes: Vec::new(), open_ranges: Vec::new() }
    }

    fn see(&mut self, event: &Event<'_>, shift: &impl Fn(Position) -> Position, first_name: u32, first_source: u32) {
        let named = |name: &u32| name.saturating_add(first_name);
        let range = self.open_ranges.last().and_then(|open| self.scopes.ranges.get_mut(*open));
        match event {
            Event::NoScope => self.source += 1,
            Event::ScopeStart { at, name, kind, is_stack_frame } => {
                let (name, kind) = (name.as_ref().map(named), kind.as_ref().map(named));
                self.begin_scope(*at, name, kind, *is_stack_frame);
            }
            Event::Variables(variables) => {
                let scope = self.open_scopes.last().and_then(|open| self.scopes.originals.get_mut(*open));
                if let Some(scope) = scope {
                    scope.variables.extend(variables.iter().map(named));
                }
            }
            Event::ScopeEnd { at } => self.end_scope(*at),
            Event::RangeStart { at, definition, is_stack_frame, is_hidden } => {
                let at = shift(*at);
                let (parent, definition) = (self.open_ranges.last().copied(), definition.map(|index| index as usize));
                self.open_ranges.push(self.scopes.ranges.len());
                self.scopes.ranges.push(GeneratedRange {
                    parent,
                    start: at,
                    end: at,
                    definition: definition.map(|index| index + self.first_scope),
                    is_stack_frame: *is_stack_frame,
                    is_hidden: *is_hidden,
                    call_site: None,
                    bindings: Vec::new(),
                });
            }
            Event::Bindings(expressions) => {
                let binding = |index: &Option<u32>| Binding { expression: index.as_ref().map(named), from: Vec::new() };
                if let Some(range) = range {
                    range.bindings = expressions.iter().map(binding).collect();
                }
            }
            Event::SubRange { variable, from } => {
                if let Some(binding) = range.and_then(|range| range.bindings.get_mut(*variable as usize)) {
                    binding.from.extend(from.iter().map(|(at, index)| (shift(*at), index.as_ref().map(named))));
                }
            }
            Event::Call(site) => {
                if let Some(range) = range {
                    range.call_site = Some(CallSite { source: site.source.saturating_add(first_source), ..*site });
                }
            }
            Event::RangeEnd { at } => {
                if let Some(range) = self.open_ranges.pop().and_then(|open| self.scopes.ranges.get_mut(open)) {
                    range.end = shift(*at);
                }
            }
        }
    }

    fn begin_scope(&mut self, at: Position, name: Option<u32>, kind: Option<u32>, is_stack_frame: bool) {
        let parent = self.open_scopes.last().copied();
        self.open_scopes.push(self.scopes.originals.len());
        let (source, variables) = (self.source, Vec::new());
        self.scopes.originals.push(OriginalScope {
            source,
            parent,
            start: at,
            end: at,
            name,
            kind,
            is_stack_frame,
            variables,
        });
    }

    fn end_scope(&mut self, at: Position) {
        if let Some(scope) = self.open_scopes.pop().and_then(|open| self.scopes.originals.get_mut(open)) {
            scope.end = at;
        }
        if self.open_scopes.is_empty() {
            self.source += 1;
        }
    }
}

impl Part {
    /// What the indices of a part's `scopes` may lead to.
    pub(crate) fn scope_bounds(&self) -> Bounds {
        Bounds { sources: self.source_count as usize, names: self.name_count as usize }
    }

    pub(crate) fn shifted(&self, at: Position) -> Position {
        let (line, column) = self.offset;
        let column = if at.line == 0 { at.column.saturating_add(column) } else { at.column };
        Position { line: at.line.saturating_add(line), column }
    }
}
