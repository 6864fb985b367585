//! Metadata of messages, in columns.

use std::sync::Arc;

use super::{Span, pick, row_number};

/// Identity of a message while it is in flight: its partition and its number in the order of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId {
    /// Partition of the source.
    pub partition: u32,
    /// Number that the commit tracker gave it.
    pub sequence: u64,
}

/// What a batch knows of its messages beside their payloads.
#[derive(Clone, Debug)]
pub struct Meta {
    stream: Arc<str>,
    partitions: Vec<u32>,
    sequences: Vec<u64>,
    offsets: Vec<i64>,
    timestamps: Vec<i64>,
    /// Absent where no message has a key or a header, which is the usual case of files.
    attributes: Option<Attributes>,
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
}

/// For rows that gather several messages: which.
#[derive(Clone, Debug)]
struct Members {
    ids: Vec<RowId>,
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
    /// Columns of one length; the sequence numbers follow when the messages are registered with the tracker.
    pub fn new(stream: Arc<str>, partitions: Vec<u32>, offsets: Vec<i64>, timestamps: Vec<i64>) -> Self {
        debug_assert!(partitions.len() == offsets.len() && offsets.len() == timestamps.len());
        Self { stream, partitions, sequences: Vec::new(), offsets, timestamps, attributes: None, members: None }
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
        debug_assert_eq!(sequences.len(), self.partitions.len());
        self.sequences = sequences;
        self
    }

    /// Replaces the times, in microseconds since 1970-01-01 UTC.
    #[must_use]
    pub fn with_timestamps(mut self, timestamps: Vec<i64>) -> Self {
        debug_assert_eq!(timestamps.len(), self.partitions.len());
        self.timestamps = timestamps;
        self
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.partitions.len()
    }

    /// True if there is no row.
    pub fn is_empty(&self) -> bool {
        self.partitions.is_empty()
    }

    /// Name of the stream that the messages were read from.
    pub fn stream(&self) -> &Arc<str> {
        &self.stream
    }

    /// Partition of each row.
    pub fn partitions(&self) -> &[u32] {
        &self.partitions
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

    /// Calls `visit` with each message of the source that a row stands for.
    pub fn each_id(&self, row: u32, mut visit: impl FnMut(RowId)) {
        let row = row as usize;
        match &self.members {
            Some(members) => members.of(row).iter().copied().for_each(visit),
            None => {
                if let (Some(partition), Some(sequence)) = (self.partitions.get(row), self.sequences.get(row)) {
                    visit(RowId { partition: *partition, sequence: *sequence });
                }
            }
        }
    }

    /// The given rows as metadata of their own, for outputs whose keys, headers or times are new.
    #[must_use]
    pub fn gather(&self, rows: &[u32]) -> Self {
        Self {
            stream: Arc::clone(&self.stream),
            partitions: pick(&self.partitions, rows),
            sequences: pick(&self.sequences, rows),
            offsets: pick(&self.offsets, rows),
            timestamps: pick(&self.timestamps, rows),
            attributes: self.attributes.is_some().then(|| self.attributes_of(rows)),
            members: self.members.as_ref().map(|members| members.gather(rows)),
        }
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
        let mut firsts = Vec::with_capacity(ends.len());
        let mut ids = Vec::with_capacity(rows.len());
        let mut id_ends = Vec::with_capacity(ends.len());
        let mut start = 0;
        for end in ends {
            let group = rows.get(start..*end as usize).unwrap_or_default();
            firsts.extend(group.first());
            for row in group {
                self.each_id(*row, |id| ids.push(id));
            }
            id_ends.push(row_number(ids.len()));
            start = *end as usize;
        }
        Self { members: Some(Members { ids, ends: id_ends }), ..self.gather(&firsts) }
    }

    /// The given rows of each batch, one batch after the other; none without a batch.
    #[must_use]
    pub fn concat(parts: &[(&Self, &[u32])]) -> Option<Self> {
        let (first, _) = parts.first()?;
        let mut joined = Self::new(Arc::clone(&first.stream), Vec::new(), Vec::new(), Vec::new());
        let mut attributes = AttributesBuilder::default();
        let mut members = Members { ids: Vec::new(), ends: Vec::new() };
        for (meta, rows) in parts {
            joined.partitions.extend(pick(&meta.partitions, rows));
            joined.sequences.extend(pick(&meta.sequences, rows));
            joined.offsets.extend(pick(&meta.offsets, rows));
            joined.timestamps.extend(pick(&meta.timestamps, rows));
            for row in *rows {
                attributes.copy(meta.row(*row));
                meta.each_id(*row, |id| members.ids.push(id));
                members.ends.push(row_number(members.ids.len()));
            }
        }
        joined.members = parts.iter().any(|(meta, _)| meta.members.is_some()).then_some(members);
        Some(joined.with_attributes(attributes.finish()))
    }
}

impl Members {
    fn of(&self, row: usize) -> &[RowId] {
        let start = row.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(row).copied().unwrap_or(start);
        self.ids.get(start as usize..end as usize).unwrap_or_default()
    }

    fn gather(&self, rows: &[u32]) -> Self {
        let mut gathered = Self { ids: Vec::new(), ends: Vec::with_capacity(rows.len()) };
        for row in rows {
            gathered.ids.extend_from_slice(self.of(*row as usize));
            gathered.ends.push(row_number(gathered.ids.len()));
        }
        gathered
    }
}

impl Attributes {
    fn is_blank(&self) -> bool {
        self.headers.is_empty() && self.keys.iter().all(Option::is_none)
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

    /// Adds the key and headers of another row; nothing for a row that isn't there.
    pub fn copy(&mut self, row: Option<Metadata<'_>>) {
        match row {
            Some(row) => self.push(row.key(), row.headers()),
            None => self.push(None, []),
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

    /// Partition of the stream.
    pub fn partition(&self) -> u32 {
        self.meta.partitions.get(self.row).copied().unwrap_or_default()
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

    /// The headers, in order; a name may occur more than once.
    pub fn headers(&self) -> impl ExactSizeIterator<Item = (&'a str, &'a [u8])> + use<'a> {
        let attributes = self.meta.attributes.as_ref();
        let headers = attributes.map(|attributes| attributes.headers_of(self.row)).unwrap_or_default();
        let data = attributes.map(|attributes| attributes.data.as_slice()).unwrap_or_default();
        headers.iter().map(|(name, value)| (std::str::from_utf8(name.of(data)).unwrap_or_default(), value.of(data)))
    }
}
