//! Sends messages that failed to the dead letters, and counts whether they are too many.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::outbox::Outbox;
use super::{LaneError, State};
use crate::batch::{AttributesBuilder, Batch, Meta, Metadata, Payloads};
use crate::crash;
use crate::dead_letter::{DeadLetter, Failure};
use crate::fault::Fault;
use crate::limits::{BadMessages, Breach, Limits};

/// Bytes of dead letters that are written together.
const PORTION_BYTES: usize = 1 << 20;

/// Where a lane sends its dead letters.
pub(crate) struct Letters {
    /// Logical name of their stream.
    pub(crate) stream: String,
    pub(crate) outbox: Outbox,
    /// The steps that a later run may give a message again.
    pub(crate) again: BTreeSet<usize>,
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
    sequences: Vec<u64>,
    offsets: Vec<i64>,
    timestamps: Vec<i64>,
    attributes: AttributesBuilder,
    payloads: Vec<Vec<u8>>,
    /// Of all payloads.
    bytes: usize,
}

impl Posted {
    fn push(&mut self, message: Metadata<'_>, sequence: u64, letter: &DeadLetter<'_>) -> Result<(), LaneError> {
        let text = serde_json::to_vec(letter).map_err(|error| LaneError::Internal(error.to_string()))?;
        self.partitions.push(message.slot());
        self.sequences.push(sequence);
        self.offsets.push(message.offset());
        self.timestamps.push(message.timestamp_us());
        self.attributes.copy(Some(message));
        self.bytes += text.len();
        self.payloads.push(text);
        Ok(())
    }

    /// What is to be written.
    fn take(&mut self, stream: &Arc<str>) -> Batch {
        let Self { messages, partitions, sequences, offsets, timestamps, attributes, payloads, .. } =
            std::mem::take(self);
        self.messages = messages;
        let meta = Meta::new(Arc::clone(stream), partitions, offsets, timestamps).with_sequences(sequences);
        let payloads = Payloads::Bytes(payloads.iter().map(Vec::as_slice).collect());
        Batch::new(Arc::new(meta.with_attributes(attributes.finish())), payloads)
    }
}

impl Letters {
    /// Counts messages that failed together.
    fn count(&mut self, failed: &BTreeMap<u32, Vec<u64>>) -> Option<Breach> {
        let limits = self.limits;
        let breaches = failed.iter().filter_map(|(partition, sequences)| {
            self.bad.entry(*partition).or_insert_with(|| BadMessages::new(limits)).fail(sequences)
        });
        breaches.fold(None, |first, breach| first.or(Some(breach)))
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
        let Some(row) = rows.get(fault.row as usize) else { return Ok(None) };
        let shared = Arc::clone(&self.shared);
        let step = shared.steps.get(fault.step).map_or("", |step| step.name.as_str());
        // Made once, also for a list of many messages.
        let failure = Failure::new(step, fault, shared.clock.timestamp_us());
        let mut failed: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
        for message in meta.sources(*row) {
            let (partition, sequence) = (message.slot(), message.sequence());
            let told = !posted.messages.insert((fault.step, partition, sequence));
            if told || self.sent(fault.step, message) {
                continue;
            }
            let known = shared.partitions.get(partition);
            let name = known.as_ref().map_or("", |known| &known.name);
            let (message, payload) = message.as_read().unwrap_or((message, b""));
            // Until its dead letter is acknowledged.
            self.hold(partition, sequence);
            posted.push(message, sequence, &DeadLetter::new(message, payload, name, &failure))?;
            failed.entry(partition).or_default().push(sequence);
            if posted.bytes > PORTION_BYTES {
                self.send(posted, meta.stream())?;
            }
        }
        if let Some(counts) = self.progress.counts.get_mut(fault.step) {
            counts.dead_lettered += failed.values().map(|failed| failed.len() as u64).sum::<u64>();
        }
        Ok(self.letters.as_mut().and_then(|letters| letters.count(&failed)))
    }

    /// True if an earlier run has sent the dead letter; if not, this one does.
    fn sent(&mut self, step: usize, message: Metadata<'_>) -> bool {
        let again = self.letters.as_ref().is_some_and(|letters| letters.again.contains(&step));
        again && !self.progress.letters.entry(step).or_default().note(message.slot(), message.offset())
    }

    /// Writes dead letters of messages of the stream `read_from`.
    pub(super) fn send(&mut self, posted: &mut Posted, read_from: &Arc<str>) -> Result<(), LaneError> {
        let Some(mut letters) = self.letters.take_if(|_| posted.bytes > 0) else { return Ok(()) };
        crash::point("dead-letter");
        let written = letters.outbox.write(&posted.take(read_from), self);
        crash::point("dead-lettered");
        self.letters = Some(letters);
        written.inspect_err(|error| self.tear_by(error))
    }

    /// Lets go of what can't decide anything any more.
    pub(super) fn forget_letters(&mut self) {
        for (partition, bad) in self.letters.iter_mut().flat_map(|letters| &mut letters.bad) {
            if let Some(tracker) = self.trackers.get(partition) {
                bad.settled(tracker.oldest());
            }
        }
        for sent in self.progress.letters.values_mut() {
            for (partition, position) in &self.progress.settled {
                sent.settled(*partition, position.offset);
            }
        }
    }
}
