//! Streams in memory: lists of messages for tests and for use as a library.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::lines::head;
use super::{
    ConnectError, Opened, Partitions, PollLimits, Polled, Read, Sink, Source, TooLong, UNTIMED, Writer, Written,
};
use crate::batch::{AttributesBuilder, Batch, ByteColumn, Meta, Payloads, row_number};
use crate::commit::Position;

/// One item of a source in memory.
#[derive(Clone, Debug)]
pub enum Item {
    /// A message.
    Message {
        /// Its payload.
        payload: Vec<u8>,
        /// Its key.
        key: Option<Vec<u8>>,
        /// Its headers.
        headers: Vec<(String, Vec<u8>)>,
        /// Its time, microseconds since 1970-01-01 UTC; none for the time of reading.
        timestamp_us: Option<i64>,
    },
    /// The controlled clock moves.
    Advance(Duration),
}

/// A message as a sink in memory received it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its payload.
    pub payload: Vec<u8>,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its headers.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Microseconds since 1970-01-01 UTC.
    pub timestamp_us: i64,
    /// Stream that the message was read from.
    pub stream: Arc<str>,
    /// Partition that it was read from.
    pub partition: u32,
    /// Offset in that partition.
    pub offset: i64,
}

/// A source for each list.
pub(super) fn open(stream: &Arc<str>, partitions: &[Vec<Item>], known: &Partitions) -> Opened {
    let readers = partitions.iter().enumerate().map(|(index, items)| {
        let items = items.clone().into_iter().collect();
        let partition = known.add(stream, &format!("memory {index}"));
        let source = MemorySource { stream: Arc::clone(stream), partition, items, offset: 0 };
        Box::new(source) as Box<dyn Source>
    });
    Opened { readers: readers.collect(), ..Opened::default() }
}

struct MemorySource {
    stream: Arc<str>,
    partition: u32,
    items: std::collections::VecDeque<Item>,
    offset: i64,
}

impl Source for MemorySource {
    fn poll(&mut self, limits: &PollLimits) -> Result<Polled, ConnectError> {
        match self.items.front() {
            None => return Ok(Polled::End),
            Some(Item::Advance(time)) => {
                let time = *time;
                self.items.pop_front();
                return Ok(Polled::Advance(time));
            }
            Some(Item::Message { .. }) => {}
        }
        Ok(Polled::Read(Box::new(self.take(limits))))
    }
}

impl MemorySource {
    /// The next messages, no further than to the next move of the clock.
    fn take(&mut self, limits: &PollLimits) -> Read {
        let mut payloads = Vec::new();
        let mut bytes = 0;
        let mut attributes = AttributesBuilder::default();
        let mut timestamps = Vec::new();
        let mut too_long = Vec::new();
        while payloads.len() < limits.messages
            && bytes < limits.bytes
            && matches!(self.items.front(), Some(Item::Message { .. }))
        {
            if let Some(Item::Message { mut payload, key, headers, timestamp_us }) = self.items.pop_front() {
                if payload.len() > limits.message_bytes {
                    too_long.push(TooLong { row: row_number(payloads.len()), bytes: payload.len() as u64 });
                    payload = head(&payload).to_vec();
                }
                bytes += payload.len();
                payloads.push(payload);
                attributes.push(key.as_deref(), headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())));
                timestamps.push(timestamp_us.unwrap_or(UNTIMED));
            }
        }
        let count = payloads.len();
        let offsets: Vec<i64> = (self.offset..).take(count).collect();
        self.offset += i64::from(row_number(count));
        let next =
            offsets.iter().map(|offset| Position { next: offset.unsigned_abs() + 1, offset: offset + 1 }).collect();
        let meta = Meta::new(Arc::clone(&self.stream), vec![self.partition; count], offsets, timestamps);
        Read {
            meta: meta.with_attributes(attributes.finish()),
            payloads: payloads.iter().map(Vec::as_slice).collect::<ByteColumn>(),
            next,
            too_long,
        }
    }
}

/// Keeps what is written, in the order of writing.
#[derive(Default)]
pub(super) struct MemorySink {
    received: Arc<Mutex<Vec<Received>>>,
}

impl Sink for MemorySink {
    fn writer(&self) -> Box<dyn Writer> {
        Box::new(MemoryWriter { received: Arc::clone(&self.received) })
    }

    fn finish(&self) -> Result<(), ConnectError> {
        Ok(())
    }

    fn received(&self) -> Option<Vec<Received>> {
        Some(self.received.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

struct MemoryWriter {
    received: Arc<Mutex<Vec<Received>>>,
}

impl Writer for MemoryWriter {
    fn write(&mut self, batch: &Batch) -> Result<Written, ConnectError> {
        let Payloads::Bytes(column) = batch.payloads() else {
            unreachable!("the plan lets nothing but bytes into a sink")
        };
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        received.extend(batch.each_metadata().zip(column.iter()).map(|(row, payload)| Received {
            payload: payload.to_vec(),
            key: row.key().map(<[u8]>::to_vec),
            headers: row.headers().map(|(name, value)| (name.to_owned(), value.to_vec())).collect(),
            timestamp_us: row.timestamp_us(),
            stream: Arc::clone(row.stream()),
            partition: row.partition(),
            offset: row.offset(),
        }));
        Ok(Written::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_ends_with_the_message_that_reaches_the_bytes() {
        let message =
            |size| Item::Message { payload: vec![b'x'; size], key: None, headers: vec![], timestamp_us: None };
        let items = [6, 6, 6, 50, 1].map(message).to_vec();
        let mut source = open(&Arc::from("s"), &[items], &Partitions::default()).readers.remove(0);
        let limits =
            PollLimits { messages: 100, bytes: 10, wait: Duration::ZERO, message_bytes: 100, decompression_ratio: 1 };
        let mut sizes = Vec::new();
        while let Ok(Polled::Read(read)) = source.poll(&limits) {
            sizes.push(read.payloads.len());
        }
        assert_eq!(vec![2, 2, 1], sizes);
    }
}
