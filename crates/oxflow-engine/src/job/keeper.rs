//! Keeps the checkpoint of a run, where it has one.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::outputs::Outputs;
use super::{Job, JobError};
use crate::checkpoint::{
    self, Checkpoint, CheckpointError, DeadLetterState, Identity, Marks, Sent, SinkState, SourceState, Store, VERSION,
};
use crate::config::{Delivery, Policy};
use crate::connect::{Opened, Sink};
use crate::crash;
use crate::diagnostic::{Code, Diagnostic};
use crate::lane::{Progress, Shared};
use crate::lower::{Program, Stage};
use crate::report::StepInfo;

/// A checkpoint that is kept, and what it was when the run started.
pub(super) struct Kept {
    pub(super) store: Store,
    pub(super) identities: Vec<Identity>,
    pub(super) before: Option<Checkpoint>,
}

impl Job {
    /// The checkpoint that this run keeps: between files, unless it is told not to.
    pub(super) fn kept(
        &self,
        program: &Program,
        source: &Opened,
        outputs: &Outputs<'_>,
    ) -> Result<Option<Kept>, JobError> {
        let files = &outputs.files;
        let obstacle = obstacle(&program.stages, source, files);
        let wanted = self.config.run.delivery;
        if self.is_transactional(source) {
            return Ok(None);
        }
        if let (Some(Delivery::ExactlyOnce), Some(why)) = (wanted, obstacle) {
            return Err(JobError::Plan(vec![impossible(why)]));
        }
        let Some(path) = outputs.checkpoint.clone() else { return Ok(None) };
        let store = Store::new(path);
        let keeps = obstacle.is_none() && wanted != Some(Delivery::AtLeastOnce);
        let Some(identities) = source.identities.clone().filter(|_| keeps) else {
            // This run writes the outputs without it, so that it would mislead a later one.
            store.discard()?;
            return Ok(None);
        };
        let before = store.load()?.filter(|checkpoint| checkpoint.belongs_to(files));
        if let Some(checkpoint) = &before {
            verify(&store, checkpoint, &identities)?;
            same_steps(&store, checkpoint, &program.steps)?;
        }
        Ok(Some(Kept { store, identities, before }))
    }
}

/// Refuses marks of steps that have other names now: nobody could tell which is which.
fn same_steps(store: &Store, checkpoint: &Checkpoint, steps: &[StepInfo]) -> Result<(), CheckpointError> {
    let now: BTreeSet<&str> = marked(steps).map(|(_, name)| name).collect();
    let then: BTreeSet<&str> = checkpoint.marks.keys().map(String::as_str).collect();
    if now == then {
        return Ok(());
    }
    let listed = |names: BTreeSet<&str>| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let why = format!("then its sinks and batches were {}, now they are {}", listed(then), listed(now));
    Err(CheckpointError::PipelineChanged { path: store.path().to_owned(), why })
}

/// The steps where a branch may be further than another: their numbers and names.
fn marked(steps: &[StepInfo]) -> impl Iterator<Item = (usize, &str)> {
    let marked = steps.iter().enumerate().filter(|(_, step)| matches!(step.kind, "sink" | "batch"));
    marked.map(|(number, step)| (number, step.name.as_str()))
}

/// The steps that may have dead letters. A sink has marks of both: it may refuse one output of a message and write another.
fn posting(shared: &Shared) -> impl Iterator<Item = (usize, &str)> {
    let steps = shared.steps.iter().zip(&shared.policies).enumerate();
    let posting = steps.filter(|(_, (_, policy))| **policy == Policy::DeadLetter);
    posting.map(|(number, (step, _))| (number, step.name.as_str()))
}

/// Why a run can't be exactly once, if it can't.
fn obstacle(stages: &[Stage], source: &Opened, files: &BTreeMap<String, PathBuf>) -> Option<&'static str> {
    if source.identities.is_none() {
        return Some("its source is not files, which could be read again");
    }
    if files.is_empty() {
        return Some("it writes no file, which could be cut to what is known to be good");
    }
    // What waits in the second batch has passed the first, so that neither could tell what is to be read again.
    batches_nest(stages, false).then_some("a batching step comes after another one")
}

fn batches_nest(stages: &[Stage], mut after: bool) -> bool {
    stages.iter().any(|stage| match stage {
        Stage::Gather { .. } => std::mem::replace(&mut after, true),
        Stage::Route { branches, .. } | Stage::Broadcast { branches, .. } => {
            branches.iter().any(|branch| batches_nest(branch, after))
        }
        _ => false,
    })
}

fn impossible(why: &str) -> Diagnostic {
    Diagnostic::new(Code::InvalidValue, "`run.delivery` is `exactly_once`, which this run cannot be")
        .because(why)
        .fix("read and write files, or topics of one cluster of Kafka, or set `run.delivery: at_least_once`")
}

/// Refuses to go on with files that are not what they were.
fn verify(store: &Store, checkpoint: &Checkpoint, identities: &[Identity]) -> Result<(), CheckpointError> {
    let path = store.path().to_owned();
    let changed =
        |file: PathBuf, why: &str| CheckpointError::SourceChanged { path: path.clone(), file, why: why.to_owned() };
    for (index, state) in checkpoint.sources.iter().enumerate() {
        let file = state.identity.path.clone();
        let refused = |source| CheckpointError::Io { path: file.clone(), verb: "read", source };
        if let Some(why) = state.identity.differs().map_err(refused)? {
            return Err(changed(file, &why));
        }
        if identities.get(index).is_none_or(|now| now.path != file) {
            return Err(changed(file, "it is no longer at its place among the files of the source"));
        }
    }
    for state in checkpoint.sinks.values() {
        let length = state.path.metadata().map_or(0, |metadata| metadata.len());
        if length < state.length {
            let file = state.path.clone();
            return Err(CheckpointError::SinkChanged { path, file, length, expected: state.length });
        }
    }
    Ok(())
}

impl Kept {
    /// How far each step had come, by its number in this run.
    pub(super) fn marks(&self, steps: &[StepInfo]) -> HashMap<usize, Marks> {
        by_number(self.before.iter().flat_map(|checkpoint| &checkpoint.marks), steps)
    }

    /// Which messages each step had sent to the dead letters.
    pub(super) fn letters(&self, steps: &[StepInfo]) -> HashMap<usize, Sent> {
        let letters = self.before.iter().flat_map(|checkpoint| &checkpoint.dead_letters);
        by_number(letters.flat_map(|state| &state.sent), steps)
    }

    /// What a lane starts with.
    pub(super) fn progress(&self, steps: &[StepInfo]) -> Progress {
        let sources = self.before.iter().flat_map(|checkpoint| &checkpoint.sources);
        let settled = (0..).zip(sources).filter_map(|(partition, state)| Some((partition, state.position?))).collect();
        let marks = self.marks(steps).into_iter().collect();
        Progress { settled, marks, letters: self.letters(steps).into_iter().collect(), ..Progress::default() }
    }
}

fn by_number<'a, T: Clone + 'a>(
    by_name: impl Iterator<Item = (&'a String, &'a T)>,
    steps: &[StepInfo],
) -> HashMap<usize, T> {
    let number = |name: &str| steps.iter().position(|step| step.name == name);
    by_name.filter_map(|(name, value)| Some((number(name)?, value.clone()))).collect()
}

/// Takes checkpoints of a run that goes on.
pub(super) struct Keeper {
    pub(super) kept: Kept,
    pub(super) shared: Arc<Shared>,
    /// Logical name of the stream of the dead letters, where a run may have some.
    pub(super) dead_letters: Option<String>,
}

impl Keeper {
    /// Makes what was written last, and writes down how far everything is. Lanes wait meanwhile.
    pub(super) fn save(&self, sinks: &HashMap<String, Box<dyn Sink>>) -> Result<(), JobError> {
        let _nothing_moves = self.shared.gate.write().unwrap_or_else(PoisonError::into_inner);
        self.shared.keep(|| self.save_all(sinks))
    }

    fn save_all(&self, sinks: &HashMap<String, Box<dyn Sink>>) -> Result<(), JobError> {
        if self.shared.torn.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut states = BTreeMap::new();
        for (stream, sink) in sinks {
            states.extend(sink.sync()?.map(|state| (stream.clone(), state)));
        }
        crash::point("sinks-synced");
        self.kept.store.save(&self.checkpoint(states))?;
        self.shared.commit(self.shared.settled());
        Ok(())
    }

    /// The checkpoint, if there is one now.
    pub(super) fn file(&self) -> Option<String> {
        let path = self.kept.store.path();
        path.exists().then(|| path.display().to_string())
    }

    /// Whether the run went on where an earlier one had stopped.
    pub(super) fn resumed(&self) -> bool {
        let sources = self.kept.before.iter().flat_map(|checkpoint| &checkpoint.sources);
        sources.into_iter().any(|source| source.position.is_some())
    }

    /// Where reading of a partition went on.
    pub(super) fn resumed_at(&self, partition: u32) -> Option<u64> {
        let sources = &self.kept.before.as_ref()?.sources;
        sources.get(usize::try_from(partition).ok()?)?.position.map(|position| position.next)
    }

    /// Ends the keeping: a run that did everything needs no checkpoint, nor does one that failed before it did anything.
    /// Another input may be meant to come next.
    pub(super) fn finish(&self, sinks: &HashMap<String, Box<dyn Sink>>, failed: bool) -> Result<(), JobError> {
        self.save(sinks)?;
        let done = !failed && self.shared.each_progress().iter().all(|progress| progress.ended);
        crash::point("drained");
        if done || (failed && self.untouched()) {
            self.kept.store.remove()?;
            crash::point("checkpoint-removed");
        }
        Ok(())
    }

    /// True if the run began anew, and no message is settled, nor has passed a place.
    fn untouched(&self) -> bool {
        let nothing = |lane: &Progress| {
            lane.settled.is_empty()
                && lane.marks.values().all(Marks::is_empty)
                && lane.letters.values().all(|sent| *sent == Sent::default())
        };
        let torn = self.shared.torn.load(Ordering::Acquire);
        self.kept.before.is_none() && !torn && self.shared.each_progress().iter().all(nothing)
    }

    fn checkpoint(&self, mut sinks: BTreeMap<String, SinkState>) -> Checkpoint {
        let lanes = self.shared.each_progress();
        let settled = self.shared.settled();
        let identities = self.kept.identities.iter().cloned();
        let sources = (0..)
            .zip(identities)
            .map(|(partition, identity)| SourceState { identity, position: settled.get(&partition).copied() });
        let mark = |(number, name): (usize, &str)| {
            (name.to_owned(), checkpoint::merge(lanes.iter().filter_map(|lane| lane.marks.get(&number))))
        };
        let letters = |(number, name): (usize, &str)| {
            let mut sent = Sent::default();
            lanes.iter().filter_map(|lane| lane.letters.get(&number)).for_each(|lane| sent.join(lane));
            for (partition, position) in &settled {
                sent.settled(*partition, position.offset);
            }
            (name.to_owned(), sent)
        };
        let dead_letters = self.dead_letters.as_ref().map(|stream| DeadLetterState {
            sink: sinks.remove(stream),
            sent: posting(&self.shared).map(letters).collect(),
        });
        let marks = marked(&self.shared.steps).map(mark).collect();
        Checkpoint { version: VERSION, sinks, sources: sources.collect(), marks, dead_letters }
    }
}
