//! Metadata of messages, in columns.

use std::sync::Arc;

use super::read::AsRead;
use super::{ByteColumn, Span, numbers_of, pick, row_number};

/// What a batch knows of its messages beside their payloads.
#[derive(Clone, Debug)]
pub struct Meta {
    stream: Arc<str>,
    slots: Vec<u32>,
    sequences: Vec<u64>,
    offsets: Vec<i64>,
    timestamps: Vec<i64>,
    /// Absent where no message has a key or a header, which is the usual case of files.
    attributes: Option<Attributes>,
    /// The messages as they were read, where somebody may want them again.
    as_read: Option<AsRead>,
    /// Absent where each row is one message of the source.
    members: Option<Members>,
}

/// Keys and headers.
#[derive(Clone, Debug, Default)]
pub struct Attributes {
    data: Vec<u8>,
    keys: Vec<Option<Span>>,
    headers: Vec<(Span, Span)>,
    header_ends: Vec<u32>,
    /// The rows without a payload, ascending: their payload reads as empty.
    nulls: Vec<u32>,
}

/// For rows that gather several messages: which.
#[derive(Clone, Debug)]
struct Members {
    /// A row for each message.
    all: Arc<Meta>,
    /// For each row that gathers the end of its messages in `all`.
    ends: Vec<u32>,
}

/// The messages of the source that some rows stand for.
struct Sources<'a> {
    meta: &'a Meta,
    /// Their rows in `meta`.
    rows: Vec<u32>,
    /// For each row that was asked for the end of its messages in `rows`.
    ends: Vec<u32>,
}

/// The metadata of one message.
#[derive(Clone, Copy, Debug)]
pub struct Metadata<'a> {
    meta: &'a Meta,
    row: usize,
}

/// New metadata of one message.
#[derive(Clone, Debug)]
pub struct Changed {
    /// Index of the message in its batch.
    pub output: usize,
    /// The new key.
    pub key: Option<Vec<u8>>,
    /// The new headers, all of them.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The new time in microseconds since 1970-01-01 UTC; none to keep the old one.
    pub timestamp_us: Option<i64>,
}

impl Changed {
    /// The new headers, borrowed.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }
}

impl Meta {
    /// Columns of one length; the sequence numbers follow when the messages are registered with the tracker. `slots` are what
    /// the engine keeps the partitions by.
    pub fn new(stream: Arc<str>, slots: Vec<u32>, offsets: Vec<i64>, timestamps: Vec<i64>) -> Self {
        debug_assert!(slots.len() == offsets.len() && offsets.len() == timestamps.len());
        Self {
            stream,
            slots,
            sequences: Vec::new(),
            offsets,
            timestamps,
            attributes: None,
            as_read: None,
            members: None,
        }
    }

    /// Adds keys and headers; dropped if there are none.
    #[must_use]
    pub fn with_attributes(mut self, attributes: Attributes) -> Self {
        self.attributes = (!attributes.is_blank()).then_some(attributes);
        self
    }

    /// Adds the numbers that the commit tracker gave.
    #[must_use]
    pub fn with_sequences(mut self, sequences: Vec<u64>) -> Self {
        debug_assert_eq!(sequences.len(), self.slots.len());
        self.sequences = sequences;
        self
    }

    /// Keeps the messages as they are now, with their payloads.
    #[must_use]
    pub fn kept_as_read(self, payloads: ByteColumn) -> Self {
        debug_assert_eq!(payloads.len(), self.slots.len());
        Self { as_read: Some(AsRead::new(self.clone(), payloads)), ..self }
    }

    /// Replaces the times, in microseconds since 1970-01-01 UTC.
    #[must_use]
    pub fn with_timestamps(mut self, timestamps: Vec<i64>) -> Self {
        debug_assert_eq!(timestamps.len(), self.slots.len());
        self.timestamps = timestamps;
        self
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// True if there is no row.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Name of the stream that the messages were read from.
    pub fn stream(&self) -> &Arc<str> {
        &self.stream
    }

    /// What the engine keeps the partition of each row by.
    pub fn slots(&self) -> &[u32] {
        &self.slots
    }

    /// Time of each row, in microseconds since 1970-01-01 UTC.
    pub fn timestamps(&self) -> &[i64] {
        &self.timestamps
    }

    /// True if any row has a key or a header.
    pub fn has_attributes(&self) -> bool {
        self.attributes.is_some()
    }

    /// One row.
    pub fn row(&self, row: u32) -> Option<Metadata<'_>> {
        let row = row as usize;
        (row < self.len()).then_some(Metadata { meta: self, row })
    }

    /// The messages of the source that a row stands for.
    pub fn sources(&self, row: u32) -> impl Iterator<Item = Metadata<'_>> {
        let (meta, rows) = match &self.members {
            Some(members) => (&*members.all, members.of(row)),
            None => (self, row..row + 1),
        };
        rows.filter_map(move |row| meta.row(row))
    }

    /// The given rows as metadata of their own, for outputs whose keys, headers or times are new.
    #[must_use]
    pub fn gather(&self, rows: &[u32]) -> Self {
        let members = self.members.as_ref().map(|_| self.sources_of(rows).members());
        Self { members, ..self.gather_alone(rows) }
    }

    /// The given rows, without the messages that they stand for.
    fn gather_alone(&self, rows: &[u32]) -> Self {
        Self {
            stream: Arc::clone(&self.stream),
            slots: pick(&self.slots, rows),
            sequences: pick(&self.sequences, rows),
            offsets: pick(&self.offsets, rows),
            timestamps: pick(&self.timestamps, rows),
            attributes: self.attributes.is_some().then(|| self.attributes_of(rows)),
            as_read: self.as_read.as_ref().map(|as_read| as_read.select(rows)),
            members: None,
        }
    }

    /// The same rows, without what was read with them and is theirs no more.
    #[must_use]
    pub fn compact(self) -> Self {
        let members = self
            .members
            .map(|members| Members { all: Arc::new(Arc::unwrap_or_clone(members.all).compact()), ends: members.ends });
        Self { as_read: self.as_read.map(AsRead::compact), members, ..self }
    }

    fn sources_of(&self, rows: &[u32]) -> Sources<'_> {
        let Some(members) = &self.members else {
            return Sources { meta: self, rows: rows.to_vec(), ends: (1..=row_number(rows.len())).collect() };
        };
        let mut sources = Sources { meta: &members.all, rows: Vec::new(), ends: Vec::with_capacity(rows.len()) };
        for row in rows {
            sources.rows.extend(members.of(*row));
            sources.ends.push(row_number(sources.rows.len()));
        }
        sources
    }

    /// Keys and headers of the given rows and of no others.
    fn attributes_of(&self, rows: &[u32]) -> Attributes {
        let mut attributes = AttributesBuilder::default();
        for row in rows {
            attributes.copy(self.row(*row));
        }
        attributes.finish()
    }

    /// One row for each group of `rows`, cut at `ends`: it has the metadata of the group's first row and stands for all.
    #[must_use]
    pub fn group(&self, rows: &[u32], ends: &[u32]) -> Self {
        let starts = [0].into_iter().chain(ends.iter().copied());
        let firsts: Vec<u32> = starts.filter_map(|start| rows.get(start as usize).copied()).take(ends.len()).collect();
        let sources = self.sources_of(rows);
        let end = |end: &u32| end.checked_sub(1).and_then(|last| sources.ends.get(last as usize)).copied().unwrap_or(0);
        let members = Members { ends: ends.iter().map(end).collect(), ..sources.members() };
        Self { members: Some(members), ..self.gather_alone(&firsts) }
    }

    /// The given rows of each batch, one batch after the other; none without a batch.
    #[must_use]
    pub fn concat(parts: &[(&Self, &[u32])]) -> Option<Self> {
        let joined = Self::concat_alone(parts)?;
        if parts.iter().all(|(meta, _)| meta.members.is_none()) {
            return Some(joined);
        }
        let sources: Vec<Sources<'_>> = parts.iter().map(|(meta, rows)| meta.sources_of(rows)).collect();
        let flat: Vec<(&Self, &[u32])> = sources.iter().map(|part| (part.meta, part.rows.as_slice())).collect();
        let mut ends = Vec::with_capacity(joined.len());
        for part in &sources {
            let before = ends.last().copied().unwrap_or(0);
            ends.extend(part.ends.iter().map(|end| before + end));
        }
        let members = Members { all: Arc::new(Self::concat_alone(&flat)?), ends };
        Some(Self { members: Some(members), ..joined })
    }

    fn concat_alone(parts: &[(&Self, &[u32])]) -> Option<Self> {
        let (first, _) = parts.first()?;
        let mut joined = Self::new(Arc::clone(&first.stream), Vec::new(), Vec::new(), Vec::new());
        let mut attributes = AttributesBuilder::default();
        for (meta, rows) in parts {
            joined.slots.extend(pick(&meta.slots, rows));
            joined.sequences.extend(pick(&meta.sequences, rows));
            joined.offsets.extend(pick(&meta.offsets, rows));
            joined.timestamps.extend(pick(&meta.timestamps, rows));
            rows.iter().for_each(|row| attributes.copy(meta.row(*row)));
        }
        for (meta, rows) in parts {
            if let Some(as_read) = &meta.as_read {
                joined.as_read.get_or_insert_default().extend(as_read.select(rows));
            }
        }
        Some(joined.with_attributes(attributes.finish()))
    }
}

impl Sources<'_> {
    fn members(&self) -> Members {
        Members { all: Arc::new(self.meta.gather_alone(&self.rows)), ends: self.ends.clone() }
    }
}

impl Members {
    /// The rows in `all` of the messages that a row stands for.
    fn of(&self, row: u32) -> std::ops::Range<u32> {
        let start = row.checked_sub(1).and_then(|before| self.ends.get(before as usize)).copied().unwrap_or(0);
        start..self.ends.get(row as usize).copied().unwrap_or(start)
    }
}

impl Attributes {
    fn is_blank(&self) -> bool {
        self.headers.is_empty() && self.nulls.is_empty() && self.keys.iter().all(Option::is_none)
    }

    fn headers_of(&self, row: usize) -> &[(Span, Span)] {
        let start = row.checked_sub(1).and_then(|before| self.header_ends.get(before)).copied().unwrap_or(0);
        let end = self.header_ends.get(row).copied().unwrap_or(start);
        self.headers.get(start as usize..end as usize).unwrap_or_default()
    }
}

/// Fills [`Attributes`] row by row.
#[derive(Debug, Default)]
pub struct AttributesBuilder {
    attributes: Attributes,
}

impl AttributesBuilder {
    /// Adds the next row.
    pub fn push<'a>(&mut self, key: Option<&[u8]>, headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) {
        let key = key.map(|key| self.store(key));
        self.attributes.keys.push(key);
        for (name, value) in headers {
            let header = (self.store(name.as_bytes()), self.store(value));
            self.attributes.headers.push(header);
        }
        self.attributes.header_ends.push(row_number(self.attributes.headers.len()));
    }

    /// The row that was added last has no payload, which is not the same as an empty one.
    pub fn without_payload(&mut self) {
        self.attributes.nulls.extend(self.attributes.keys.len().checked_sub(1).map(row_number));
    }

    /// Adds the key and headers of another row, and whether it has a payload; nothing for a row that isn't there.
    pub fn copy(&mut self, row: Option<Metadata<'_>>) {
        match row {
            Some(row) => self.push(row.key(), row.headers()),
            None => self.push(None, []),
        }
        if row.is_some_and(Metadata::is_tombstone) {
            self.without_payload();
        }
    }

    /// The rows that were added.
    pub fn finish(self) -> Attributes {
        self.attributes
    }

    fn store(&mut self, bytes: &[u8]) -> Span {
        let start = self.attributes.data.len();
        self.attributes.data.extend_from_slice(bytes);
        Span { start, end: self.attributes.data.len() }
    }
}

impl<'a> Metadata<'a> {
    /// Name of the stream that the message was read from.
    pub fn stream(&self) -> &'a Arc<str> {
        &self.meta.stream
    }

    /// Partition of the topic, or number of the file.
    pub fn partition(&self) -> u32 {
        numbers_of(self.slot()).1
    }

    /// What the engine keeps the partition by.
    pub fn slot(&self) -> u32 {
        self.meta.slots.get(self.row).copied().unwrap_or_default()
    }

    /// Number that the commit tracker gave it, in the order of reading.
    pub fn sequence(&self) -> u64 {
        self.meta.sequences.get(self.row).copied().unwrap_or_default()
    }

    /// The message as it was read, where that was kept: its metadata and payload.
    pub fn as_read(&self) -> Option<(Metadata<'a>, &'a [u8])> {
        self.meta.as_read.as_ref()?.get(self.row)
    }

    /// Offset in the partition: a line's number from 0 in a file.
    pub fn offset(&self) -> i64 {
        self.meta.offsets.get(self.row).copied().unwrap_or_default()
    }

    /// Microseconds since 1970-01-01 UTC.
    pub fn timestamp_us(&self) -> i64 {
        self.meta.timestamps.get(self.row).copied().unwrap_or_default()
    }

    /// The key, if the message has one.
    pub fn key(&self) -> Option<&'a [u8]> {
        let attributes = self.meta.attributes.as_ref()?;
        attributes.keys.get(self.row).copied().flatten().map(|span| span.of(&attributes.data))
    }

    /// True if the message was read without a payload, as Kafka's deletions are. Its payload then reads as empty.
    pub fn is_tombstone(self) -> bool {
        let attributes = self.meta.attributes.as_ref();
        attributes.is_some_and(|attributes| attributes.nulls.binary_search(&row_number(self.row)).is_ok())
    }

    /// The headers, in order; a name may occur more than once.
    pub fn headers(&self) -> impl ExactSizeIterator<Item = (&'a str, &'a [u8])> + use<'a> {
        let attributes = self.meta.attributes.as_ref();
        let headers = attributes.map(|attributes| attributes.headers_of(self.row)).unwrap_or_default();
        let data = attributes.map(|attributes| attributes.data.as_slice()).unwrap_or_default();
        headers.iter().map(|(name, value)| (std::str::from_utf8(name.of(data)).unwrap_or_default(), value.of(data)))
    }
}
