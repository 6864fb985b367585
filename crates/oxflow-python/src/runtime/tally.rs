//! Times the steps of a run.

use std::time::{Duration, Instant};

use oxflow_engine::run::{Context, ForeignSpec};

/// Messages that take less than this in the mean are timed by samples: reading the clock would be a good part of their time.
const SHORT: Duration = Duration::from_micros(20);
/// Of these one message in so many is timed.
const SAMPLE: u32 = 32;

/// How the next batch is timed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    sampled: bool,
}

/// The times of the operations of a run, for one batch.
///
/// The clock is read once between two operations: what one ends with, the next begins with. Where messages are short only
/// some are timed, and the time of all, which is exact, is dealt out as these say. A message that takes long ends that.
#[derive(Debug)]
pub(super) struct Tally<'a> {
    spec: &'a ForeignSpec,
    pace: Pace,
    messages: u32,
    began: Instant,
    /// Where the operation at hand began, if its message is timed.
    since: Option<Instant>,
    /// For each operation the time of the samples.
    samples: Vec<Duration>,
}

impl<'a> Tally<'a> {
    pub(super) fn new(spec: &'a ForeignSpec, pace: Pace) -> Self {
        let samples = vec![Duration::ZERO; spec.operations.len()];
        Self { spec, pace, messages: 0, began: Instant::now(), since: None, samples }
    }

    /// The next message comes.
    pub(super) fn begin(&mut self, context: &mut Context<'_>) {
        if !self.pace.sampled {
            self.since = self.since.or(Some(self.began));
        } else if self.messages.is_multiple_of(SAMPLE) {
            let now = Instant::now();
            if self.messages > 0 && now - self.began > SHORT * self.messages {
                self.deal_out(now, context);
            }
            self.since = Some(now);
        } else {
            self.since = None;
        }
        self.messages += 1;
    }

    /// An operation has handled a message.
    pub(super) fn handled(&mut self, operation: usize, outputs: usize, context: &mut Context<'_>) {
        if let Some(step) = self.spec.operations.get(operation).map(|operation| operation.step) {
            context.count_messages(step, 1, outputs);
        }
        self.lap(operation, context);
    }

    /// The last operation, a serializer, has handled a message.
    pub(super) fn serialised(&mut self, written: bool, context: &mut Context<'_>) {
        self.handled(self.last(), usize::from(written), context);
    }

    /// An output was given on, which is work of the last operation.
    pub(super) fn given_on(&mut self, context: &mut Context<'_>) {
        self.lap(self.last(), context);
    }

    /// The batch is through.
    pub(super) fn finish(mut self, context: &mut Context<'_>) -> Pace {
        let now = Instant::now();
        let whole = now - self.began;
        if self.pace.sampled {
            self.deal_out(now, context);
        }
        Pace { sampled: whole < SHORT * self.messages }
    }

    fn last(&self) -> usize {
        self.samples.len().saturating_sub(1)
    }

    fn lap(&mut self, operation: usize, context: &mut Context<'_>) {
        let Some(since) = self.since else { return };
        let now = Instant::now();
        self.since = Some(now);
        if !self.pace.sampled {
            self.count(operation, now - since, now, context);
        } else if let Some(sample) = self.samples.get_mut(operation) {
            *sample += now - since;
        }
    }

    /// Counts the time up to now as the samples say; from here on each message is timed.
    fn deal_out(&mut self, now: Instant, context: &mut Context<'_>) {
        let whole = now - self.began;
        let samples = std::mem::take(&mut self.samples);
        let sum: Duration = samples.iter().sum();
        for (operation, sample) in samples.iter().enumerate() {
            let share = if sum.is_zero() { 0.0 } else { sample.as_secs_f64() / sum.as_secs_f64() };
            self.count(operation, whole.mul_f64(share), now, context);
        }
        self.samples = vec![Duration::ZERO; samples.len()];
        (self.pace, self.since) = (Pace { sampled: false }, Some(now));
    }

    fn count(&self, operation: usize, time: Duration, now: Instant, context: &mut Context<'_>) {
        if let Some(operation) = self.spec.operations.get(operation) {
            context.count_time(operation.step, time, now);
        }
    }
}
