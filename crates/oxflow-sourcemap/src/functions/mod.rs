//! Names of functions at places: of `scopes`, of Hermes, or of the minified script.
//!
//! All of them become one table of steps: from each place on, which function it is, until the next one. A step stands in the
//! generated code, or in a source, for those who name functions by where they are written: there the segment of a place says
//! where to look. The table is the same in memory and in an index file.

mod build;
mod table;

pub(crate) use build::{Builder, MOST_NAME, NONE, cut};
pub use table::Functions;

use crate::error::Result;
use crate::hermes;
use crate::map::SourceMap;
use crate::mappings::Bias;

impl SourceMap {
    /// The name of the function that a place of the generated code is in; `None` outside of functions, in those without a
    /// name, and where neither `scopes` nor `x_facebook_sources` is in the map.
    pub fn function_at(&self, line: i64, column: i64) -> Result<Option<String>> {
        match self.functions()? {
            Some(functions) => functions.at(self, line, column),
            None => Ok(None),
        }
    }

    /// Whether the map knows by itself what functions are called.
    pub fn has_functions(&self) -> bool {
        self.functions.opened.is_some()
            || self.parts.iter().any(|part| part.scopes.is_some() || part.facebook_sources.is_some())
    }

    pub(crate) fn functions(&self) -> Result<Option<&Functions>> {
        if let Some(functions) = &self.functions.opened {
            return Ok(Some(functions));
        }
        if !self.has_functions() {
            return Ok(None);
        }
        if let Some(functions) = self.functions.made.get() {
            return Ok(Some(functions));
        }
        let made = self.make_functions()?;
        Ok(Some(self.functions.made.get_or_init(|| made)))
    }

    fn make_functions(&self) -> Result<Functions> {
        let mut builder = Builder::default();
        for part in &self.parts {
            part.add_ranges(&mut builder)?;
        }
        let mut by_source: Vec<_> = self.parts.iter().collect();
        by_source.sort_by_key(|part| part.first_source);
        for part in by_source {
            if part.scopes.is_some() {
                part.add_originals(&mut builder)?;
            } else {
                hermes::add(part, &mut builder)?;
            }
        }
        builder.finish(self)
    }
}

impl Functions {
    /// The name of the function that a place of the map's generated code is in.
    pub fn at(&self, map: &SourceMap, line: i64, column: i64) -> Result<Option<String>> {
        let (Ok(at_line), Ok(at_column)) = (u32::try_from(line), u32::try_from(column)) else { return Ok(None) };
        if let Some(name) = self.name_at((0, at_line, at_column))? {
            return Ok(Some(name));
        }
        if !self.has_originals()? {
            return Ok(None);
        }
        let segment = map.lookup(line, column, Bias::Before)?;
        let Some(original) = segment.and_then(|segment| segment.original) else { return Ok(None) };
        self.name_at((original.source.saturating_add(1), original.line, original.column))
    }
}
