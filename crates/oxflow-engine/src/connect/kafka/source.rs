//! Reads the partitions of one lane.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::message::{BorrowedMessage, Message};

use super::group::{Queue, Shared, Signal};
use super::headers::headers;
use super::reader::ends_the_run;
use crate::batch::{AttributesBuilder, ByteColumn, Meta, row_number};
use crate::commit::Position;
use crate::connect::lines::head;
use crate::connect::{Changes, ConnectError, PollLimits, Polled, Read, Source, TooLong, UNTIMED};

pub(super) struct KafkaSource {
    shared: Arc<Shared>,
    lane: usize,
    signal: Arc<Signal>,
    queues: Vec<(u32, Queue)>,
    /// The queue that is asked first, so that each comes to its turn.
    first: usize,
    /// What a change found out that the next poll tells.
    error: Option<ConnectError>,
}

impl KafkaSource {
    pub(super) fn new(shared: Arc<Shared>, lane: usize, signal: Arc<Signal>) -> Self {
        Self { shared, lane, signal, queues: Vec::new(), first: 0, error: None }
    }

    /// What lies in the queues, as much as is wanted.
    fn take(&mut self, limits: &PollLimits) -> Result<Taken, ConnectError> {
        let mut taken = Taken::default();
        let count = self.queues.len();
        let first = self.first;
        self.first = (first + 1) % count.max(1);
        for (partition, queue) in self.queues.iter().cycle().skip(first).take(count) {
            while taken.has_room(limits) {
                match queue.poll(Duration::ZERO) {
                    None => break,
                    Some(Ok(message)) => taken.push(*partition, &message, limits.message_bytes),
                    Some(Err(error)) if ends_the_run(&error) => return Err(self.shared.failed("read", &error)),
                    Some(Err(_)) => {}
                }
            }
        }
        Ok(taken)
    }
}

impl Source for KafkaSource {
    fn changes(&mut self) -> Changes {
        match self.shared.changes(self.lane) {
            Ok((changes, queues)) => {
                self.queues.retain(|(partition, _)| !changes.revoked.contains(partition));
                self.queues.extend(queues);
                changes
            }
            Err(error) => {
                self.error = Some(error);
                Changes::default()
            }
        }
    }

    fn released(&mut self, partitions: &[u32]) {
        self.shared.released(self.lane, partitions);
    }

    fn poll(&mut self, limits: &PollLimits) -> Result<Polled, ConnectError> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let mut taken = self.take(limits)?;
        if taken.is_empty() {
            self.signal.wait(limits.wait);
            taken = self.take(limits)?;
        }
        if taken.is_empty() {
            return Ok(Polled::Idle);
        }
        Ok(Polled::Read(Box::new(taken.read(&self.shared.stream))))
    }
}

impl Drop for KafkaSource {
    fn drop(&mut self) {
        // Before the group may close: they hold the client.
        self.queues.clear();
        self.shared.ended(self.lane);
    }
}

/// Messages on their way into a batch.
#[derive(Default)]
struct Taken {
    data: Vec<u8>,
    ends: Vec<usize>,
    partitions: Vec<u32>,
    offsets: Vec<i64>,
    timestamps: Vec<i64>,
    attributes: AttributesBuilder,
    too_long: Vec<TooLong>,
}

impl Taken {
    fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn has_room(&self, limits: &PollLimits) -> bool {
        self.ends.len() < limits.messages && self.data.len() < limits.bytes
    }

    fn push(&mut self, partition: u32, message: &BorrowedMessage<'_>, most_bytes: usize) {
        let payload = message.payload().unwrap_or_default();
        if payload.len() > most_bytes {
            let row = row_number(self.ends.len());
            self.too_long.push(TooLong { row, bytes: payload.len() as u64 });
            self.data.extend_from_slice(head(payload));
        } else {
            self.data.extend_from_slice(payload);
        }
        self.ends.push(self.data.len());
        self.partitions.push(partition);
        self.offsets.push(message.offset());
        let millis = message.timestamp().to_millis();
        self.timestamps.push(millis.map_or(UNTIMED, |millis| millis.saturating_mul(1000)));
        let headers = headers(message);
        self.attributes.push(message.key(), headers.iter().map(|(name, value)| (name.as_ref(), *value)));
    }

    fn read(self, stream: &Arc<str>) -> Read {
        let next = self.offsets.iter().map(|offset| after(*offset)).collect();
        let meta = Meta::new(Arc::clone(stream), self.partitions, self.offsets, self.timestamps);
        Read {
            meta: meta.with_attributes(self.attributes.finish()),
            payloads: ByteColumn::from_ends(self.data, self.ends),
            next,
            too_long: self.too_long,
        }
    }
}

/// Where reading goes on after a message: what comes next may have a greater offset, but none in between.
fn after(offset: i64) -> Position {
    let offset = offset.saturating_add(1);
    Position { next: u64::try_from(offset).unwrap_or_default(), offset }
}
