//! Checkpoints: what makes file to file exactly once.
//!
//! A checkpoint is one small file that says how long each output is, how far each source was read for it, and how far each
//! branch had come. It is replaced in one step, after the outputs have been synced. After a crash the outputs are cut to
//! the lengths in it and reading goes on from its positions: what was written after it is written again, once.
//!
//! ```text
//! sync the sinks -> write PATH.tmp -> sync it -> rename it to PATH -> sync the folder
//! ```
//!
//! It is taken while no lane is inside a batch. Messages may still wait in an open batch of a batching step; then reading
//! goes on before them, and the [marks](Marks) keep the branches that had them already from writing them again.

mod marks;
mod sent;
mod store;

pub use marks::{Mark, Marks, Passed, merge};
pub use sent::Sent;
pub use store::{CheckpointError, Store};

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::commit::Position;

/// State of a run that outlives its process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Version of this form; [`VERSION`].
    pub version: u32,
    /// The outputs that it belongs to, by the logical names of their streams.
    pub sinks: BTreeMap<String, SinkState>,
    /// The partitions of the source, in their order.
    pub sources: Vec<SourceState>,
    /// For each sink and batching step, where branches may differ, how far it came.
    pub marks: BTreeMap<String, Marks>,
    /// The dead letters, where a run may have some. They may come and go with the policies of the steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letters: Option<DeadLetterState>,
}

/// The output that dead letters go to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeadLetterState {
    /// The file, where it is one.
    pub sink: Option<SinkState>,
    /// For each step that may have some the messages that will be read again and are some.
    pub sent: BTreeMap<String, Sent>,
}

/// Version of the checkpoint's form.
pub const VERSION: u32 = 1;

/// An output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SinkState {
    /// Real path of the file.
    pub path: PathBuf,
    /// Bytes of it that are good.
    pub length: u64,
}

/// A partition of the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceState {
    /// What tells the file from another one of its name.
    pub identity: Identity,
    /// Where reading goes on; none if nothing was settled.
    pub position: Option<Position>,
}

/// What tells a file from another one of its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Real path of the file.
    pub path: PathBuf,
    /// Device that it lies on; 0 where the system knows none.
    pub device: u64,
    /// Its number on the device; 0 where the system knows none.
    pub inode: u64,
    /// How many of its first bytes `head` stands for.
    pub head_bytes: u64,
    /// FNV-1a hash of its first bytes.
    pub head: u64,
}

impl Checkpoint {
    /// True if it was made by a run with the same outputs.
    pub fn belongs_to(&self, sinks: &BTreeMap<String, PathBuf>) -> bool {
        self.sinks.len() == sinks.len()
            && self.sinks.iter().all(|(stream, state)| sinks.get(stream).is_some_and(|path| *path == state.path))
    }
}
