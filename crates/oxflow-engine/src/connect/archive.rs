//! Streams outside of any run: what lies in one is read to its present end, and messages are sent to one.
//!
//! Nothing is moved by that: a topic is read without a group, so that no offset of anybody changes. Whoever sends waits until the
//! messages are where they belong.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Binding, Opened, claim};
use super::{
    ConnectError, Item, Partitions, PollLimits, Polled, Read, Sink, Source, StreamUrl, UNTIMED, Writer, Written, file,
    kafka, open_sink, stdio,
};
use crate::batch::{AttributesBuilder, Batch, ByteColumn, Meta, Payloads, row_number};

/// Most of a stream that is read at once. A dead letter may be several times as long as the message in it.
const LIMITS: PollLimits = PollLimits {
    messages: 1024,
    bytes: 4 << 20,
    wait: Duration::from_millis(100),
    message_bytes: 256 << 20,
    decompression_ratio: 1_000_000,
};
/// How long a broker may take for what was sent.
const PATIENCE: Duration = Duration::from_secs(30);

/// A stream that is read from its beginning to where it ends now.
pub struct Archive {
    partitions: Vec<String>,
    source: Box<dyn Source>,
}

/// A message of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Number of its partition.
    pub partition: u32,
    /// Offset in it; in a file the number of the line, from 0.
    pub offset: i64,
    /// Its payload; of one that is far too long, the beginning.
    pub payload: Vec<u8>,
}

impl Archive {
    /// Opens a stream.
    pub fn open(stream: &str, place: &StreamUrl) -> Result<Self, ConnectError> {
        let name: Arc<str> = Arc::from(stream);
        let known = Partitions::default();
        let opened = match place {
            StreamUrl::File { path, .. } => file::open(&name, path, &known)?,
            StreamUrl::Kafka(settings) => kafka::archive(&name, settings, &known)?,
            StreamUrl::Stdin => stdio::open(&name, &known)?,
            StreamUrl::Stdout => return Err(ConnectError::not_a_source(stream, "stdout:")),
            StreamUrl::Memory => return Err(ConnectError::not_a_source(stream, "memory:")),
            StreamUrl::Null => return Err(ConnectError::not_a_source(stream, "null:")),
        };
        let partitions = known.all().into_iter().map(|(_, partition)| partition.name.to_string()).collect();
        Ok(Self { partitions, source: whole(opened) })
    }

    /// A name for each partition: the path of a file, `topic[3]`.
    pub fn partitions(&self) -> &[String] {
        &self.partitions
    }

    /// The next messages, perhaps none yet; `None` at the end.
    pub fn read(&mut self) -> Result<Option<Vec<Entry>>, ConnectError> {
        match self.source.poll(&LIMITS)? {
            Polled::Read(read) => Ok(Some(entries(&read))),
            Polled::Idle | Polled::Advance(_) => Ok(Some(Vec::new())),
            Polled::End => Ok(None),
        }
    }
}

fn whole(opened: Opened) -> Box<dyn Source> {
    // One lane has them all.
    opened.split(1).pop().unwrap_or_else(|| Box::new(super::InTurn { readers: Vec::new() }))
}

fn entries(read: &Read) -> Vec<Entry> {
    let rows = (0..row_number(read.meta.len())).filter_map(|row| read.meta.row(row));
    let entry = |(message, payload): (crate::batch::Metadata<'_>, &[u8])| Entry {
        partition: message.partition(),
        offset: message.offset(),
        payload: payload.to_vec(),
    };
    rows.zip(read.payloads.iter()).map(entry).collect()
}

/// Where messages are sent that belong to no run.
pub struct Outlet {
    stream: String,
    place: String,
    sink: Box<dyn Sink>,
    writer: Box<dyn Writer>,
    under_way: Option<(u64, Instant)>,
}

impl Outlet {
    /// Opens a stream only to ask what it refuses: nothing is sent, and no file is touched.
    pub fn trial(stream: &str, place: &StreamUrl) -> Result<Self, ConnectError> {
        let mut outlet = Self::open(stream, &stand_in(place), false)?;
        outlet.place = shown(place);
        Ok(outlet)
    }

    /// Opens a stream. What is in a file stays. `pinned`: a message goes to the partition that it is sent with.
    pub fn open(stream: &str, place: &StreamUrl, pinned: bool) -> Result<Self, ConnectError> {
        let shown = shown(place);
        let sink = match place {
            StreamUrl::Kafka(settings) if pinned => kafka::pinned(stream, settings)?,
            StreamUrl::Memory => return Err(ConnectError::not_a_sink(stream, "memory:")),
            StreamUrl::Null => return Err(ConnectError::not_a_sink(stream, "null:")),
            other => {
                let binding = Binding::Url(appended(other));
                open_sink(stream, &binding, claim(stream, &binding)?, None, None)?
            }
        };
        let writer = sink.writer();
        Ok(Self { stream: stream.to_owned(), place: shown, sink, writer, under_way: None })
    }

    /// What it is, for people.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Why a message can't be sent there, if it can't.
    pub fn refuses(&self, item: &Item) -> Option<&'static str> {
        let batch = self.batch(std::slice::from_ref(item), &[], 0);
        let payload = if let Item::Message { payload, .. } = item { payload.as_slice() } else { &[] };
        batch.metadata(0).and_then(|message| self.writer.refuses(message, payload))
    }

    /// Sends messages, which are there once [`Outlet::arrived`] says so. `deletions`: the indices of those without a payload.
    pub fn send(&mut self, items: &[Item], deletions: &[usize], partition: u32) -> Result<(), ConnectError> {
        let batch = self.batch(items, deletions, partition);
        self.under_way = match self.writer.write(&batch)? {
            Written::Done => None,
            Written::Later(number) => Some((number, Instant::now() + PATIENCE)),
        };
        Ok(())
    }

    /// Waits until what was sent is where a crash can't reach it, `timeout` at most.
    pub fn arrived(&mut self, timeout: Duration) -> Result<bool, ConnectError> {
        if let Some((number, until)) = self.under_way {
            self.writer.wait(timeout);
            if !self.writer.acknowledged()?.contains(&number) {
                return if Instant::now() > until { Err(self.silent()) } else { Ok(false) };
            }
            self.under_way = None;
        } else {
            self.sink.sync()?;
        }
        Ok(true)
    }

    fn batch(&self, items: &[Item], deletions: &[usize], partition: u32) -> Batch {
        let (mut timestamps, mut attributes, mut payloads) = (Vec::new(), AttributesBuilder::default(), Vec::new());
        for (index, item) in items.iter().enumerate() {
            if let Item::Message { payload, key, headers, timestamp_us } = item {
                payloads.push(payload.as_slice());
                attributes.push(key.as_deref(), headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())));
                if deletions.contains(&index) {
                    attributes.without_payload();
                }
                timestamps.push(timestamp_us.unwrap_or(UNTIMED));
            }
        }
        let count = payloads.len();
        let meta = Meta::new(Arc::from(self.stream.as_str()), vec![partition; count], vec![0; count], timestamps);
        let column: ByteColumn = payloads.into_iter().collect();
        Batch::new(Arc::new(meta.with_attributes(attributes.finish())), Payloads::Bytes(column))
    }

    fn silent(&self) -> ConnectError {
        ConnectError::Broker {
            stream: self.stream.clone(),
            doing: "write",
            topic: self.place.clone(),
            why: format!("no broker acknowledged the messages in {} s", PATIENCE.as_secs()),
            fix: "check that the brokers run, and send again: what had arrived comes twice",
        }
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.sink.release();
    }
}

/// A place for people.
pub fn shown(place: &StreamUrl) -> String {
    match place {
        StreamUrl::File { path, .. } => format!("`{path}`"),
        StreamUrl::Kafka(settings) => format!("topic `{}`", settings.topic),
        StreamUrl::Stdin => "standard input".to_owned(),
        StreamUrl::Stdout => "standard output".to_owned(),
        StreamUrl::Memory => "memory".to_owned(),
        StreamUrl::Null => "nowhere".to_owned(),
    }
}

/// What stands in for a place in a trial: a new file would be made, and the end of an old one mended.
fn stand_in(place: &StreamUrl) -> StreamUrl {
    match place {
        StreamUrl::File { .. } => StreamUrl::Stdout,
        other => other.clone(),
    }
}

/// What lies in a file may not have been read yet.
fn appended(place: &StreamUrl) -> StreamUrl {
    match place {
        StreamUrl::File { path, .. } => StreamUrl::File { path: path.clone(), append: true },
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(payload: &str) -> Item {
        let payload = payload.as_bytes().to_vec();
        Item::Message { payload, key: None, headers: Vec::new(), timestamp_us: None }
    }

    #[test]
    fn what_is_sent_to_a_file_is_added_and_read_again() {
        let path = std::env::temp_dir().join(format!("oxflow-archive-{}", std::process::id()));
        std::fs::write(&path, "first").expect("a file");
        let place = StreamUrl::File { path: path.display().to_string(), append: false };
        let mut outlet = Outlet::open("letters", &place, false).expect("an outlet");
        assert!(outlet.refuses(&item("a\nb")).is_some());
        outlet.send(&[item("second"), item("third")], &[], 0).expect("sent");
        assert!(outlet.arrived(Duration::ZERO).expect("synced"));
        // Another one waits for its turn.
        assert!(Outlet::open("letters", &place, false).is_err());
        drop(outlet);
        let mut archive = Archive::open("letters", &place).expect("an archive");
        let mut found = Vec::new();
        while let Some(entries) = archive.read().expect("readable") {
            found.extend(entries.into_iter().map(|entry| (entry.offset, entry.payload)));
        }
        let expected = ["first", "second", "third"].map(|line| line.as_bytes().to_vec());
        assert_eq!((0..).zip(expected).collect::<Vec<_>>(), found);
        std::fs::remove_file(&path).expect("it was there");
    }
}
