//! Sends messages that failed to the dead letters, and counts whether they are too many.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{LaneError, State};
use crate::batch::{AttributesBuilder, Batch, Meta, Metadata, Payloads};
use crate::checkpoint::Passed;
use crate::commit::Tracker;
use crate::connect::Writer;
use crate::dead_letter::DeadLetter;
use crate::fault::Fault;
use crate::limits::{BadMessages, Breach, Limits};

/// Where a lane sends its dead letters.
pub(crate) struct Letters {
    /// Logical name of their stream.
    pub(crate) stream: String,
    pub(crate) writer: Box<dyn Writer>,
    /// For each step before which messages may be read again, how far an earlier run came with its dead letters. Each step
    /// fails on messages in the order of reading, though several steps together do not.
    pub(crate) passed: BTreeMap<usize, Passed>,
    pub(crate) limits: Limits,
    /// For each partition what failed of it.
    pub(crate) bad: BTreeMap<u32, BadMessages>,
}

/// The dead letters of one batch, which are written together.
#[derive(Default)]
pub(super) struct Posted {
    /// Step, partition and sequence number of each. Of several outputs of a message that fail in a step, the first is told.
    messages: BTreeSet<(usize, u32, u64)>,
    partitions: Vec<u32>,
    offsets: Vec<i64>,
    timestamps: Vec<i64>,
    attributes: AttributesBuilder,
    payloads: Vec<Vec<u8>>,
}

impl Posted {
    fn push(&mut self, message: Metadata<'_>, letter: &DeadLetter<'_>) -> Result<(), LaneError> {
        let text = serde_json::to_vec(letter).map_err(|error| LaneError::Internal(error.to_string()))?;
        self.partitions.push(message.partition());
        self.offsets.push(message.offset());
        self.timestamps.push(message.timestamp_us());
        self.attributes.copy(Some(message));
        self.payloads.push(text);
        Ok(())
    }

    fn batch(self, stream: &Arc<str>) -> Batch {
        let meta = Meta::new(Arc::clone(stream), self.partitions, self.offsets, self.timestamps);
        let payloads = Payloads::Bytes(self.payloads.iter().map(Vec::as_slice).collect());
        Batch::new(Arc::new(meta.with_attributes(self.attributes.finish())), payloads)
    }
}

impl Letters {
    /// True if an earlier run has sent the dead letter; if not, this one does.
    fn sent(&mut self, step: usize, message: Metadata<'_>) -> bool {
        let Some(passed) = self.passed.get_mut(&step) else { return false };
        let place = (message.partition(), message.offset());
        let new = passed.sift([place].into_iter()).contains(&true);
        if new {
            passed.note([place].into_iter());
        }
        !new
    }

    /// Counts messages that failed together.
    fn count(&mut self, failed: &BTreeMap<u32, Vec<u64>>) -> Option<Breach> {
        let limits = self.limits;
        let breaches = failed.iter().filter_map(|(partition, sequences)| {
            self.bad.entry(*partition).or_insert_with(|| BadMessages::new(limits)).fail(sequences)
        });
        breaches.fold(None, |first, breach| first.or(Some(breach)))
    }

    /// Lets go of what can't decide anything any more.
    pub(super) fn settled(&mut self, trackers: &BTreeMap<u32, Tracker>) {
        for (partition, bad) in &mut self.bad {
            if let Some(tracker) = trackers.get(partition) {
                bad.settled(tracker.oldest());
            }
        }
    }
}

impl State {
    /// Adds the messages of a row that failed to the dead letters; the limit that they reach, if one is.
    pub(super) fn post(
        &mut self,
        meta: &Meta,
        rows: &[u32],
        fault: &Fault,
        posted: &mut Posted,
    ) -> Result<Option<Breach>, LaneError> {
        let Some(letters) = &mut self.letters else { return Ok(None) };
        let Some(row) = rows.get(fault.row as usize) else { return Ok(None) };
        let shared = &self.shared;
        let time = shared.clock.timestamp_us();
        let step = shared.steps.get(fault.step).map_or("", |step| step.name.as_str());
        let mut failed: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
        for message in meta.sources(*row) {
            let (partition, sequence) = (message.partition(), message.sequence());
            let known = !posted.messages.insert((fault.step, partition, sequence));
            if known || letters.sent(fault.step, message) {
                continue;
            }
            let name = shared.partitions.get(partition as usize).map_or("", String::as_str);
            posted.push(message, &DeadLetter::new(message, name, step, fault, time))?;
            failed.entry(partition).or_default().push(sequence);
        }
        if let Some(counts) = self.progress.counts.get_mut(fault.step) {
            counts.dead_lettered += failed.values().map(|failed| failed.len() as u64).sum::<u64>();
        }
        Ok(letters.count(&failed))
    }

    /// Writes dead letters of messages of the stream `read_from`, and notes that they are.
    pub(super) fn send(&mut self, posted: Posted, read_from: &Arc<str>) -> Result<(), LaneError> {
        let Some(letters) = self.letters.as_mut().filter(|_| !posted.payloads.is_empty()) else { return Ok(()) };
        let steps: BTreeSet<usize> = posted.messages.iter().map(|(step, ..)| *step).collect();
        let written = letters.writer.write(&posted.batch(read_from));
        written.inspect_err(|_| self.shared.tear())?;
        for step in steps {
            if let Some(passed) = letters.passed.get(&step) {
                self.progress.letters.insert(step, passed.marks().clone());
            }
        }
        Ok(())
    }
}
