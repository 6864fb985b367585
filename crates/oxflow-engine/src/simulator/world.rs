//! What a seed stands for: the messages of a source, a pipeline, and how it is run.

use std::collections::BTreeSet;

use super::random::{Random, hash};
use crate::commit::Position;
use crate::limits::Limits as BadLimits;
use crate::plan::Limits;

pub(super) struct World {
    pub(super) partitions: Vec<Vec<Message>>,
    pub(super) lanes: usize,
    /// Most messages of one reading.
    pub(super) most: u64,
    pub(super) stages: Vec<Stage>,
    /// Steps that keep marks: batching steps, and sinks before one.
    pub(super) marked: BTreeSet<usize>,
    /// Steps before one that send dead letters, and keep marks of these.
    pub(super) posting: BTreeSet<usize>,
    /// Number of outputs; the last holds the dead letters.
    pub(super) streams: usize,
    pub(super) limits: BadLimits,
}

/// A message of the source.
#[derive(Clone, Copy)]
pub(super) struct Message {
    pub(super) offset: i64,
    /// Where it lies; there may be gaps before it.
    pub(super) start: u64,
    /// Where reading goes on after it.
    pub(super) next: Position,
}

/// What a message carries: where it came from, and which of the outputs of the flat maps it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Value {
    pub(super) partition: u32,
    pub(super) offset: i64,
    pub(super) path: u64,
}

#[derive(Debug)]
pub(super) enum Stage {
    Call(Function),
    Gather { step: usize, limits: Limits },
    Route { salt: u64, branches: Vec<Vec<Stage>> },
    Broadcast { branches: Vec<Vec<Stage>> },
    Sink { function: Function, stream: usize },
}

/// A function of a step; that of a sink says what it refuses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Function {
    pub(super) step: usize,
    pub(super) policy: Policy,
    form: Form,
    salt: u64,
    /// Of a hundred neighbourhoods of messages it fails on so many.
    faulty: u64,
    /// So many offsets, as a power of two, share their fate; with none the outputs of one message may differ in it.
    neighbours: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    Fail,
    Skip,
    DeadLetter,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Map,
    Filter,
    FlatMap,
    /// A list becomes its values again.
    Each,
}

impl Value {
    pub(super) fn size(self) -> u64 {
        1 + self.hash(0) % 20
    }

    pub(super) fn hash(self, salt: u64) -> u64 {
        hash(&[salt, u64::from(self.partition), self.offset.unsigned_abs(), self.path])
    }
}

impl Function {
    pub(super) fn fails(&self, values: &[Value]) -> bool {
        let Some(first) = values.first() else { return false };
        let path = if self.neighbours == 0 { first.path } else { 0 };
        let near = Value { offset: first.offset >> self.neighbours, path, ..*first };
        near.hash(self.salt) % 100 < self.faulty
    }

    /// The payloads of the outputs.
    pub(super) fn call(&self, values: &[Value]) -> Vec<Vec<Value>> {
        let luck = values.first().map_or(0, |first| first.hash(!self.salt));
        match self.form {
            Form::Filter if luck.is_multiple_of(3) => Vec::new(),
            Form::Filter | Form::Map => vec![values.to_vec()],
            Form::FlatMap => {
                let output = |number| values.iter().map(move |value| Value { path: value.path * 4 + number, ..*value });
                (0..luck % 5).map(|number| output(number).collect()).collect()
            }
            Form::Each => values.iter().map(|value| vec![*value]).collect(),
        }
    }
}

impl World {
    pub(super) fn draw(random: &mut Random) -> Self {
        let partitions: Vec<_> = (0..random.between(1, 4)).map(|_| messages(random)).collect();
        let mut draft = Draft { random, steps: 0, streams: 0, marked: BTreeSet::new(), posting: BTreeSet::new() };
        let stages = draft.chain(0, false);
        let Draft { streams, marked, posting, .. } = draft;
        Self {
            lanes: partitions.len().min(random.index(3) + 1),
            most: random.between(1, 9),
            limits: BadLimits {
                percent: u32::try_from(random.between(20, 80)).unwrap(),
                after: random.between(4, 12),
                in_a_row: u32::try_from(random.between(2, 6)).unwrap(),
            },
            partitions,
            stages,
            marked,
            posting,
            streams: streams + 1,
        }
    }

    /// The stream of the dead letters.
    pub(super) fn letters(&self) -> usize {
        self.streams - 1
    }
}

fn messages(random: &mut Random) -> Vec<Message> {
    let (mut offset, mut end) = (random.between(0, 2), 0);
    let messages = (0..random.between(0, 16)).map(|_| {
        offset += 1 + if random.chance(20) { random.between(1, 3) } else { 0 };
        let start = end + if random.chance(20) { random.between(1, 3) } else { 0 };
        end = start + random.between(2, 9);
        let (offset, after) = (i64::try_from(offset).unwrap(), i64::try_from(offset + 1).unwrap());
        Message { offset, start, next: Position { next: end, offset: after } }
    });
    messages.collect()
}

/// A pipeline while it is drawn.
struct Draft<'r> {
    random: &'r mut Random,
    steps: usize,
    streams: usize,
    marked: BTreeSet<usize>,
    posting: BTreeSet<usize>,
}

impl Draft<'_> {
    /// `gathered`: a batching step stands before. What follows it then treats all messages of a list alike, so that it can
    /// be told what is to become of each, whatever lists they come in.
    fn chain(&mut self, depth: u32, mut gathered: bool) -> Vec<Stage> {
        let mut stages = self.calls(gathered);
        if !gathered && self.random.chance(35) {
            stages.push(self.gather());
            gathered = true;
            stages.extend(self.calls(gathered));
        }
        stages.push(match self.random.between(0, 5) {
            0 if depth < 2 => Stage::Route { salt: self.random.next(), branches: self.branches(depth + 1, gathered) },
            1 | 2 if depth < 2 => Stage::Broadcast { branches: self.branches(depth + 1, gathered) },
            _ => self.sink(gathered),
        });
        stages
    }

    fn branches(&mut self, depth: u32, gathered: bool) -> Vec<Vec<Stage>> {
        (0..self.random.between(2, 3)).map(|_| self.chain(depth, gathered)).collect()
    }

    fn calls(&mut self, gathered: bool) -> Vec<Stage> {
        let mut calls = Vec::new();
        while calls.len() < 3 && self.random.chance(40) {
            let form = match (gathered, self.random.between(0, 3)) {
                (false, 0) => Form::Filter,
                (false, 1) => Form::FlatMap,
                (true, 0) => Form::Each,
                _ => Form::Map,
            };
            calls.push(Stage::Call(self.function(form, gathered)));
        }
        calls
    }

    fn gather(&mut self) -> Stage {
        let step = self.step();
        self.marked.insert(step);
        let limits = Limits {
            messages: self.random.chance(60).then(|| self.random.between(1, 6)),
            bytes: self.random.chance(40).then(|| self.random.between(1, 60)),
            time_ms: self.random.chance(60).then(|| self.random.between(1, 60)),
        };
        Stage::Gather { step, limits }
    }

    fn sink(&mut self, gathered: bool) -> Stage {
        let function = self.function(Form::Map, gathered);
        if !gathered {
            self.marked.insert(function.step);
        }
        // Two sinks may write the same stream.
        if self.streams == 0 || self.random.chance(85) {
            self.streams += 1;
        }
        Stage::Sink { function, stream: self.random.index(self.streams) }
    }

    fn function(&mut self, form: Form, gathered: bool) -> Function {
        let policy = match (gathered, self.random.between(0, 2)) {
            (_, 0) => Policy::Fail,
            (false, 1) => Policy::Skip,
            _ => Policy::DeadLetter,
        };
        let faulty = match policy {
            _ if self.random.chance(50) => 0,
            Policy::Fail => 4,
            _ => self.random.between(5, 60),
        };
        let neighbours = if self.random.chance(50) { 2 } else { 0 };
        let function = Function { step: self.step(), policy, form, salt: self.random.next(), faulty, neighbours };
        if !gathered && policy == Policy::DeadLetter {
            self.posting.insert(function.step);
        }
        function
    }

    fn step(&mut self) -> usize {
        self.steps += 1;
        self.steps
    }
}
