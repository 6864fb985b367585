//! What is measured of a run. Each batch adds to it once, however many messages it has.

use std::sync::Arc;
use std::time::Duration;

use oxflow_telemetry::{AttributeLimits, Attributes, Draft, Instrument, InstrumentKind, Metrics, Number, Scope, Value};

use crate::plan::Language;
use crate::report::StepInfo;
use crate::run::StepCounts;

/// Where the buckets of times end, in seconds: those of the semantic conventions, and finer ones for batches that are small.
const SECONDS: [f64; 18] = [
    0.000_01, 0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// The instruments of a run.
#[derive(Debug)]
pub(super) struct Measures {
    system: &'static str,
    batch: &'static Instrument,
    duration: &'static Instrument,
    wait: &'static Instrument,
    hold: &'static Instrument,
    came: &'static Instrument,
    went: &'static Instrument,
    failed: &'static Instrument,
    letters: &'static Instrument,
    commit: &'static Instrument,
    lag: &'static Instrument,
}

impl Measures {
    pub(super) fn of(metrics: &'static Metrics, scope: &Arc<Scope>, system: &'static str) -> Self {
        let make = |kind, name: &str, unit: &str, description: &str| {
            let (name, unit, description) = (name.to_owned(), unit.to_owned(), description.to_owned());
            let bounds = (kind == InstrumentKind::Histogram).then(|| SECONDS.to_vec());
            metrics.instrument(scope, Draft { kind, name, unit, description, bounds })
        };
        let time = |name, description| make(InstrumentKind::Histogram, name, "s", description);
        let sum = |name, description| make(InstrumentKind::Counter, name, "{message}", description);
        let gauge = |name, description| make(InstrumentKind::Gauge, name, "{message}", description);
        Self {
            system,
            batch: time("messaging.process.duration", "Time from the reading of a batch to its end."),
            duration: time("oxflow.step.duration", "Time of a batch in a step."),
            wait: time("oxflow.step.interpreter.wait", "Time that a batch waited for the interpreter in a step."),
            hold: time("oxflow.step.interpreter.hold", "Time that a batch held the interpreter in a step."),
            came: sum("oxflow.step.messages.in", "Messages that came to a step."),
            went: sum("oxflow.step.messages.out", "Messages that a step gave."),
            failed: sum("oxflow.step.messages.failed", "Messages that a step failed on."),
            letters: sum("oxflow.step.dead_letters", "Messages that became dead letters."),
            commit: time("oxflow.commit.duration", "Time that a checkpoint or commit took."),
            lag: gauge("oxflow.source.lag", "Messages between what is committed and the end of a partition."),
        }
    }

    pub(super) fn batch(&self, stream: &str, time: Duration) {
        if self.batch.is_read() {
            let attributes = attributes(&[
                ("messaging.system", self.system.into()),
                ("messaging.operation.name", "process".into()),
                ("messaging.destination.name", stream.into()),
            ]);
            seconds(self.batch, time, attributes);
        }
    }

    pub(super) fn step(&self, step: &StepInfo, added: &StepCounts) {
        if !self.duration.is_read() {
            return;
        }
        let named =
            attributes(&[("oxflow.step.name", step.name.as_str().into()), ("oxflow.step.kind", step.kind.into())]);
        let mut spoken = named.clone();
        if let Some(language) = step.language.map(Language::word) {
            spoken.set("oxflow.step.language", &language.into(), &AttributeLimits::default());
        }
        seconds(self.duration, added.time, spoken);
        if step.language == Some(Language::Python) {
            seconds(self.wait, added.waiting, named.clone());
            seconds(self.hold, added.time.saturating_sub(added.waiting), named.clone());
        }
        let sums = [
            (self.came, added.messages_in),
            (self.went, added.messages_out),
            (self.failed, added.errors),
            (self.letters, added.dead_lettered),
        ];
        for (instrument, count) in sums.into_iter().filter(|(_, count)| *count > 0) {
            instrument.record(whole(count), named.clone());
        }
    }

    pub(super) fn commit(&self, time: Duration) {
        seconds(self.commit, time, Attributes::new());
    }

    pub(super) fn lag(&self, stream: &str, partition: u32, messages: u64) {
        let partition = partition.to_string();
        let attributes = attributes(&[
            ("messaging.destination.name", stream.into()),
            ("messaging.destination.partition.id", partition.as_str().into()),
        ]);
        self.lag.record(whole(messages), attributes);
    }
}

fn attributes(pairs: &[(&str, Value<'_>)]) -> Attributes {
    let mut attributes = Attributes::new();
    for (name, value) in pairs {
        attributes.add(name, value, &AttributeLimits::default());
    }
    attributes
}

fn seconds(instrument: &Instrument, time: Duration, attributes: Attributes) {
    instrument.record(Number::Float(time.as_secs_f64()), attributes);
}

pub(super) fn whole(count: u64) -> Number {
    Number::Int(i64::try_from(count).unwrap_or(i64::MAX))
}
