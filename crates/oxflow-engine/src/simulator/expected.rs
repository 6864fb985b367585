//! What has to be in the outputs in the end, found without batches, lanes or checkpoints, and whether it is.

use std::collections::BTreeMap;

use super::disk::Disk;
use super::world::{Function, Policy, Stage, Value, World};

/// Values of a step, by partition, in order.
type Values = BTreeMap<u32, Vec<Value>>;

/// Asserts that every output is at its place once, and in order.
#[track_caller]
pub(super) fn verify(world: &World, disk: &Disk) {
    let mut values = Values::new();
    for (partition, messages) in (0u32..).zip(&world.partitions) {
        let mine = messages.iter().map(|message| Value { partition, offset: message.offset, path: 1 });
        values.insert(partition, mine.collect());
    }
    Verifier { world, disk }.chain(&world.stages, &values);
}

struct Verifier<'w> {
    world: &'w World,
    disk: &'w Disk,
}

impl Verifier<'_> {
    /// The values come to these stages one by one.
    fn chain(&self, stages: &[Stage], values: &Values) {
        let Some((stage, rest)) = stages.split_first() else { return };
        match stage {
            Stage::Call(function) => {
                let passed = self.handled(function, values);
                let outputs = |value: &Value| function.call(&[*value]).concat();
                self.chain(rest, &each(&passed, |values| values.iter().flat_map(outputs).collect()));
            }
            Stage::Gather { .. } => self.lists(rest, values),
            Stage::Route { salt, branches } => {
                let count = branches.len() as u64;
                for (number, branch) in (0..).zip(branches) {
                    let mine = |value: &&Value| value.hash(*salt) % count == number;
                    self.chain(branch, &each(values, |values| values.iter().filter(mine).copied().collect()));
                }
            }
            Stage::Broadcast { branches } => branches.iter().for_each(|branch| self.chain(branch, values)),
            Stage::Sink { function, stream } => {
                let passed = self.handled(function, values);
                assert_eq!(full(passed), self.found(function.step, *stream), "sink {}", function.step);
            }
        }
    }

    /// The values that a function does not fail on; those that it does are looked for among the dead letters.
    fn handled(&self, function: &Function, values: &Values) -> Values {
        let fails = |value: &&Value| function.policy != Policy::Fail && function.fails(&[**value]);
        if function.policy == Policy::DeadLetter {
            let failed = full(each(values, |values| firsts(values.iter().filter(fails))));
            assert_eq!(failed, self.letters(function.step), "dead letters of step {}", function.step);
        }
        each(values, |values| values.iter().filter(|value| !fails(value)).copied().collect())
    }

    /// The values come to these stages in lists, of which nobody knows how they were cut.
    fn lists(&self, stages: &[Stage], values: &Values) {
        let (expected, arrived) = (sorted(full(values.clone())), sorted(self.arrived(stages, values)));
        assert_eq!(expected, arrived, "values that went through a batching step");
    }

    /// What came to an end behind these stages. `values`: all that came to the batching step.
    fn arrived(&self, stages: &[Stage], values: &Values) -> Values {
        let mut arrived = Values::new();
        for stage in stages {
            let mut add = |more: Values| {
                for (partition, values) in more {
                    arrived.entry(partition).or_default().extend(values);
                }
            };
            match stage {
                Stage::Call(function) => add(self.in_order(function.step, self.world.letters(), values)),
                Stage::Sink { function, stream } => {
                    add(self.in_order(function.step, self.world.letters(), values));
                    add(self.in_order(function.step, *stream, values));
                }
                Stage::Route { branches, .. } => branches.iter().for_each(|branch| add(self.arrived(branch, values))),
                Stage::Broadcast { branches } => add(self.copies(branches, values)),
                Stage::Gather { .. } => unreachable!("one batching step on a way"),
            }
        }
        arrived
    }

    /// What arrived in each branch, which is the same in all.
    fn copies(&self, branches: &[Vec<Stage>], values: &Values) -> Values {
        let mut copies = branches.iter().map(|branch| sorted(self.arrived(branch, values)));
        let first = copies.next().unwrap_or_default();
        copies.for_each(|copy| assert_eq!(first, copy, "branches of a broadcast"));
        first
    }

    fn in_order(&self, step: usize, stream: usize, values: &Values) -> Values {
        let found = self.found(step, stream);
        for (partition, found) in &found {
            let mut rest = values[partition].iter();
            let ordered = found.iter().all(|value| rest.any(|other| other == value));
            assert!(ordered, "step {step} gave {found:?} out of order in stream {stream}");
        }
        found
    }

    /// The messages that a step sent to the dead letters.
    fn letters(&self, step: usize) -> Values {
        let mut letters = Values::new();
        let items = self.disk.streams[self.world.letters()].items.iter().filter(|item| item.step == step);
        for value in items.filter_map(|item| item.values.first()) {
            letters.entry(value.partition).or_default().push(Value { path: 1, ..*value });
        }
        letters
    }

    /// What a step left in a stream.
    fn found(&self, step: usize, stream: usize) -> Values {
        let mut found = Values::new();
        let items = self.disk.streams[stream].items.iter().filter(|item| item.step == step);
        items.flat_map(|item| &item.values).for_each(|value| found.entry(value.partition).or_default().push(*value));
        found
    }
}

fn each(values: &Values, change: impl Fn(&[Value]) -> Vec<Value>) -> Values {
    values.iter().map(|(partition, values)| (*partition, change(values))).collect()
}

fn sorted(mut values: Values) -> Values {
    for values in values.values_mut() {
        values.sort_unstable();
    }
    values
}

/// Without the partitions that have none.
fn full(values: Values) -> Values {
    values.into_iter().filter(|(_, values)| !values.is_empty()).collect()
}

/// The messages that the values came from.
fn firsts<'v>(values: impl Iterator<Item = &'v Value>) -> Vec<Value> {
    let mut messages: Vec<Value> = values.map(|value| Value { path: 1, ..*value }).collect();
    messages.dedup();
    messages
}
