//! What a lane tells the observer of its run. Where there is none, each of these looks once and does nothing.

use std::sync::Arc;
use std::time::Instant;

use super::LaneError;
use crate::batch::Batch;
use crate::host;
use crate::run::StepCounts;
use crate::telemetry::{Observer, Stretch};

/// What an observer was told, and what it is still to be told of.
#[derive(Debug, Default)]
pub(super) struct Told {
    observer: Option<Arc<dyn Observer>>,
    /// The counters of the steps, as it knows them.
    counts: Vec<StepCounts>,
    batch: Option<Carried>,
}

/// The batch that the lane carries.
#[derive(Debug)]
struct Carried {
    stream: Arc<str>,
    began: Instant,
    span: Box<dyn Stretch>,
}

impl Told {
    pub(super) fn to(observer: Option<&Arc<dyn Observer>>) -> Self {
        Self { observer: observer.map(Arc::clone), ..Self::default() }
    }

    /// The lane begins to carry a batch.
    pub(super) fn begin(&mut self, lane: usize, batch: &Batch) {
        let Some(observer) = &self.observer else { return };
        let span = observer.batch(lane, batch);
        host::in_span(Some(&span.export()));
        self.batch = Some(Carried { stream: Arc::clone(batch.meta().stream()), began: Instant::now(), span });
    }

    /// A run of steps begins.
    pub(super) fn run(&self, steps: &[usize], messages: usize) -> Option<Box<dyn Stretch>> {
        let span = self.batch.as_ref()?.span.run(steps, messages);
        host::in_span(Some(&span.export()));
        Some(span)
    }

    /// A run of steps is over; a message may have ended the run of the pipeline.
    pub(super) fn ran<T>(&self, span: Option<Box<dyn Stretch>>, went: &Result<(T, Result<(), LaneError>), LaneError>) {
        let Some(span) = span else { return };
        host::in_span(self.batch.as_ref().map(|batch| batch.span.export()).as_ref());
        if let Err(error) | Ok((_, Err(error))) = went {
            span.fail(&error.to_string());
        }
    }

    /// The lane has carried the batch.
    pub(super) fn end(&mut self, counts: &[StepCounts], went: &Result<(), LaneError>) {
        let (Some(observer), Some(batch)) = (&self.observer, self.batch.take()) else { return };
        let Carried { stream, began, span } = batch;
        observer.carried(&stream, began.elapsed());
        if let Err(error) = went {
            span.fail(&error.to_string());
        }
        drop(span);
        host::in_span(None);
        self.count(counts);
    }

    /// Tells what came to the counters since.
    pub(super) fn count(&mut self, counts: &[StepCounts]) {
        let Some(observer) = &self.observer else { return };
        self.counts.resize(counts.len(), StepCounts::default());
        let added: Vec<_> = counts.iter().zip(&self.counts).map(|(now, before)| now.since(before)).collect();
        observer.counted(&added);
        self.counts.copy_from_slice(counts);
    }
}
