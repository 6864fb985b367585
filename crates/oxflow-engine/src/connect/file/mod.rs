//! JSON Lines in files: each file is a partition, each line a message.

mod compression;
mod sink;
mod source;

pub(super) use sink::{FileSink, LineWriter};
pub(super) use source::open;
