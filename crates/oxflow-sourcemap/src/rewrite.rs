//! The same map with other names for its sources, or without what nobody needs.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::error::Result;
use crate::map::{Known, SourceMap};
use crate::mappings::Segment;
use crate::metro::Metro;
use crate::picked::{Picked, Text};
use crate::sources::Strings;
use crate::whole::Writing;

/// What is changed.
#[derive(Clone, Debug, Default)]
pub struct Rewrite {
    /// Other names for sources, by the name that they have.
    pub sources: HashMap<String, String>,
    /// The first of these that any other source begins with is taken off, with the `/` behind it. `~` stands for the folder that
    /// all sources have in common.
    pub strip_prefixes: Vec<String>,
    /// Texts of sources, by the name that they then have.
    pub contents: HashMap<String, String>,
    /// Leaves out all texts that the map has.
    pub without_contents: bool,
    /// Leaves out all names.
    pub without_names: bool,
}

impl SourceMap {
    /// The map with these changes, and without sections.
    pub fn rewrite(&self, changes: &Rewrite) -> Result<Self> {
        let mut strings = Picked::all_of(&self.strings)?;
        let names = (0..self.source_count()).map(|index| Ok(self.source(index)?.map(Cow::into_owned)));
        let names = names.collect::<Result<Vec<_>>>()?;
        let common = common_folder(names.iter().flatten());
        for (source, name) in strings.sources.iter_mut().zip(names) {
            if changes.without_contents {
                source.content = None;
            }
            source.name = None;
            if let Some(name) = name {
                let name = changes.name_for(&name, &common);
                if let Some(content) = changes.contents.get(name) {
                    source.content = Some(Text::New(content.as_str().into()));
                }
                source.name = Some(Text::New(name.into()));
            }
        }
        if !changes.without_names {
            return Ok(Self { strings: Strings::Picked(strings), ..self.flatten()? });
        }
        strings.names = Vec::new();
        let strings = Strings::Picked(strings);
        let mut writing = Writing::default();
        self.walk(|segment, is_range| writing.push(Segment { name: None, ..segment }, is_range))?;
        let parts = vec![writing.finish(self.line_count(), &strings)?];
        // What is known of functions is of other places, or has names.
        let (metro, functions) = (Metro::Nothing, Known::default());
        Ok(Self { parts, strings, metro, functions, ..self.clone() })
    }
}

impl Rewrite {
    fn name_for<'a>(&'a self, name: &'a str, common: &str) -> &'a str {
        if let Some(other) = self.sources.get(name) {
            return other;
        }
        let prefixes = self.strip_prefixes.iter().map(|prefix| if prefix == "~" { common } else { prefix });
        prefixes.filter(|prefix| !prefix.is_empty()).find_map(|prefix| without(name, prefix)).unwrap_or(name)
    }
}

/// A name without its first folders, if these are `prefix`.
fn without<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    let rest = name.strip_prefix(prefix)?;
    if prefix.ends_with('/') { Some(rest) } else { rest.strip_prefix('/') }
}

fn common_folder<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let folder = |name: &'a str| name.rfind('/').and_then(|end| name.get(..=end)).unwrap_or_default();
    let shared = |one: &'a str, next: &'a str| {
        let ends = one.match_indices('/').map(|(at, _)| at + 1).filter_map(|end| one.get(..end));
        ends.take_while(|start| next.starts_with(start)).last().unwrap_or_default()
    };
    let common = names.map(|name| folder(name)).reduce(shared);
    common.unwrap_or_default().to_owned()
}
