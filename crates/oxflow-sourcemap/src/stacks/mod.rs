//! Stack traces of minified code, as they were written: those of browsers, and JSON with such or with Sentry's frames in it.
//!
//! JSON is never taken apart and put together again: what is said of places is written over in its text, and all the rest
//! stays as it is, byte for byte.

mod json;
mod scan;
mod text;

use std::ops::Deref;

pub use json::symbolicate_json;
pub use text::symbolicate_text;

use crate::error::{Error, Result};
use crate::map::SourceMap;
use crate::mappings::{Bias, Segment};

/// A script that a stack trace names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Script<'a> {
    /// Its URL.
    pub url: &'a str,
    /// The debug id that the event says it has.
    pub debug_id: Option<&'a str>,
}

/// Where maps are found.
pub trait Maps {
    /// A map.
    type Map: Deref<Target = SourceMap>;
    /// Why one can't be had, though it is there.
    type Error: From<Error>;

    /// The map of a script, if there is one.
    fn find(&mut self, script: Script<'_>) -> std::result::Result<Option<Self::Map>, Self::Error>;
}

/// Where a frame comes from.
struct Place<M> {
    map: M,
    segment: Segment,
    source: String,
    /// From 1.
    line: u64,
    /// From 1.
    column: u64,
}

impl<M: Deref<Target = SourceMap>> Place<M> {
    /// What the source calls what is here: the function that is called, seen from its caller.
    fn name(&self) -> Result<Option<String>> {
        let Some(name) = self.segment.name else { return Ok(None) };
        Ok(self.map.name(name as usize)?.map(std::borrow::Cow::into_owned))
    }
}

/// The place in a source of a line and column of a script, both from 1.
fn place<S: Maps>(
    maps: &mut S,
    script: Script<'_>,
    line: i64,
    column: i64,
) -> std::result::Result<Option<Place<S::Map>>, S::Error> {
    let Some(map) = maps.find(script)? else { return Ok(None) };
    let Some(segment) = map.lookup(line.saturating_sub(1), column.saturating_sub(1), Bias::Before)? else {
        return Ok(None);
    };
    let Some(original) = segment.original else { return Ok(None) };
    let Some(source) = map.source(original.source as usize)?.map(std::borrow::Cow::into_owned) else { return Ok(None) };
    let (line, column) = (u64::from(original.line) + 1, u64::from(original.column) + 1);
    Ok(Some(Place { map, segment, source, line, column }))
}
