//! Connectors: where messages come from and where they go.
//!
//! A connector reads and writes batches and says when something is written for good. It knows no commit rule and no step.

mod archive;
mod error;
mod file;
#[cfg(feature = "kafka")]
mod kafka;
#[cfg(not(feature = "kafka"))]
#[path = "kafka/absent.rs"]
mod kafka;
mod lines;
mod memory;
mod partitions;
mod piped;
mod stdio;
mod url;

pub use archive::{Archive, Entry, Outlet, shown};
pub use error::ConnectError;
pub use file::{Bomb, Changed, Claim, FileKey, NotWhole};
pub use memory::{Item, Received};
pub use partitions::{Partition, Partitions};
pub use url::{MalformedUrl, StreamUrl};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::batch::{Batch, ByteColumn, Meta, Metadata};
use crate::checkpoint::{Identity, SinkState, SourceState};
use crate::commit::Position;
use crate::config::KafkaStream;

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

    /// The lane has given up everything, since what was written is undone: it comes again as a change. Gives the partitions
    /// that came since.
    fn reset(&mut self) -> Vec<Owned> {
        Vec::new()
    }

    /// True if the next poll may wait for what isn't there yet, false if all that it gives lies there.
    fn waits(&self) -> bool {
        true
    }

    /// The next messages. Blocks for [`PollLimits::wait`] at most where data may come later.
    fn poll(&mut self, limits: &PollLimits) -> Result<Polled, ConnectError>;
}

/// Partitions that came to a lane, or went to somebody else. What went and came again stands in both.
#[derive(Debug, Default)]
pub struct Changes {
    /// To be given up, before those in `assigned` are begun.
    pub revoked: Vec<u32>,
    /// Begun where the group has committed.
    pub assigned: Vec<Owned>,
}

/// A partition that a lane has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owned {
    /// Its number.
    pub partition: u32,
    /// Tells this time from the others that the partition came.
    pub epoch: u64,
}

/// Up to where a partition is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The time of [`Owned::epoch`] that this is about.
    pub epoch: u64,
    /// Where reading would go on.
    pub position: Position,
}

/// A source that several processes share, and that keeps by itself how far it was read.
pub trait Group: Send + Sync {
    /// One source for each lane.
    fn split(&self, lanes: usize) -> Vec<Box<dyn Source>>;

    /// Up to these positions everything that came of the messages is where it belongs; committed soon, where the partition is
    /// still ours.
    fn commit(&self, settled: &BTreeMap<u32, Settled>);

    /// How its brokers stand, where that is known.
    fn standing(&self) -> Option<Standing> {
        None
    }

    /// True while partitions are going and wait for a last [`Group::commit`], or for one of [`Transactions`].
    fn is_waiting(&self) -> bool;

    /// A commit of what lanes show from now on begins: it answers who waits already.
    fn begin_commit(&self);

    /// Positions are committed together with the outputs from now on, and no longer by [`Group::commit`].
    fn transactions(&self, settings: &TransactionSettings) -> Result<Arc<dyn Transactions>, ConnectError>;

    /// Commits for the last time, and leaves. The lanes have ended.
    fn close(&self);
}

/// Makes outputs and the positions of a group good together, or neither.
pub trait Transactions: Send + Sync {
    /// A sink whose outputs are good when [`Transactions::commit`] says so.
    fn sink(self: Arc<Self>, stream: &str, settings: &KafkaStream) -> Result<Box<dyn Sink>, ConnectError>;

    /// Makes everything good that was written since the last time, with these positions. Nobody writes meanwhile. False if
    /// that can't be: then it is to be undone.
    fn commit(&self, settled: &BTreeMap<u32, Settled>) -> Result<bool, ConnectError>;

    /// Undoes what was written since the last commit. Nobody writes meanwhile. `forgotten` is called when that is done, and
    /// before anything is read again from where was committed.
    fn undo(&self, forgotten: &mut dyn FnMut()) -> Result<(), ConnectError>;
}

/// How transactions are made.
#[derive(Clone, Debug)]
pub struct TransactionSettings {
    /// The stream whose properties the writer of all outputs has; they all have the same.
    pub stream: String,
    /// Its settings.
    pub settings: KafkaStream,
    /// All topics that are written.
    pub topics: Vec<KafkaStream>,
    /// After so long the broker undoes what was not committed.
    pub timeout: Duration,
    /// Set when the run is to end: then nothing is waited for without an end.
    pub drain: Arc<AtomicBool>,
}

/// What the brokers of a group said last.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Logical name of their stream.
    pub stream: Arc<str>,
    /// How long a question to them stands that none has answered.
    pub silent: Duration,
    /// The partitions that this process has.
    pub partitions: BTreeMap<u32, Extent>,
}

/// A partition as its broker sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Where the group goes on: what it has committed, or where it begins.
    pub committed: Option<u64>,
    /// The offset that the next message gets.
    pub end: Option<u64>,
}

impl Extent {
    /// What is still to be done.
    pub fn lag(&self) -> Option<u64> {
        Some(self.end?.saturating_sub(self.committed?))
    }
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
    /// For each partition what tells it from another one of its name; none where reading can't go on later.
    pub identities: Option<Vec<Identity>>,
    /// For each partition how far it is read, where it has an end that is known; may be shorter.
    pub reached: Vec<Option<Arc<Reached>>>,
    /// More partitions may come than are known.
    pub grows: bool,
    /// Who shares out the partitions, where it isn't this process alone.
    pub group: Option<Arc<dyn Group>>,
    readers: Vec<Box<dyn Source>>,
}

impl Opened {
    /// The same, and what another stream has. What can't be read again keeps the others from it.
    fn add(&mut self, other: Self) {
        self.identities = self.identities.take().zip(other.identities).map(|(mine, theirs)| [mine, theirs].concat());
        // Those that have no end are left out at the end.
        self.reached.resize(self.readers.len(), None);
        self.reached.extend(other.reached);
        self.readers.extend(other.readers);
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
    fn waits(&self) -> bool {
        self.readers.first().is_none_or(|reader| reader.waits())
    }

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

/// Opens streams for reading, by their logical names. Their partitions are `known` then.
///
/// `instance`: a name that this process has again when it is started anew.
pub fn open_source(
    streams: &[(Arc<str>, Binding)],
    known: &Arc<Partitions>,
    instance: Option<&str>,
) -> Result<Opened, ConnectError> {
    let topic = |(stream, binding): &(Arc<str>, Binding)| match binding {
        Binding::Url(StreamUrl::Kafka(settings)) => Some((Arc::clone(stream), (**settings).clone())),
        _ => None,
    };
    let topics: Vec<(Arc<str>, KafkaStream)> = streams.iter().filter_map(topic).collect();
    if topics.is_empty() {
        let mut opened = Opened { identities: Some(Vec::new()), ..Opened::default() };
        for (stream, binding) in streams {
            opened.add(open_one(stream, binding, known)?);
        }
        return Ok(opened);
    }
    match streams.iter().find(|stream| topic(stream).is_none()) {
        Some((stream, _)) => Err(ConnectError::not_a_source(stream, "what no group reads, beside a topic,")),
        None => kafka::open(&topics, known, instance),
    }
}

fn open_one(stream: &Arc<str>, binding: &Binding, known: &Partitions) -> Result<Opened, ConnectError> {
    match binding {
        Binding::Memory(partitions) => Ok(memory::open(stream, partitions, known)),
        Binding::Url(StreamUrl::File { path, .. }) => file::open(stream, path, known),
        Binding::Url(StreamUrl::Stdin) => stdio::open(stream, known),
        Binding::Url(StreamUrl::Stdout) => Err(ConnectError::not_a_source(stream, "stdout:")),
        Binding::Url(StreamUrl::Memory) => Err(ConnectError::not_a_source(stream, "memory:")),
        Binding::Url(StreamUrl::Null) => Err(ConnectError::not_a_source(stream, "null:")),
        Binding::Url(StreamUrl::Kafka(_)) => unreachable!("topics are opened together"),
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
    transactions: Option<&Arc<dyn Transactions>>,
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
        Binding::Url(StreamUrl::Kafka(settings)) => match transactions {
            Some(transactions) => Arc::clone(transactions).sink(stream, settings)?,
            None => kafka::sink(stream, settings)?,
        },
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
