//! Walks over the items of `scopes`.

use super::{CallSite, Position};
use crate::error::{Error, ReferenceKind, Result};
use crate::vlq::{Fault, Numbers, add};

/// Scopes and ranges that are open at once: who nests deeper than that is no compiler.
const MOST_OPEN: usize = 4096;

/// What is at an item. Names are indices that lead somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    /// The next source has no scopes.
    NoScope,
    ScopeStart {
        at: Position,
        name: Option<u32>,
        kind: Option<u32>,
        is_stack_frame: bool,
    },
    /// Variables of the innermost open scope.
    Variables(&'a [u32]),
    ScopeEnd {
        at: Position,
    },
    RangeStart {
        at: Position,
        definition: Option<u32>,
        is_stack_frame: bool,
        is_hidden: bool,
    },
    /// An expression for each variable of the definition of the innermost open range; `None` where it has no value.
    Bindings(&'a [Option<u32>]),
    /// A variable's other expressions, from places on.
    SubRange {
        variable: u32,
        from: &'a [(Position, Option<u32>)],
    },
    Call(CallSite),
    RangeEnd {
        at: Position,
    },
}

/// What indices may lead to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bounds {
    pub(crate) sources: usize,
    pub(crate) names: usize,
}

/// Why a walk ends early.
enum Stop {
    Fault(Fault),
    Error(Error),
}

type Walked<T> = std::result::Result<T, Stop>;

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Gives every item to `see`, in the order of the text.
pub(crate) fn walk(text: &[u8], bounds: Bounds, mut see: impl FnMut(Event<'_>)) -> Result<()> {
    let mut walk = Walk { numbers: Numbers::new(text), bounds, ..Walk::default() };
    walk.all(&mut see).map_err(|stop| match stop {
        Stop::Error(error) => error,
        Stop::Fault(Fault { offset, reason }) => Error::Field { field: "scopes", offset, reason },
    })
}

#[derive(Clone, Copy, Default)]
struct OpenRange {
    start: Position,
    definition: Option<u32>,
    /// How many variables have an expression.
    bindings: u32,
}

#[derive(Default)]
struct Walk<'a> {
    numbers: Numbers<'a>,
    bounds: Bounds,
    /// How many sources had their turn.
    sources: usize,
    /// How many variables each scope has, in the order of their beginnings.
    scopes: Vec<u32>,
    open_scopes: Vec<usize>,
    open_ranges: Vec<OpenRange>,
    has_ranges: bool,
    scope_at: Position,
    range_at: Position,
    name: u32,
    kind: u32,
    variable: u32,
    definition: u32,
}

impl Default for Numbers<'_> {
    fn default() -> Self {
        Self::new(&[])
    }
}

impl Walk<'_> {
    fn all(&mut self, see: &mut impl FnMut(Event<'_>)) -> Walked<()> {
        while self.numbers.peek().is_some() {
            self.item(see)?;
            // What later versions of the proposal append to an item.
            while self.numbers.is_number() {
                self.numbers.unsigned()?;
            }
            if self.numbers.peek().is_some() {
                let is_next = self.numbers.accept(b',');
                if !is_next || self.numbers.peek().is_none() {
                    return Ok(self.numbers.fault("an item is expected behind a comma")?);
                }
            }
        }
        if !self.open_scopes.is_empty() || !self.open_ranges.is_empty() {
            return Ok(self.numbers.fault("a scope or range has no end")?);
        }
        Ok(())
    }

    fn item(&mut self, see: &mut impl FnMut(Event<'_>)) -> Walked<()> {
        let start = self.numbers.at;
        let tag = self.numbers.unsigned()?;
        if tag < 4 && self.has_ranges {
            return Err(Fault { offset: start, reason: "a scope stands behind a range" }.into());
        }
        if tag >= 4 && !self.open_scopes.is_empty() {
            return Err(Fault { offset: start, reason: "no item of scopes stands in a scope" }.into());
        }
        match tag {
            0 if self.open_scopes.is_empty() => {
                self.next_source()?;
                see(Event::NoScope);
            }
            0 => return Ok(self.numbers.fault("an empty item stands in a scope")?),
            1 => self.scope_start(see)?,
            2 => self.scope_end(see)?,
            3 => self.variables(see)?,
            4 => self.range_start(see)?,
            5 => self.range_end(see)?,
            6 => self.bindings(see)?,
            7 => self.sub_range(see)?,
            8 => self.call(see)?,
            // Of a vendor, or of a later version: passed over, as the proposal says.
            _ => {}
        }
        Ok(())
    }

    fn next_source(&mut self) -> Walked<()> {
        self.sources += 1;
        if self.sources > self.bounds.sources {
            let index = i64::try_from(self.sources - 1).unwrap_or(i64::MAX);
            let (kind, limit) = (ReferenceKind::ScopeSource, self.bounds.sources);
            return Err(Error::Reference { kind, index, limit }.into());
        }
        Ok(())
    }

    /// The name at a distance from the last one.
    fn next_name(&mut self, last: u32) -> Walked<u32> {
        let step = self.numbers.signed()?;
        self.name_of(add(last, step))
    }

    fn name_of(&self, index: Option<u32>) -> Walked<u32> {
        let found = index.filter(|index| (*index as usize) < self.bounds.names);
        found.ok_or_else(|| {
            let (kind, index) = (ReferenceKind::ScopeName, index.map_or(-1, i64::from));
            Error::Reference { kind, index, limit: self.bounds.names }.into()
        })
    }

    /// A place behind the last one.
    fn place(&mut self, last: Position, lines: u32) -> Walked<Position> {
        let columns = self.numbers.unsigned()?;
        let column = if lines == 0 { last.column } else { 0 };
        match (add(last.line, lines.into()), add(column, columns.into())) {
            (Some(line), Some(column)) => Ok(Position { line, column }),
            _ => Ok(self.numbers.fault("a line or column is 2^31 or more")?),
        }
    }

    fn scope_start(&mut self, see: &mut impl FnMut(Event<'_>)) -> Walked<()> {
        if self.open_scopes.is_empty() {
            self.next_source()?;
            self.scope_at = Position::default();
        }
        if self.open_scopes.len() >= MOST_OPEN {
            return Err(Error::Limit { what: "the nesting of `scopes`", limit: MOST_OPEN as u64 }.into());
        }
        let flags = self.numbers.unsigned()?;
        let lines = self.numbers.unsigned()?;
        self.scope_at = self.place(self.scope_at, lines)?;
        let (mut name, mut kind) = (None, None);
        if flags & 1 != 0 {
            self.name = self.next_name(self.name)?;
            name = Some(self.name);
        }
        if flags & 2 != 0 {
            self.kind = self.next_name(self.kind)?;
            kind = Some(self.kind);
        }
        self.open_scopes.push(self.scopes.len());
        self.scopes.push(0);
        see(Event::ScopeStart { at: self.scope_at, name, kind, is_stack_frame: flags & 4 != 0 });
        Ok(())
    }

    fn variables(&mut self, see: &mut impl FnMut(Event<'_>)) -> Walked<()> {
        let Some(scope) = self.open_scopes.last().copied() else {
            return Ok(self.numbers.fault("variables stand outside of a scope")?);
        };
        let mut variables = Vec::new();
        while self.numbers.is_number() {
            self.variable = self.next_name(self.variable)?;
            variables.push(self.variable);
        }
        if let Some(count) = self.scopes.get_mut(scope) {
            *count = count.saturating_add(u32::try_from(variables.len()).unwrap_or(u32::MAX));
        }
        see(Event::Variables(&variables));
        Ok(())
    }

    fn scope_end(&mut self, see: &mut impl FnMut(Event<'_>)) -> Walked<()> {
        if self.open_scopes.pop().is_none() {
            return Ok(self.numbers.fault("a scope ends that did not begin")?);
        }
        let lines = self.numbers.unsigned()?;
        self.scope_at = self.place(self.scope_at, lines)?;
        see(Event::ScopeEnd { at: self.scope_at });
        Ok(())
    }

    fn range_start(&mut self, see: &mut impl FnMut(Event<'_>)) -> Walked<()> {
        if self.open_ranges.len() >= MOST_OPEN {
            return Err(Error::Limit { what: "the nesting of `scopes`", limit: MOST_OPEN as u64 }.into());
        }
        let flags = self.numbers.unsigned()?;
        if flags & 0xc == 8 {
            return Ok(self.numbers.fault("a range is hidden that is no function")?);
        }
        let lines = if flags & 1 != 0 { self.numbers.unsigned()? } else { 0 };
        self.range_at = self.place(self.range_at, lines)?;
        let definition = if flags & 2 != 0 { Some(self.definition()?) } else { None };
        self.has_ranges = true;
        self.open_ranges.push(OpenRange { start: self.range_at, definition, bindings: 0 });
        let (is_stack_frame, is_hidden) = (flags & 4 != 0, flags & 8 != 0);
        see(Event::RangeStart { at: self.range_at, definition, is_stack_frame, is_hidden });
        Ok(())
    }

    fn definition(&mut self) -> Walked<u32> {
        let found = add(self.definition, self.numbers.signed()?);
        let Some(index) = found.filter(|index| (*index as usize) < self.scopes.len()) else {
            let (kind, index) = (ReferenceKind::Definition, found.map_or(-1, i64::from));
            return Err(Error::Reference { kind, index, limit: self.scopes.len() }.into());
        };
        self.definition = index;
        Ok(index)
    }

    fn range_end(&mut self, see: &mut impl FnMut(Event<'_>)) -> Walked<()> {
        if self.open_ranges.pop().is_none() {
            return Ok(self.numbers.fault("a range ends that did not begin")?);
        }
        // One number is the column, two are line and column.
        let mut ahead = self.numbers.clone();
        ahead.unsigned()?;
        let lines = if ahead.is_number() { self.numbers.unsigned()? } else { 0 };
        self.range_at = self.place(self.range_at, lines)?;
        see(Event::RangeEnd { at: self.range_at });
        Ok(())
    }

    /// How many variables the scope of the innermost range has.
    fn variables_of_range(&self) -> Walked<usize> {
        let Some(range) = self.open_ranges.last() else {
            return Ok(self.numbers.fault("expressions stand outside of a range")?);
        };
        match range.definition.and_then(|index| self.scopes.get(index as usize)) {
            Some(count) => Ok(*count as usize),
            None => Ok(self.numbers.fault("expressions stand in a range that is of no scope")?),
        }
    }

    /// An expression: an index from 1 on, or 0 for none.
    fn expression(&mut self) -> Walked<Option<u32>> {
        match self.numbers.unsigned()? {
            0 => Ok(None),
            index => self.name_of(Some(index - 1)).map(Some),
        }
    }

    fn bindings(&mut self, see: &mut impl FnMut(Event<'_>)) -> Walked<()> {
        let wanted = self.variables_of_range()?;
        let mut bindings = Vec::new();
        while self.numbers.is_number() {
            bindings.push(self.expression()?);
        }
        if bindings.len() != wanted {
            return Ok(self.numbers.fault("there are not as many expressions as the scope has variables")?);
        }
        if let Some(range) = self.open_ranges.last_mut() {
            range.bindings = u32::try_from(bindings.len()).unwrap_or(u32::MAX);
        }
        see(Event::Bindings(&bindings));
        Ok(())
    }

    fn sub_range(&mut self, see: &mut impl FnMut(Event<'_>)) -> Walked<()> {
        let variable = self.numbers.unsigned()?;
        let Some(range) = self.open_ranges.last().copied() else {
            return Ok(self.numbers.fault("expressions stand outside of a range")?);
        };
        if variable >= range.bindings {
            return Ok(self.numbers.fault("a variable has expressions from places on but none before")?);
        }
        let (mut at, mut from) = (range.start, Vec::new());
        while self.numbers.is_number() {
            let lines = self.numbers.unsigned()?;
            at = self.place(at, lines)?;
            from.push((at, self.expression()?));
        }
        see(Event::SubRange { variable, from: &from });
        Ok(())
    }

    fn call(&mut self, see: &mut impl FnMut(Event<'_>)) -> Walked<()> {
        if self.open_ranges.is_empty() {
            return Ok(self.numbers.fault("the place of a call stands outside of a range")?);
        }
        let source = self.numbers.unsigned()?;
        if source as usize >= self.bounds.sources {
            let (kind, limit) = (ReferenceKind::ScopeSource, self.bounds.sources);
            return Err(Error::Reference { kind, index: source.into(), limit }.into());
        }
        let (line, column) = (self.numbers.unsigned()?, self.numbers.unsigned()?);
        see(Event::Call(CallSite { source, at: Position { line, column } }));
        Ok(())
    }
}
