//! Batches: messages on their way through the engine.
//!
//! The metadata of a batch lies in columns that its source filled once and that every later form of the batch shares. A
//! row of a batch names its row of metadata, so a filter is a selection, and a flat map repeats the row that its outputs
//! came from.

mod bytes;
mod meta;
mod payloads;
mod read;
mod slot;

pub use bytes::{ByteColumn, Span};
pub use meta::{Attributes, AttributesBuilder, Changed, Meta, Metadata};
pub use payloads::{Gathered, Objects, Payloads, Uncopied};
pub use slot::{numbers_of, slot_of};

use std::sync::Arc;

/// Messages in order.
#[derive(Debug)]
pub struct Batch {
    meta: Arc<Meta>,
    /// For each message its row in `meta`.
    rows: Vec<u32>,
    payloads: Payloads,
}

impl Batch {
    /// Joins payloads with the metadata that they go with; both have the same number of rows.
    pub fn new(meta: Arc<Meta>, payloads: Payloads) -> Self {
        debug_assert_eq!(meta.len(), payloads.len());
        let rows = (0..row_number(meta.len())).collect();
        Self { meta, rows, payloads }
    }

    /// Puts together what [`Batch::into_parts`] took apart.
    pub fn from_parts(meta: Arc<Meta>, rows: Vec<u32>, payloads: Payloads) -> Self {
        debug_assert_eq!(rows.len(), payloads.len());
        Self { meta, rows, payloads }
    }

    /// The number of messages.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True if no message is left.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The metadata that the messages share.
    pub fn meta(&self) -> &Arc<Meta> {
        &self.meta
    }

    /// For each message its row of metadata.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// What the messages carry.
    pub fn payloads(&self) -> &Payloads {
        &self.payloads
    }

    /// Takes the batch apart: metadata, the row of each message in it, payloads.
    pub fn into_parts(self) -> (Arc<Meta>, Vec<u32>, Payloads) {
        (self.meta, self.rows, self.payloads)
    }

    /// The metadata of message `index` of the batch.
    pub fn metadata(&self, index: usize) -> Option<Metadata<'_>> {
        self.rows.get(index).and_then(|row| self.meta.row(*row))
    }

    /// The metadata of each message, in order.
    pub fn each_metadata(&self) -> impl Iterator<Item = Metadata<'_>> {
        self.rows.iter().filter_map(|row| self.meta.row(*row))
    }

    /// The same messages with other payloads, one for each.
    #[must_use]
    pub fn with_payloads(self, payloads: Payloads) -> Self {
        debug_assert_eq!(self.rows.len(), payloads.len());
        Self { payloads, ..self }
    }

    /// The same messages, some with new metadata; `changes` ascend by `output`.
    #[must_use]
    pub fn with_changes(self, changes: &[Changed]) -> Self {
        let mut attributes = AttributesBuilder::default();
        let mut timestamps = Vec::with_capacity(self.len());
        let mut changes = changes.iter().peekable();
        for (output, row) in self.each_metadata().enumerate() {
            let change = changes.next_if(|change| change.output == output);
            match change {
                Some(change) => attributes.push(change.key.as_deref(), change.headers()),
                None => attributes.copy(Some(row)),
            }
            if change.is_some() && row.is_tombstone() {
                attributes.without_payload();
            }
            let time = change.and_then(|change| change.timestamp_us);
            timestamps.push(time.unwrap_or_else(|| row.timestamp_us()));
        }
        let meta = self.meta.gather(&self.rows).with_timestamps(timestamps).with_attributes(attributes.finish());
        Self::new(Arc::new(meta), self.payloads)
    }

    /// The outputs of a run: for each the message of this batch that it came from, ascending.
    #[must_use]
    pub fn derive(&self, parents: &[u32], payloads: Payloads) -> Self {
        debug_assert_eq!(parents.len(), payloads.len());
        Self { meta: Arc::clone(&self.meta), rows: pick(&self.rows, parents), payloads }
    }

    /// All messages of the batches, in order; none without a batch.
    pub fn concat(parts: Vec<Self>) -> Option<Self> {
        let metas: Vec<(&Meta, &[u32])> = parts.iter().map(|part| (&*part.meta, part.rows.as_slice())).collect();
        let meta = Meta::concat(&metas)?;
        let payloads = Payloads::concat(parts.into_iter().map(|part| part.payloads).collect());
        Some(Self::new(Arc::new(meta), payloads))
    }

    /// Lists of the messages, cut at `ends`. A list has the metadata of its first message and stands for all of them.
    #[must_use]
    pub fn group(self, ends: Vec<u32>) -> Self {
        let meta = self.meta.group(&self.rows, &ends);
        Self::new(Arc::new(meta), Payloads::Lists { items: Box::new(self.payloads), ends })
    }

    /// The messages at `indices`, in that order.
    #[must_use]
    pub fn select(&self, indices: &[u32]) -> Self {
        self.derive(indices, self.payloads.select(indices))
    }

    /// The same messages, to be kept for long: what their source read with them and they do not need is let go, if it is
    /// the greater part.
    #[must_use]
    pub fn compact(self) -> Self {
        let payloads = self.payloads.compact();
        if self.rows.len() < self.meta.len() / 2 {
            return Self::new(Arc::new(self.meta.gather(&self.rows).compact()), payloads);
        }
        Self { payloads, ..self }
    }

    /// The first `len` messages.
    #[must_use]
    pub fn head(&self, len: usize) -> Self {
        let indices: Vec<u32> = (0..row_number(len.min(self.len()))).collect();
        self.select(&indices)
    }
}

/// The values at `indices`; an index without a value is left out.
pub(crate) fn pick<T: Copy>(values: &[T], indices: &[u32]) -> Vec<T> {
    indices.iter().filter_map(|index| values.get(*index as usize).copied()).collect()
}

/// A number of rows as the `u32` that row numbers are. Batches are bounded by the configuration far below its range.
pub(crate) fn row_number(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_messages_let_go_of_the_metadata_of_the_others() {
        let mut attributes = AttributesBuilder::default();
        (0..10u8).for_each(|key| attributes.push(Some(&[key]), []));
        let meta = Meta::new(Arc::from("s"), vec![0; 10], (0..10).collect(), vec![0; 10])
            .with_attributes(attributes.finish())
            .with_sequences((0..10).collect());
        let payloads = Payloads::Bytes(std::iter::repeat_n(b"x".as_slice(), 10).collect());
        let few = Batch::new(Arc::new(meta), payloads).select(&[3, 7]).compact();
        let told: Vec<_> = few.each_metadata().map(|row| (row.offset(), row.key())).collect();
        assert_eq!((2, vec![(3, Some([3].as_slice())), (7, Some([7].as_slice()))]), (few.meta().len(), told));
    }

    #[test]
    fn a_message_without_a_payload_is_told_from_an_empty_one_whatever_is_done_with_it() {
        let mut attributes = AttributesBuilder::default();
        for key in 0..4u8 {
            attributes.push((key == 2).then_some([key].as_slice()), []);
            if key % 2 == 1 {
                attributes.without_payload();
            }
        }
        let meta = Meta::new(Arc::from("s"), vec![0; 4], (0..4).collect(), vec![0; 4])
            .with_attributes(attributes.finish())
            .with_sequences((0..4).collect());
        let payloads = || Payloads::Bytes(std::iter::repeat_n(b"".as_slice(), 4).collect());
        let batch = Batch::new(Arc::new(meta), payloads());
        let change = Changed { output: 3, key: None, headers: vec![], timestamp_us: Some(1) };
        let changed = batch.select(&[0, 1, 2, 3]).with_changes(&[change]);
        let joined = Batch::concat(vec![batch.select(&[3, 0]).compact(), changed]).expect("a batch");
        let told: Vec<_> = joined.each_metadata().map(Metadata::is_tombstone).collect();
        assert_eq!(vec![true, false, false, true, false, true], told);
    }
}
