//! JavaScript source maps (ECMA-426): decode, look up, and an index that opens by mmap.
//!
//! A map of tens of megabytes is read in one pass over its text, which stays where it is: strings are spans in it, and of
//! the mappings only every 24th segment or so is remembered ([`SourceMap`]). So reading costs little more than looking at
//! each byte, and next to no memory. A lookup bisects the remembered places and decodes from there.

mod adjust;
mod buffer;
mod builder;
mod compose;
mod context;
mod decode;
mod error;
mod fields;
mod folder;
mod functions;
mod hermes;
pub mod index;
mod json;
mod lookup;
mod map;
mod mappings;
mod metro;
mod packed;
mod picked;
mod ram;
mod ranges;
mod reference;
mod reverse;
mod rewrite;
mod scopes;
mod script;
mod sections;
mod simd;
mod sources;
mod stacks;
mod symbols;
mod vlq;
mod whole;
mod write;

pub use buffer::{Buffer, Slice};
pub use builder::Builder;
pub use context::Context;
pub use decode::Options;
pub use error::{Error, Field, Limits, Reason, ReferenceKind, Result};
pub use folder::MapFolder;
pub use functions::Functions;
pub use map::SourceMap;
pub use mappings::{Bias, Original, Segment};
pub use metro::FunctionOffsets;
pub use packed::{Packing, unpacked};
pub use ram::{Module, RamBundle};
pub use reference::{Reference, find_reference, from_data_url};
pub use reverse::Reverse;
pub use rewrite::Rewrite;
pub use scopes::{Binding, CallSite, GeneratedRange, OriginalScope, Position, Scopes};
pub use simd::level as simd_level;
pub use stacks::{Maps, Script, symbolicate_json, symbolicate_text};
pub use symbols::SymbolCache;
