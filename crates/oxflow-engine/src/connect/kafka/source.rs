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
use crate::connect::{Changes, ConnectError, Owned, PollLimits, Polled, Read, Source, TooLong, UNTIMED};

pub(super) struct KafkaSource {
    shared: Arc<Shared>,
    lane: usize,
    signal: Arc<Signal>,
    queues: Vec<(Owned, Queue)>,
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
        for (owned, queue) in self.queues.iter().cycle().skip(first).take(count) {
            // What is read together is of one stream.
            let stream = self.shared.topics.stream_of(owned.partition);
            if !self.shared.is_current(owned) || !taken.is_empty() && stream != taken.stream {
                continue;
            }
            taken.stream = stream;
            let before = taken.ends.len();
            while taken.has_room(limits) {
                match queue.poll(Duration::ZERO) {
                    None => break,
                    Some(Ok(message)) => taken.push(owned.partition, &message, limits.message_bytes),
                    Some(Err(error)) if ends_the_run(&error) => return Err(self.shared.failed("read", &error)),
                    Some(Err(_)) => {}
                }
            }
            if taken.ends.len() > before {
                taken.owned.push(*owned);
            }
        }
        // The queue of a partition that went and came back meanwhile has what belongs to the later assignment.
        let is_own = taken.is_empty() || self.shared.took(&taken.owned);
        Ok(if is_own { taken } else { Taken::default() })
    }
}

impl KafkaSource {
    /// The queue, which wakes the lane. Not when it is made: what the lane had of the partition before is the same queue to
    /// librdkafka, and to let go of it silences both.
    fn listened(&self, mut queue: Queue) -> Queue {
        let signal = Arc::clone(&self.signal);
        queue.set_nonempty_callback(move || signal.raise());
        queue
    }
}

impl Source for KafkaSource {
    fn changes(&mut self) -> Changes {
        match self.shared.changes(self.lane) {
            Ok((changes, queues)) => {
                self.queues.retain(|(owned, _)| !changes.revoked.contains(&owned.partition));
                for (owned, queue) in queues {
                    self.queues.push((owned, self.listened(queue)));
                }
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

    fn reset(&mut self) -> Vec<Owned> {
        let owned: Vec<Owned> = self.queues.iter().map(|(owned, _)| *owned).collect();
        let kept = self.shared.reset(self.lane, &owned);
        self.queues.retain(|(owned, _)| kept.contains(owned));
        kept
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
        let stream = taken.stream.take().unwrap_or_default();
        Ok(Polled::Read(Box::new(taken.read(&stream))))
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
pub(super) struct Taken {
    /// The one that all of them are of, where a member reads several.
    stream: Option<Arc<str>>,
    data: Vec<u8>,
    ends: Vec<usize>,
    /// What the messages belong to.
    owned: Vec<Owned>,
    partitions: Vec<u32>,
    offsets: Vec<i64>,
    timestamps: Vec<i64>,
    attributes: AttributesBuilder,
    too_long: Vec<TooLong>,
}

impl Taken {
    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub(super) fn has_room(&self, limits: &PollLimits) -> bool {
        self.ends.len() < limits.messages && self.data.len() < limits.bytes
    }

    pub(super) fn push(&mut self, partition: u32, message: &BorrowedMessage<'_>, most_bytes: usize) {
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
        if message.payload().is_none() {
            self.attributes.without_payload();
        }
    }

    /// What was taken, all of it of this stream.
    pub(super) fn read(self, stream: &Arc<str>) -> Read {
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
