//! The partitions of a source, by the slots that the engine keeps them by: whose they are, and what they are called.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use super::FileKey;
use crate::batch::{row_number, slot_of};

/// All partitions that a run knows of. More of them may come.
#[derive(Debug, Default)]
pub struct Partitions(RwLock<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Stream and topic, by the number of the topic.
    topics: Vec<(Arc<str>, Arc<str>)>,
    partitions: BTreeMap<u32, Partition>,
}

/// One partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Logical name of the stream.
    pub stream: Arc<str>,
    /// The path of a file; `topic[3]`.
    pub name: Arc<str>,
}

impl Partitions {
    /// One more partition; those that are added so are numbered through.
    pub fn add(&self, stream: &Arc<str>, name: &str) -> u32 {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let slot = row_number(known.partitions.len());
        known.partitions.insert(slot, Partition { stream: Arc::clone(stream), name: Arc::from(name) });
        slot
    }

    /// The files among them, each with its stream.
    pub fn files(&self) -> Vec<(FileKey, Arc<str>)> {
        let files = self.all().into_iter().filter(|(_, partition)| Path::new(&*partition.name).is_file());
        files.map(|(_, partition)| (FileKey::of(Path::new(&*partition.name)), partition.stream)).collect()
    }

    /// The number of a topic of a stream.
    pub fn topic(&self, stream: &Arc<str>, topic: &str) -> u32 {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let found = known.topics.iter().position(|(its, name)| its == stream && **name == *topic);
        let index = found.unwrap_or_else(|| {
            known.topics.push((Arc::clone(stream), Arc::from(topic)));
            known.topics.len() - 1
        });
        u32::try_from(index).unwrap_or(u32::MAX)
    }

    /// The slot of a partition of a topic; none where there are too many of them.
    pub fn slot(&self, stream: &Arc<str>, topic: &str, partition: u32) -> Option<u32> {
        let slot = slot_of(self.topic(stream, topic), partition)?;
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let named = || Partition { stream: Arc::clone(stream), name: Arc::from(format!("{topic}[{partition}]")) };
        known.partitions.entry(slot).or_insert_with(named);
        Some(slot)
    }

    /// The topic of a number.
    pub fn topic_named(&self, number: u32) -> Option<Arc<str>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.topics.get(number as usize).map(|(_, name)| Arc::clone(name))
    }

    /// The partition of a slot.
    pub fn get(&self, slot: u32) -> Option<Partition> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).partitions.get(&slot).cloned()
    }

    /// All of them, by slot.
    pub fn all(&self) -> Vec<(u32, Partition)> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.partitions.iter().map(|(slot, partition)| (*slot, partition.clone())).collect()
    }

    /// How many there are now.
    pub fn count(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).partitions.len()
    }
}
