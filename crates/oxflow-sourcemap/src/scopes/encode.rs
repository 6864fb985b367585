//! Writes `scopes`, for the maps whose sections become one.

use super::{Position, Scopes};
use crate::vlq::{put, put_signed};

/// The text for the scopes of a map with so many sources.
pub(crate) fn encode(scopes: &Scopes, sources: usize) -> Vec<u8> {
    let is_ordered = scopes.originals.is_sorted_by_key(|scope| scope.source);
    if !is_ordered || !scopes.ranges.is_sorted_by_key(|range| range.start) {
        // Of sections that overlap or stand in the wrong order, which `scopes` can't tell.
        return Vec::new();
    }
    let mut encoder = Encoder::new(scopes);
    encoder.originals(sources);
    encoder.ranges();
    encoder.text
}

struct Encoder<'a> {
    scopes: &'a Scopes,
    text: Vec<u8>,
    at: Position,
    name: u32,
    kind: u32,
    variable: u32,
    definition: usize,
}

impl<'a> Encoder<'a> {
    fn new(scopes: &'a Scopes) -> Self {
        let (text, at) = (Vec::new(), Position::default());
        Self { scopes, text, at, name: 0, kind: 0, variable: 0, definition: 0 }
    }

    fn item(&mut self, tag: u32) {
        if !self.text.is_empty() {
            self.text.push(b',');
        }
        put(&mut self.text, tag.into());
    }

    /// The lines to a place, and its column.
    fn steps(&self, to: Position) -> (u32, u32) {
        let lines = to.line.saturating_sub(self.at.line);
        (lines, if lines == 0 { to.column.saturating_sub(self.at.column) } else { to.column })
    }

    fn originals(&mut self, sources: usize) {
        let mut next = 0;
        let all = &self.scopes.originals;
        for source in 0..u32::try_from(sources).unwrap_or(u32::MAX) {
            // What is behind the last source with scopes needs no item.
            if next >= all.len() {
                return;
            }
            let is_here = all.get(next).is_some_and(|scope| scope.source == source);
            if !is_here {
                self.item(0);
                continue;
            }
            self.at = Position::default();
            let first = next;
            let mut open: Vec<usize> = Vec::new();
            while let Some(scope) = all.get(next).filter(|scope| next == first || scope.parent.is_some()) {
                self.close(&mut open, scope.parent);
                self.begin(next);
                open.push(next);
                next += 1;
            }
            self.close(&mut open, None);
        }
    }

    /// Ends the open scopes that are not `parent` or around it.
    fn close(&mut self, open: &mut Vec<usize>, parent: Option<usize>) {
        while open.last().copied() != parent {
            let Some(scope) = open.pop().and_then(|index| self.scopes.originals.get(index)) else { return };
            let (lines, columns) = self.steps(scope.end);
            self.item(2);
            put(&mut self.text, lines.into());
            put(&mut self.text, columns.into());
            self.at = scope.end;
        }
    }

    fn begin(&mut self, index: usize) {
        let Some(scope) = self.scopes.originals.get(index) else { return };
        let flags = u32::from(scope.name.is_some())
            | u32::from(scope.kind.is_some()) << 1
            | u32::from(scope.is_stack_frame) << 2;
        let (lines, columns) = self.steps(scope.start);
        self.item(1);
        for number in [flags, lines, columns] {
            put(&mut self.text, number.into());
        }
        self.at = scope.start;
        if let Some(name) = scope.name {
            difference(&mut self.text, &mut self.name, name);
        }
        if let Some(kind) = scope.kind {
            difference(&mut self.text, &mut self.kind, kind);
        }
        if !scope.variables.is_empty() {
            self.item(3);
            for variable in &scope.variables {
                difference(&mut self.text, &mut self.variable, *variable);
            }
        }
    }

    fn ranges(&mut self) {
        self.at = Position::default();
        let mut open: Vec<usize> = Vec::new();
        for (index, range) in self.scopes.ranges.iter().enumerate() {
            self.close_ranges(&mut open, range.parent);
            self.begin_range(index);
            open.push(index);
        }
        self.close_ranges(&mut open, None);
    }

    fn close_ranges(&mut self, open: &mut Vec<usize>, parent: Option<usize>) {
        while open.last().copied() != parent {
            let Some(range) = open.pop().and_then(|index| self.scopes.ranges.get(index)) else { return };
            let (lines, columns) = self.steps(range.end);
            self.item(5);
            if lines > 0 {
                put(&mut self.text, lines.into());
            }
            put(&mut self.text, columns.into());
            self.at = range.end;
        }
    }

    fn begin_range(&mut self, index: usize) {
        let Some(range) = self.scopes.ranges.get(index) else { return };
        let (lines, columns) = self.steps(range.start);
        let flags = u32::from(lines > 0)
            | u32::from(range.definition.is_some()) << 1
            | u32::from(range.is_stack_frame) << 2
            | u32::from(range.is_hidden) << 3;
        self.item(4);
        put(&mut self.text, flags.into());
        if lines > 0 {
            put(&mut self.text, lines.into());
        }
        put(&mut self.text, columns.into());
        self.at = range.start;
        if let Some(definition) = range.definition {
            let step = i64::try_from(definition).unwrap_or(i64::MAX) - i64::try_from(self.definition).unwrap_or(0);
            put_signed(&mut self.text, step);
            self.definition = definition;
        }
        if !range.bindings.is_empty() {
            self.item(6);
            for binding in &range.bindings {
                put(&mut self.text, expression(binding.expression));
            }
        }
        if let Some(site) = range.call_site {
            self.item(8);
            for number in [site.source, site.at.line, site.at.column] {
                put(&mut self.text, number.into());
            }
        }
        self.sub_ranges(index);
    }

    fn sub_ranges(&mut self, index: usize) {
        let Some(range) = self.scopes.ranges.get(index) else { return };
        for (variable, binding) in range.bindings.iter().enumerate().filter(|(_, binding)| !binding.from.is_empty()) {
            self.item(7);
            put(&mut self.text, variable as u64);
            for (at, index) in &binding.from {
                let (lines, columns) = self.steps(*at);
                put(&mut self.text, lines.into());
                put(&mut self.text, columns.into());
                put(&mut self.text, expression(*index));
                self.at = *at;
            }
            self.at = range.start;
        }
    }
}

/// An index from 1 on, or 0 for none.
fn expression(index: Option<u32>) -> u64 {
    index.map_or(0, |index| u64::from(index) + 1)
}

fn difference(text: &mut Vec<u8>, running: &mut u32, next: u32) {
    put_signed(text, i64::from(next) - i64::from(*running));
    *running = next;
}
