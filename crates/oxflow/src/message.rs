//! A message: a payload and what travels with it.

use crate::columns::Columns;
pub use crate::metadata::Headers;
use crate::metadata::Metadata;
use std::fmt;

/// A payload with its key, headers, timestamp and origin.
///
/// It is cheap: the metadata is shared by the messages of a batch until a function changes it. It may be kept beyond the
/// call of the function and sent to other threads.
///
/// ```
/// use oxflow::Message;
///
/// let message = Message::new(20).with_key("sensor-1").with_headers([("unit", "C")]);
/// let doubled = message.map(|degrees| degrees * 2);
/// assert_eq!(*doubled.payload(), 40);
/// assert_eq!(doubled.key(), Some(b"sensor-1".as_slice()));
/// assert_eq!(doubled.headers().next(), Some(("unit", b"C".as_slice())));
/// ```
#[derive(Clone)]
pub struct Message<T> {
    payload: T,
    metadata: Metadata,
}

/// Where a message was read.
#[derive(Clone, Copy)]
pub struct Origin<'a> {
    columns: &'a Columns,
    row: u32,
}

impl<T> Message<T> {
    /// A message that comes from no stream: no key, no headers. For tests, and for functions whose output has nothing of
    /// the input's metadata; it takes the input's timestamp unless it is given one.
    pub fn new(payload: T) -> Self {
        Self { payload, metadata: Metadata::detached() }
    }

    pub(crate) fn with_metadata(payload: T, metadata: Metadata) -> Self {
        Self { payload, metadata }
    }

    /// What the message carries.
    pub fn payload(&self) -> &T {
        &self.payload
    }

    /// The key.
    pub fn key(&self) -> Option<&[u8]> {
        self.metadata.key()
    }

    /// The headers in their order, as name and value; a name may come up twice.
    pub fn headers(&self) -> Headers<'_> {
        self.metadata.headers()
    }

    /// Microseconds since 1970-01-01 UTC. A number, since brokers also send times that a `SystemTime` can't hold.
    pub fn timestamp(&self) -> i64 {
        self.metadata.timestamp()
    }

    /// Where the message was read.
    pub fn origin(&self) -> Origin<'_> {
        Origin { columns: self.metadata.columns(), row: self.metadata.row() }
    }

    /// Parts payload and metadata.
    pub fn take(self) -> (T, Message<()>) {
        (self.payload, Message { payload: (), metadata: self.metadata })
    }

    /// Another payload with the same metadata.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Message<U> {
        Message { payload: f(self.payload), metadata: self.metadata }
    }

    /// The message with this key.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.metadata.change().key = Some(key.into());
        self
    }

    /// The message with no key.
    #[must_use]
    pub fn without_key(mut self) -> Self {
        self.metadata.change().key = None;
        self
    }

    /// The message with these headers and no others.
    #[must_use]
    pub fn with_headers<N: Into<String>, V: Into<Vec<u8>>>(
        mut self,
        headers: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.metadata.change().headers = headers.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        self
    }

    /// The message with this time, microseconds since 1970-01-01 UTC.
    #[must_use]
    pub fn with_timestamp(mut self, timestamp: i64) -> Self {
        self.metadata.change().timestamp = Some(timestamp);
        self
    }

    pub(crate) fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    pub(crate) fn settle(self, input: Metadata) -> Self {
        Self { payload: self.payload, metadata: self.metadata.settle(input) }
    }

    pub(crate) fn into_parts(self) -> (T, Metadata) {
        (self.payload, self.metadata)
    }
}

impl<T: fmt::Debug> fmt::Debug for Message<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("payload", &self.payload)
            .field("key", &self.key())
            .field("headers", &self.headers().collect::<Vec<_>>())
            .field("timestamp", &self.timestamp())
            .field("origin", &self.origin())
            .finish_non_exhaustive()
    }
}

impl<'a> Origin<'a> {
    /// Name of the stream; empty for a message that comes from none.
    pub fn stream(&self) -> &'a str {
        self.columns.stream()
    }

    /// Partition of the stream.
    pub fn partition(&self) -> u32 {
        self.columns.partition(self.row)
    }

    /// Offset in the partition.
    pub fn offset(&self) -> i64 {
        self.columns.offset(self.row)
    }
}

impl fmt::Debug for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Origin")
            .field("stream", &self.stream())
            .field("partition", &self.partition())
            .field("offset", &self.offset())
            .finish()
    }
}
