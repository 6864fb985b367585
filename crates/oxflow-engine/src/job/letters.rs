//! The dead letters of a run: where they go, and when they are too many.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use super::{Job, JobError};
use crate::checkpoint::{Checkpoint, SinkState};
use crate::config::Policy;
use crate::connect::{Binding, FileKey, Sink, StreamUrl, open_sink};
use crate::lane::Letters;
use crate::limits::Limits;
use crate::lower::Program;

impl Job {
    /// Logical name of the stream that dead letters go to, if a step may have some.
    pub(super) fn dead_letter_stream(&self, program: &Program) -> Option<&str> {
        let posts = |name: &str| self.config.step(name).on_error.policy() == Policy::DeadLetter;
        let stream = self.config.run.dead_letters.stream.as_str();
        program.steps.iter().any(|step| posts(&step.name)).then_some(stream)
    }

    /// Opens the stream of the dead letters. What other runs left in the file stays: it is there to be looked at.
    pub(super) fn open_dead_letters(
        &self,
        stream: &str,
        before: Option<&Checkpoint>,
    ) -> Result<Box<dyn Sink>, JobError> {
        let binding = match self.binding(stream)?.into_owned() {
            Binding::Url(StreamUrl::File { path, .. }) => Binding::Url(StreamUrl::File { path, append: true }),
            other => other,
        };
        let state = before.and_then(|before| before.dead_letters.as_ref()?.sink.as_ref());
        let state = state.filter(|state| binding.written_file().is_some_and(|path| holds(&path, state)));
        Ok(open_sink(stream, &binding, state)?)
    }

    /// The dead letters of one lane. `kept`: a checkpoint is, so that messages may be read again.
    pub(super) fn letters(
        &self,
        program: &Program,
        sinks: &HashMap<String, Box<dyn Sink>>,
        kept: bool,
    ) -> Option<Letters> {
        let stream = self.dead_letter_stream(program)?;
        let config = &self.config.run.dead_letters;
        Some(Letters {
            stream: stream.to_owned(),
            writer: sinks.get(stream)?.writer(),
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

/// True if the file still has what a checkpoint says. Somebody may have taken the dead letters away meanwhile.
fn holds(path: &Path, state: &SinkState) -> bool {
    FileKey::of(path) == FileKey::of(&state.path)
        && path.metadata().is_ok_and(|metadata| metadata.len() >= state.length)
}
