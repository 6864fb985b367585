//! The topics that a member of a group reads: whose stream each is, and the slots of their partitions.

use std::collections::BTreeSet;
use std::sync::Arc;

use rdkafka::client::{Client, ClientContext};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};

use super::client::{self, Noted};
use crate::batch::numbers_of;
use crate::config::KafkaStream;
use crate::connect::Partitions;

/// The topics of one member.
pub(super) struct Topics {
    /// By the logical names of their streams. One of them may be a pattern.
    streams: Vec<(Arc<str>, KafkaStream)>,
    known: Arc<Partitions>,
}

impl Topics {
    pub(super) fn new(streams: &[(Arc<str>, KafkaStream)], known: &Arc<Partitions>) -> Self {
        Self { streams: streams.to_vec(), known: Arc::clone(known) }
    }

    /// What the group is told.
    pub(super) fn subscription(&self) -> Vec<&str> {
        self.streams.iter().map(|(_, settings)| settings.topic.as_str()).collect()
    }

    /// What they are called in errors.
    pub(super) fn names(&self) -> String {
        self.subscription().join(", ")
    }

    /// Asks a broker for them, and makes their partitions known; how many there are at most: of those
    /// that fit a pattern only the client knows.
    pub(super) fn ask<C: ClientContext>(
        &self,
        client: &Client<C>,
        noted: &Noted,
        serve: impl Fn(),
    ) -> Result<u32, KafkaError> {
        let mut count = 0;
        for (stream, settings) in &self.streams {
            if settings.is_pattern() {
                count += client::all_partitions(client, noted, &serve)?;
                continue;
            }
            let partitions = client::partitions(client, &settings.topic, noted, &serve)?;
            for partition in 0..partitions {
                self.known.slot(stream, &settings.topic, partition);
            }
            count += partitions;
        }
        Ok(count)
    }

    /// The stream that a topic belongs to: it has the name, or the pattern fits, of which there is one at most.
    fn stream(&self, topic: &str) -> Option<&Arc<str>> {
        let named = self.streams.iter().find(|(_, settings)| settings.topic == topic);
        let found = named.or_else(|| self.streams.iter().find(|(_, settings)| settings.is_pattern()));
        found.map(|(stream, _)| stream)
    }

    /// The stream of a partition.
    pub(super) fn stream_of(&self, slot: u32) -> Option<Arc<str>> {
        self.known.get(slot).map(|partition| partition.stream)
    }

    /// The slot of a partition of a topic.
    fn slot(&self, topic: &str, partition: i32) -> Option<u32> {
        self.known.slot(self.stream(topic)?, topic, u32::try_from(partition).ok()?)
    }

    /// Topic and partition of a slot.
    pub(super) fn place(&self, slot: u32) -> Option<(Arc<str>, i32)> {
        let (topic, partition) = numbers_of(slot);
        Some((self.known.topic_named(topic)?, i32::try_from(partition).ok()?))
    }

    /// The slots of a list.
    pub(super) fn slots(&self, list: &TopicPartitionList) -> BTreeSet<u32> {
        list.elements().iter().filter_map(|element| self.slot(element.topic(), element.partition())).collect()
    }

    /// The offsets of a list, by slot.
    pub(super) fn offsets(&self, list: &TopicPartitionList) -> Vec<(u32, i64)> {
        let elements = list.elements();
        let offset = |offset| if let Offset::Offset(offset) = offset { Some(offset) } else { None };
        let offsets = elements
            .iter()
            .filter_map(|element| Some((self.slot(element.topic(), element.partition())?, offset(element.offset())?)));
        offsets.collect()
    }

    /// A list of slots.
    pub(super) fn listed(&self, offsets: impl Iterator<Item = (u32, Offset)>) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for (slot, offset) in offsets {
            if let Some((topic, partition)) = self.place(slot) {
                // A valid offset can be represented.
                drop(list.add_partition_offset(&topic, partition, offset));
            }
        }
        list
    }
}
