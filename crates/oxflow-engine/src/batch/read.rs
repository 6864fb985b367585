//! Messages as they were read, for whoever wants them again after steps have changed them.

use std::sync::Arc;

use super::{ByteColumn, Meta, Metadata};

/// What a source gave at once.
#[derive(Debug)]
struct ReadBatch {
    meta: Meta,
    payloads: ByteColumn,
}

/// For each of some messages how it was read. Copies share what lies behind them.
#[derive(Clone, Debug, Default)]
pub(super) struct AsRead(Vec<(Arc<ReadBatch>, u32)>);

impl AsRead {
    /// All messages of a batch.
    pub(super) fn new(meta: Meta, payloads: ByteColumn) -> Self {
        let rows = 0..super::row_number(meta.len());
        let batch = Arc::new(ReadBatch { meta, payloads });
        Self(rows.map(|row| (Arc::clone(&batch), row)).collect())
    }

    /// Message `row`: its metadata and payload.
    pub(super) fn get(&self, row: usize) -> Option<(Metadata<'_>, &[u8])> {
        let (batch, row) = self.0.get(row)?;
        Some((batch.meta.row(*row)?, batch.payloads.get(*row as usize)?))
    }

    pub(super) fn select(&self, rows: &[u32]) -> Self {
        Self(rows.iter().filter_map(|row| self.0.get(*row as usize).cloned()).collect())
    }

    pub(super) fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// The same messages, without the others that were read with them.
    pub(super) fn compact(self) -> Self {
        let mut distinct: Vec<&(Arc<ReadBatch>, u32)> = Vec::new();
        let mut places = Vec::with_capacity(self.0.len());
        for message in &self.0 {
            // What came of one message stands together.
            let same = distinct.last().is_some_and(|last| Arc::ptr_eq(&last.0, &message.0) && last.1 == message.1);
            if !same {
                distinct.push(message);
            }
            places.push(super::row_number(distinct.len()).saturating_sub(1));
        }
        let parts: Vec<(&Meta, &[u32])> =
            distinct.iter().map(|(batch, row)| (&batch.meta, std::slice::from_ref(row))).collect();
        let payloads = distinct.iter().map(|(batch, row)| batch.payloads.get(*row as usize).unwrap_or_default());
        match Meta::concat(&parts) {
            Some(meta) => {
                let batch = Arc::new(ReadBatch { meta, payloads: payloads.collect() });
                Self(places.into_iter().map(|place| (Arc::clone(&batch), place)).collect())
            }
            None => Self::default(),
        }
    }
}
