//! A lane without its thread: `crate::lane` in small.

use std::collections::{BTreeMap, BTreeSet};

use super::flow;
use super::outside::{End, Outside};
use super::watched::{Commits, Failures, Lists};
use super::world::{Function, Stage, Value, World};
use crate::checkpoint::{Marks, Passed, Sent};
use crate::commit::Position;

/// A message on its way.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// The messages of the source that it stands for: a list stands for several. It has the origin of the first.
    pub(super) sources: Vec<Origin>,
    pub(super) values: Vec<Value>,
}

/// A message of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) partition: u32,
    pub(super) offset: i64,
    pub(super) sequence: u64,
}

impl Row {
    /// Partition and offset, which marks go by.
    pub(super) fn place(&self) -> (u32, i64) {
        (self.sources[0].partition, self.sources[0].offset)
    }
}

pub(super) enum Node<'w> {
    Call(&'w Function),
    Gather(Gather),
    Route { salt: u64, branches: Vec<Vec<Node<'w>>> },
    Broadcast { branches: Vec<Vec<Node<'w>>> },
    Sink { function: &'w Function, stream: usize, passed: Option<Passed> },
}

pub(super) struct Gather {
    pub(super) step: usize,
    pub(super) lists: Lists,
    pub(super) pending: Vec<Row>,
    pub(super) passed: Option<Passed>,
}

/// How far a lane came.
#[derive(Clone, Default)]
pub(super) struct Progress {
    pub(super) settled: BTreeMap<u32, Position>,
    pub(super) marks: BTreeMap<usize, Marks>,
    /// Which messages of each step are dead letters.
    pub(super) letters: BTreeMap<usize, Sent>,
    pub(super) ended: bool,
}

pub(super) struct State {
    pub(super) progress: Progress,
    /// A step did not handle all of a batch.
    pub(super) short: bool,
    /// Steps that may be given a message again.
    pub(super) again: BTreeSet<usize>,
    pub(super) partitions: BTreeMap<u32, Partition>,
}

/// A partition of a lane.
pub(super) struct Partition {
    /// Index of the message that comes next.
    cursor: usize,
    pub(super) commits: Commits,
    pub(super) failures: Failures,
}

pub(super) struct Lane<'w> {
    nodes: Vec<Node<'w>>,
    state: State,
    /// What a checkpoint sees.
    pub(super) published: Progress,
    pub(super) finished: bool,
}

impl<'w> Lane<'w> {
    /// `start`: how far an earlier run came.
    pub(super) fn new(world: &'w World, number: usize, start: &Progress) -> Self {
        let mine = (0u32..).zip(&world.partitions).enumerate().filter(|(index, _)| index % world.lanes == number);
        let partitions = mine.map(|(_, (partition, messages))| {
            let next = start.settled.get(&partition).map_or(0, |position| position.next);
            let cursor = messages.iter().take_while(|message| message.start < next).count();
            (partition, Partition { cursor, commits: Commits::default(), failures: Failures::new(world.limits) })
        });
        let state = State {
            progress: start.clone(),
            short: false,
            again: world.posting.clone(),
            partitions: partitions.collect(),
        };
        let nodes = build(&world.stages, &start.marks, true);
        Self { nodes, state, published: start.clone(), finished: false }
    }

    /// Carries one batch, or ends.
    pub(super) fn turn(&mut self, outside: &mut Outside<'_>) -> Result<(), End> {
        outside.pass("before a batch")?;
        let ends = self.state.progress.ended || outside.stop;
        let went = if ends { self.close(outside) } else { self.carry(outside) };
        if went == Err(End::Crash) {
            return went;
        }
        if ends {
            self.state.progress.ended &= !self.state.short;
        }
        self.finished = ends || went.is_err();
        self.publish();
        went
    }

    fn carry(&mut self, outside: &mut Outside<'_>) -> Result<(), End> {
        if outside.random.chance(90) {
            let rows = self.poll(outside);
            self.state.progress.ended = rows.is_empty();
            flow::push(&mut self.nodes, rows, &mut self.state, outside)?;
        }
        let now = outside.now;
        flow::each_gather(&mut self.nodes, &mut self.state, outside, &mut |lists| lists.expire(now))
    }

    fn close(&mut self, outside: &mut Outside<'_>) -> Result<(), End> {
        if !self.state.progress.ended {
            return Ok(());
        }
        flow::each_gather(&mut self.nodes, &mut self.state, outside, &mut |_| true)
    }

    /// Messages of one partition, or of two; none at the end.
    fn poll(&mut self, outside: &mut Outside<'_>) -> Vec<Row> {
        let mut rows = Vec::new();
        for _ in 0..outside.random.between(1, 2) {
            let of = |partition: &u32| &outside.world.partitions[*partition as usize];
            let left = self.state.partitions.iter().filter(|(number, of_it)| of_it.cursor < of(number).len());
            let left: Vec<u32> = left.map(|(partition, _)| *partition).collect();
            if left.is_empty() {
                break;
            }
            let partition = left[outside.random.index(left.len())];
            for _ in 0..outside.random.between(1, outside.world.most) {
                rows.extend(self.state.read(partition, outside.world));
            }
        }
        outside.log.tell("read", || format!("{:?}", rows.iter().map(Row::place).collect::<Vec<_>>()));
        rows
    }

    fn publish(&mut self) {
        for (partition, of_it) in &mut self.state.partitions {
            if let Some(position) = of_it.commits.commit() {
                self.state.progress.settled.insert(*partition, position);
            }
            of_it.failures.settled(of_it.commits.settled());
        }
        for sent in self.state.progress.letters.values_mut() {
            let settled = &self.state.progress.settled;
            for (partition, position) in settled {
                sent.settled(*partition, position.offset);
            }
        }
        self.published = self.state.progress.clone();
    }
}

fn build<'w>(stages: &'w [Stage], marks: &BTreeMap<usize, Marks>, mut first: bool) -> Vec<Node<'w>> {
    let mut nodes = Vec::new();
    for stage in stages {
        nodes.push(node(stage, marks, first));
        first &= !matches!(stage, Stage::Gather { .. });
    }
    nodes
}

fn node<'w>(stage: &'w Stage, marks: &BTreeMap<usize, Marks>, first: bool) -> Node<'w> {
    let passed = |step: &usize| first.then(|| Passed::resume(marks.get(step).cloned().unwrap_or_default()));
    let build = |branches: &'w [Vec<Stage>]| branches.iter().map(|branch| build(branch, marks, first)).collect();
    match stage {
        Stage::Call(function) => Node::Call(function),
        Stage::Gather { step, limits } => {
            let (lists, passed) = (Lists::new(*limits), passed(step));
            Node::Gather(Gather { step: *step, lists, pending: Vec::new(), passed })
        }
        Stage::Route { salt, branches } => Node::Route { salt: *salt, branches: build(branches) },
        Stage::Broadcast { branches } => Node::Broadcast { branches: build(branches) },
        Stage::Sink { function, stream } => Node::Sink { function, stream: *stream, passed: passed(&function.step) },
    }
}

impl State {
    fn read(&mut self, partition: u32, world: &World) -> Option<Row> {
        let of_it = self.partitions.get_mut(&partition)?;
        let message = world.partitions[partition as usize].get(of_it.cursor)?;
        of_it.cursor += 1;
        let sequence = of_it.commits.read(message.next);
        let value = Value { partition, offset: message.offset, path: 1 };
        let origin = Origin { partition, offset: message.offset, sequence };
        Some(Row { sources: vec![origin], values: vec![value] })
    }

    /// The outputs of a row changed from one to `outputs`.
    pub(super) fn fan_out(&mut self, row: &Row, outputs: usize) {
        for source in &row.sources {
            let commits = &mut self.partitions.get_mut(&source.partition).unwrap().commits;
            match outputs.checked_sub(1) {
                None => commits.settle(source.sequence),
                Some(more) => commits.hold(source.sequence, u32::try_from(more).unwrap()),
            }
        }
    }
}
