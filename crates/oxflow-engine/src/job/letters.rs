//! The dead letters of a run: where they go, and when they are too many.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Job;
use crate::connect::Sink;
use crate::lane::{Letters, Outbox};
use crate::limits::Limits;
use crate::lower::Program;

impl Job {
    /// Logical name of the stream that dead letters go to, if a step may have some.
    pub(super) fn dead_letter_stream(&self) -> Option<&str> {
        self.config.may_dead_letter(&self.plan).then_some(self.config.run.dead_letters.stream.as_str())
    }

    /// The dead letters of one lane. `kept`: a checkpoint is, so that messages may be read again.
    pub(super) fn letters(
        &self,
        program: &Program,
        sinks: &HashMap<String, Box<dyn Sink>>,
        kept: bool,
    ) -> Option<Letters> {
        let stream = self.dead_letter_stream()?;
        let config = &self.config.run.dead_letters;
        Some(Letters {
            stream: stream.to_owned(),
            outbox: Outbox::new(sinks.get(stream)?.writer()),
            again: if kept { program.unbatched() } else { BTreeSet::new() },
            limits: Limits {
                percent: config.max_percent.get(),
                after: u64::from(config.min_messages.get()),
                in_a_row: config.max_in_a_row.get(),
            },
            bad: BTreeMap::new(),
        })
    }
}
