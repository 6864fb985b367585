//! `scopes`, a proposal of ECMA-426: the scopes of the sources, and the ranges of the generated code that they became.
//!
//! The text is checked when the map is read, and taken apart when somebody asks: in a walk that keeps only the scopes which
//! are open, since everything else may be many times as large as the text.

mod decode;
mod encode;
mod tree;

pub(crate) use decode::{Event, walk};
pub(crate) use encode::encode;
pub use tree::{Binding, CallSite, GeneratedRange, OriginalScope, Position, Scopes};
