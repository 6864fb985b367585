//! Functions of a minified script, and what they are called: where a map says nothing of them itself.
//!
//! No tree is made of the script. It is read once, token by token, with a stack of the brackets and functions that are open,
//! which is all that names need; so what is not JavaScript, or newer than this, costs a name and never a crash, and nesting
//! has a limit, where parsers that call themselves for each bracket end the process.

mod lines;
mod names;
mod scan;
mod stack;
mod tokens;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

pub(crate) use scan::Scope;

use crate::error::{Error, Limits, Result};
use crate::functions::{Builder, Functions, MOST_NAME, NONE, cut};
use crate::map::SourceMap;
use lines::positions;
use names::Part;
use scan::scopes;

impl Functions {
    /// The functions of the script that the map is of. A function is called what the script calls it, with each of its
    /// identifiers as the map has it: `t.prototype.e` may be `Shop.prototype.pay`.
    pub fn of_script(map: &SourceMap, script: &[u8], limits: &Limits) -> Result<Self> {
        if script.len() as u64 > limits.bytes.min(u64::from(u32::MAX)) {
            return Err(Error::Limit { what: "the size of the script in bytes", limit: limits.bytes });
        }
        let script = script.strip_prefix(b"\xef\xbb\xbf").unwrap_or(script);
        let scopes = scopes(script)?;
        let names = resolved(map, script, &scopes)?;
        let mut builder = Builder::default();
        let numbers: Vec<u32> = names.iter().map(|name| builder.own(name)).collect();
        flatten(script, &scopes, &numbers, &mut builder);
        builder.finish(map)
    }
}

/// The name of each scope, as the map has it.
fn resolved(map: &SourceMap, script: &[u8], scopes: &[Scope]) -> Result<Vec<String>> {
    let tokens: Vec<u32> = scopes.iter().flat_map(|scope| scope.name.iter().filter_map(Part::token)).collect();
    let places = positions(script, &tokens);
    let mut found = vec![None; tokens.len()];
    map.lookup_many(places.iter().copied().map(Some), |place, segment| {
        if let Some(answer) = found.get_mut(place) {
            *answer = segment;
        }
    })?;
    let mut next = places.iter().zip(found);
    let mut known = Known { map, names: HashMap::new() };
    let mut names = Vec::with_capacity(scopes.len());
    // A short function may have a long name, but not all of them.
    let mut room = script.len().saturating_add(MOST_NAME);
    for scope in scopes {
        let mut name = String::new();
        for part in &scope.name {
            let index = match part.token().and_then(|_| next.next()) {
                Some((at, segment)) => names::of_map(map, *at, segment)?,
                None => None,
            };
            known.push(&mut name, *part, script, index)?;
        }
        room = room.saturating_sub(name.len());
        names.push(if room > 0 { name } else { String::new() });
    }
    Ok(names)
}

/// Names of the map that were read before, cut to what is shown: one may be long, and the name of many functions.
struct Known<'a> {
    map: &'a SourceMap,
    names: HashMap<u32, String>,
}

impl Known<'_> {
    fn push(&mut self, name: &mut String, part: Part, script: &[u8], index: Option<u32>) -> Result<()> {
        let written = part.text(script);
        let text = match index {
            Some(index) => self.get(index)?,
            None => &written,
        };
        // Maps have private names with their mark and without.
        if written.starts_with('#') && !text.starts_with('#') {
            name.push('#');
        }
        let room = MOST_NAME.saturating_sub(name.len());
        name.push_str(cut(text, room));
        Ok(())
    }

    fn get(&mut self, index: u32) -> Result<&str> {
        match self.names.entry(index) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => {
                let name = self.map.name(index as usize)?.unwrap_or_default();
                Ok(place.insert(cut(&name, MOST_NAME).to_owned()))
            }
        }
    }
}

/// Steps out of scopes that stand in each other.
fn flatten(script: &[u8], scopes: &[Scope], names: &[u32], builder: &mut Builder) {
    let mut order: Vec<usize> = (0..scopes.len()).collect();
    let range = |index: usize| scopes.get(index).map_or((0, 0), |scope| (scope.start, scope.end));
    order.sort_by_key(|index| (range(*index).0, std::cmp::Reverse(range(*index).1)));
    let mut steps: Vec<(u32, u32)> = Vec::with_capacity(2 * scopes.len());
    let mut open: Vec<(u32, u32)> = Vec::new();
    let around = |open: &[(u32, u32)]| open.last().map_or(NONE, |(_, name)| *name);
    for index in order {
        let (start, end) = range(index);
        while let Some((until, _)) = open.pop_if(|(until, _)| *until <= start) {
            steps.push((until, around(&open)));
        }
        let name = names.get(index).copied().unwrap_or(NONE);
        steps.push((start, name));
        open.push((end, name));
    }
    while let Some((until, _)) = open.pop() {
        steps.push((until, around(&open)));
    }
    let offsets: Vec<u32> = steps.iter().map(|(at, _)| *at).collect();
    for ((line, column), (_, name)) in positions(script, &offsets).into_iter().zip(steps) {
        builder.step((0, line, column), name);
    }
}
