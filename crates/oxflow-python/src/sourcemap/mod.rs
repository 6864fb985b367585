//! Source maps, as Python sees them.

mod builder;
mod cache;
mod errors;
mod fetch;
mod functions;
mod input;
mod made;
mod many;
mod map;
mod ram;
mod reference;
mod stacks;
mod step;
mod symbols;
mod token;

pub(crate) use builder::MapBuilder;
pub(crate) use cache::Cache;
pub(crate) use fetch::fetch_document;
pub(crate) use functions::{GeneratedRange, OriginalScope, Scopes};
pub(crate) use many::Tokens;
pub(crate) use map::SourceMap;
pub(crate) use ram::RamBundle;
pub(crate) use reference::map_reference;
pub(crate) use stacks::{symbolicated_json, symbolicated_text};
pub(crate) use symbols::SymbolCache;
pub(crate) use token::Token;
