//! What a job tells the observer of its run, beside what its lanes tell.

use std::sync::Arc;
use std::time::Duration;

use super::running::Inner;
use super::{Job, JobError};
use crate::batch::numbers_of;
use crate::connect::{Binding, Extent, StreamUrl};
use crate::lower::Program;
use crate::telemetry::{self, Observer, Provider};

impl Job {
    /// Where the run tells of itself, if anywhere: what the process has goes before what the configuration says.
    pub(super) fn provider(&self) -> Result<Option<Arc<dyn Provider>>, JobError> {
        match (&self.telemetry, &self.config.telemetry) {
            (Some(provider), _) => Ok(Some(Arc::clone(provider))),
            (None, Some(config)) => telemetry::open(config).map_err(|finding| JobError::Plan(vec![finding])),
            (None, None) => Ok(None),
        }
    }

    /// Who is told of the run, if anybody is.
    pub(super) fn observer(&self, program: &Program) -> Option<Arc<dyn Observer>> {
        let provider = self.telemetry.as_ref()?;
        Some(provider.observe(&program.steps, self.system()))
    }

    /// What the source reads, as the semantic conventions call it.
    fn system(&self) -> &'static str {
        match self.binding(&self.plan.source.stream).as_deref() {
            Ok(Binding::Url(StreamUrl::Kafka(_))) => "kafka",
            Ok(Binding::Url(StreamUrl::File { .. })) => "file",
            Ok(Binding::Url(StreamUrl::Stdin)) => "stdin",
            _ => "memory",
        }
    }
}

impl Inner {
    /// A checkpoint or commit was made, in so much time.
    pub(super) fn tell_commit(&self, time: Duration) {
        let Some(observer) = &self.shared.observer else { return };
        observer.committed(time);
        let Some(standing) = self.group.as_ref().and_then(|group| group.standing()) else { return };
        for (slot, partition) in self.shared.partitions.all() {
            if let Some(messages) = standing.partitions.get(&slot).and_then(Extent::lag) {
                observer.lag(&partition.stream, numbers_of(slot).1, messages);
            }
        }
    }

    /// The run is over.
    pub(super) fn tell_end(&self) {
        self.shared.observer.iter().for_each(|observer| observer.end());
    }
}
