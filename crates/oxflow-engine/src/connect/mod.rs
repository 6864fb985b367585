//! Connectors: where messages come from and where they go.
//!
//! A connector reads and writes batches and says when something is written for good. It knows no commit rule and no step.

mod error;
mod file;
#[cfg(feature = "kafka")]
mod kafka;
#[cfg(not(feature = "kafka"))]
#[path = "kafka/absent.rs"]
mod kafka;
mod lines;
mod memory;
mod piped;
mod stdio;
mod url;

pub use error::ConnectError;
pub use file::{Bomb, Changed, Claim, FileKey, NotWhole};
pub use memory::{Item, Received};
pub use url::{MalformedUrl, StreamUrl};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::batch::{Batch, ByteColumn, Meta, Metadata};
use crate::checkpoint::{Identity, SinkState, SourceState};
use crate::commit::Position;

/// What a logical stream is bound to.
#[derive(Clone, Debug)]
pub enum Binding {
    /// A place outside the process.
    Url(StreamUrl),
    /// Messages in memory, a list for each partition.
    Memory(Vec<Vec<Item>>),
}

/// How much a source gives at once, and what it refuses.
#[derive(Clone, Copy, Debug)]
pub struct PollLimits {
    /// Most messages.
    pub messages: usize,
    /// Most bytes that are read ahead. One message may be larger.
    pub bytes: usize,
    /// How long to wait for the first message, and for more of them where they trickle in.
    pub wait: Duration,
    /// Most bytes of a message. Of a longer one no more than the beginning is given.
    pub message_bytes: usize,
    /// How many times as long a file may become when it is decompressed.
    pub decompression_ratio: u64,
}

/// Messages as a source read them.
#[derive(Debug)]
pub struct Read {
    /// Their metadata, still without sequence numbers; times that the source doesn't know are [`UNTIMED`].
    pub meta: Meta,
    /// Their payloads.
    pub payloads: ByteColumn,
    /// For each message where reading goes on after it.
    pub next: Vec<Position>,
    /// The messages that are too long, in order; their payloads are the beginning only.
    pub too_long: Vec<TooLong>,
}

/// A message that is longer than [`PollLimits::message_bytes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong {
    /// Index of the message among those that were read.
    pub row: u32,
    /// How long it is.
    pub bytes: u64,
}

/// The time of a message whose source knows none; the lane puts the time of reading there.
pub const UNTIMED: i64 = i64::MIN;

impl Binding {
    /// The file that a sink with this binding writes, by its real path, so that two names of it are seen to be one.
    pub fn written_file(&self) -> Option<PathBuf> {
        match self {
            Self::Url(StreamUrl::File { path, .. }) => {
                let path = Path::new(path);
                (path.is_file() || !path.exists()).then(|| file::real_path(path))
            }
            _ => None,
        }
    }
}

/// What a source answers.
#[derive(Debug)]
pub enum Polled {
    /// Messages.
    Read(Box<Read>),
    /// Nothing yet.
    Idle,
    /// Nothing, and the controlled clock is to move.
    Advance(Duration),
    /// Nothing, and nothing will come.
    End,
}

/// Reads the partitions of one lane.
pub trait Source: Send {
    /// Goes on where an earlier run ended; asked before the first poll. Only a source with an identity is asked.
    fn resume(&mut self, _position: Position) {}

    /// Partitions that came or went since this was asked last; asked before each poll.
    fn changes(&mut self) -> Changes {
        Changes::default()
    }

    /// The lane has given up partitions that went: no message of them is on its way through it any more.
    fn released(&mut self, _partitions: &[u32]) {}

    /// The next messages. Blocks for [`PollLimits::wait`] at most where data may come later.
    fn poll(&mut self, limits: &PollLimits) -> Result<Polled, ConnectError>;
}

/// Partitions that came to a lane, or went to somebody else. What went and came again stands in both.
#[derive(Debug, Default)]
pub struct Changes {
    /// To be given up, before those in `assigned` are begun.
    pub revoked: Vec<u32>,
    /// Begun where the group has committed.
    pub assigned: Vec<u32>,
}

/// A source that several processes share, and that keeps by itself how far it was read.
pub trait Group: Send + Sync {
    /// One source for each lane.
    fn split(&self, lanes: usize) -> Vec<Box<dyn Source>>;

    /// Up to these positions everything that came of the messages is where it belongs; committed soon, where the partition is
    /// still ours.
    fn commit(&self, settled: &BTreeMap<u32, Position>);

    /// True while partitions are going and wait for a last [`Group::commit`].
    fn is_waiting(&self) -> bool;

    /// Commits for the last time, and leaves. The lanes have ended.
    fn close(&self);
}

/// How far a file was read, for whoever looks on.
#[derive(Debug)]
pub struct Reached {
    position_bytes: AtomicU64,
    /// Length of the file when it was opened.
    pub size_bytes: u64,
}

impl Reached {
    fn new(size_bytes: u64) -> Self {
        Self { position_bytes: AtomicU64::new(0), size_bytes }
    }

    /// Bytes of the file that were read.
    pub fn position_bytes(&self) -> u64 {
        self.position_bytes.load(Ordering::Relaxed)
    }

    fn come_to(&self, position_bytes: u64) {
        self.position_bytes.store(position_bytes, Ordering::Relaxed);
    }
}

/// A source that is open but not yet shared out to lanes.
#[derive(Default)]
pub struct Opened {
    /// A name for each partition: the path of a file.
    pub partitions: Vec<String>,
    /// For each partition what tells it from another one of its name; none where reading can't go on later.
    pub identities: Option<Vec<Identity>>,
    /// For each partition how far it is read, where it has an end that is known; may be shorter.
    pub reached: Vec<Option<Arc<Reached>>>,
    /// Who shares out the partitions, where it isn't this process alone.
    pub group: Option<Arc<dyn Group>>,
    readers: Vec<Box<dyn Source>>,
}

impl Opened {
    /// The files that are read.
    pub fn files(&self) -> impl Iterator<Item = FileKey> {
        self.partitions.iter().map(Path::new).filter(|path| path.is_file()).map(FileKey::of)
    }

    /// Lets each partition go on where an earlier run ended.
    pub fn resume(&mut self, states: &[SourceState]) {
        for (reader, state) in self.readers.iter_mut().zip(states) {
            if let Some(position) = state.position {
                reader.resume(position);
            }
        }
    }

    /// One source for each lane; partition `i` goes to lane `i % lanes`.
    pub fn split(self, lanes: usize) -> Vec<Box<dyn Source>> {
        if let Some(group) = &self.group {
            return group.split(lanes);
        }
        let mut shares: Vec<Vec<Box<dyn Source>>> = (0..lanes.max(1)).map(|_| Vec::new()).collect();
        let count = shares.len();
        for (index, reader) in self.readers.into_iter().enumerate() {
            if let Some(share) = shares.get_mut(index % count) {
                share.push(reader);
            }
        }
        shares.into_iter().map(|readers| Box::new(InTurn { readers }) as Box<dyn Source>).collect()
    }
}

/// Partitions of a lane, one after the other.
struct InTurn {
    readers: Vec<Box<dyn Source>>,
}

impl Source for InTurn {
    fn poll(&mut self, limits: &PollLimits) -> Result<Polled, ConnectError> {
        while let Some(reader) = self.readers.first_mut() {
            match reader.poll(limits)? {
                Polled::End => drop(self.readers.remove(0)),
                other => return Ok(other),
            }
        }
        Ok(Polled::End)
    }
}

/// When a batch that was written is where it belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is.
    Done,
    /// When [`Writer::acknowledged`] gives this number.
    Later(u64),
}

/// Writes the messages of one lane.
pub trait Writer: Send {
    /// Why a message can't be written to this stream, if it can't.
    fn refuses(&self, _message: Metadata<'_>, _payload: &[u8]) -> Option<&'static str> {
        None
    }

    /// Writes all messages of a batch of bytes, or none.
    fn write(&mut self, batch: &Batch) -> Result<Written, ConnectError>;

    /// The batches that came to where they belong since this was asked last.
    fn acknowledged(&mut self) -> Result<Vec<u64>, ConnectError> {
        Ok(Vec::new())
    }

    /// True if so much is on its way that nothing should be read meanwhile.
    fn is_crowded(&self) -> bool {
        false
    }

    /// Waits for an acknowledgement that wasn't asked for yet, this long at most.
    fn wait(&self, _timeout: Duration) {}
}

/// The end of a stream that is written, shared by the lanes.
pub trait Sink: Send + Sync {
    /// A writer for one lane.
    fn writer(&self) -> Box<dyn Writer>;
    /// Everything that was written is where it belongs.
    fn finish(&self) -> Result<(), ConnectError>;
    /// Makes what was written last, and says how much it is; none for a sink whose content a crash can't cut.
    fn sync(&self) -> Result<Option<SinkState>, ConnectError> {
        Ok(None)
    }
    /// Puts where a crash can't reach it what its writers call [`Written::Done`]; before a [`Group`] commits.
    fn secure(&self) -> Result<(), ConnectError> {
        self.sync().map(drop)
    }
    /// The run has ended: others may write there.
    fn release(&self) {}
    /// What was written, for a sink in memory.
    fn received(&self) -> Option<Vec<Received>> {
        None
    }
}

/// Opens a stream for reading.
pub fn open_source(stream: &str, binding: &Binding) -> Result<Opened, ConnectError> {
    let stream: Arc<str> = Arc::from(stream);
    match binding {
        Binding::Memory(partitions) => Ok(memory::open(&stream, partitions)),
        Binding::Url(StreamUrl::File { path, .. }) => file::open(&stream, path),
        Binding::Url(StreamUrl::Kafka(settings)) => kafka::open(&stream, settings),
        Binding::Url(StreamUrl::Stdin) => stdio::open(&stream),
        Binding::Url(StreamUrl::Stdout) => Err(ConnectError::not_a_source(&stream, "stdout:")),
        Binding::Url(StreamUrl::Memory) => Err(ConnectError::not_a_source(&stream, "memory:")),
        Binding::Url(StreamUrl::Null) => Err(ConnectError::not_a_source(&stream, "null:")),
    }
}

/// Keeps other runs from the file that a sink with this binding will write, before anything in it is touched; none if it
/// writes no file.
pub fn claim(stream: &str, binding: &Binding) -> Result<Option<Claim>, ConnectError> {
    match binding {
        Binding::Url(StreamUrl::File { path, append }) if binding.written_file().is_some() => {
            Claim::of(stream, Path::new(path), *append).map(Some)
        }
        _ => Ok(None),
    }
}

/// Opens a stream for writing, at the state that an earlier run left if there is one. A file was claimed before.
pub fn open_sink(
    stream: &str,
    binding: &Binding,
    claim: Option<Claim>,
    state: Option<&SinkState>,
) -> Result<Box<dyn Sink>, ConnectError> {
    Ok(match binding {
        Binding::Url(StreamUrl::File { path, append }) => {
            let start = match state {
                Some(state) => file::Start::At(state.length),
                None if *append => file::Start::End,
                None => file::Start::Empty,
            };
            Box::new(file::FileSink::open(stream, path, claim, start)?)
        }
        Binding::Url(StreamUrl::Kafka(settings)) => kafka::sink(stream, settings)?,
        Binding::Url(StreamUrl::Stdout) => Box::new(stdio::StdoutSink::open(stream)?),
        Binding::Url(StreamUrl::Memory) => Box::new(memory::MemorySink::default()),
        Binding::Url(StreamUrl::Null) => Box::new(NullSink),
        Binding::Url(StreamUrl::Stdin) => return Err(ConnectError::not_a_sink(stream, "stdin:")),
        Binding::Memory(_) => return Err(ConnectError::not_a_sink(stream, "a list of messages")),
    })
}

/// Takes everything and keeps nothing.
struct NullSink;

impl Sink for NullSink {
    fn writer(&self) -> Box<dyn Writer> {
        Box::new(Self)
    }

    fn finish(&self) -> Result<(), ConnectError> {
        Ok(())
    }
}

impl Writer for NullSink {
    fn write(&mut self, _batch: &Batch) -> Result<Written, ConnectError> {
        Ok(Written::Done)
    }
}
