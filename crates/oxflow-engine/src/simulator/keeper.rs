//! Takes checkpoints and goes on from them: `crate::job::keeper` and the store in small.

use std::collections::BTreeMap;

use super::lane::{Lane, Progress};
use super::outside::{End, Outside};
use crate::checkpoint::{Checkpoint, DeadLetterState, Identity, Marks, Sent, SinkState, SourceState, VERSION, merge};

/// Cuts the outputs to the checkpoint; gives how far the earlier runs came.
pub(super) fn resume(outside: &mut Outside<'_>) -> Progress {
    let Some(text) = &outside.disk.checkpoint else {
        outside.disk.streams.iter_mut().for_each(|stream| stream.cut(0));
        return Progress::default();
    };
    let checkpoint: Checkpoint = serde_json::from_slice(text).unwrap();
    for (number, stream) in outside.disk.streams.iter_mut().enumerate() {
        let letters = checkpoint.dead_letters.as_ref().and_then(|letters| letters.sink.as_ref());
        let state = checkpoint.sinks.get(&number.to_string()).or(letters);
        stream.cut(state.unwrap().length);
    }
    outside.log.tell("resumed", || format!("{} outputs are cut", checkpoint.sinks.len()));
    progress(&checkpoint)
}

fn progress(checkpoint: &Checkpoint) -> Progress {
    let sources = (0..).zip(&checkpoint.sources);
    Progress {
        settled: sources.filter_map(|(partition, state)| Some((partition, state.position?))).collect(),
        marks: by_number(&checkpoint.marks),
        letters: checkpoint.dead_letters.as_ref().map(|letters| by_number(&letters.sent)).unwrap_or_default(),
        ended: false,
    }
}

fn by_number<T: Clone>(by_name: &BTreeMap<String, T>) -> BTreeMap<usize, T> {
    by_name.iter().map(|(step, value)| (step.parse().unwrap(), value.clone())).collect()
}

/// Syncs the outputs, then replaces the checkpoint.
pub(super) fn save(lanes: &[Lane<'_>], outside: &mut Outside<'_>) -> Result<(), End> {
    if outside.torn {
        return Ok(());
    }
    let mut lengths = Vec::new();
    for number in 0..outside.disk.streams.len() {
        outside.pass("before a sync")?;
        lengths.push(outside.disk.streams[number].sync());
    }
    outside.pass("sinks-synced")?;
    let checkpoint = checkpoint(lanes, &lengths, outside);
    let text = serde_json::to_vec(&checkpoint).unwrap();
    assert_eq!(checkpoint, serde_json::from_slice(&text).unwrap(), "a checkpoint reads as it was written");
    only_forward(outside.disk.checkpoint.as_deref(), &checkpoint);
    outside.pass("checkpoint-written")?;
    outside.log.tell("checkpoint", || String::from_utf8_lossy(&text).into_owned());
    outside.disk.rename(Some(text));
    outside.pass("checkpoint-renamed")?;
    outside.disk.sync_folder();
    Ok(())
}

/// Ends a run: one that did everything needs no checkpoint. True if it did.
pub(super) fn finish(lanes: &[Lane<'_>], failed: bool, outside: &mut Outside<'_>) -> Result<bool, End> {
    save(lanes, outside)?;
    let done = !failed && lanes.iter().all(|lane| lane.published.ended);
    outside.pass("drained")?;
    if done {
        assert!(!outside.torn, "a run that did everything is torn");
        outside.disk.rename(None);
    }
    Ok(done)
}

fn checkpoint(lanes: &[Lane<'_>], lengths: &[u64], outside: &Outside<'_>) -> Checkpoint {
    let mut settled = BTreeMap::new();
    for (partition, position) in lanes.iter().flat_map(|lane| &lane.published.settled) {
        let furthest = settled.entry(*partition).or_insert(*position);
        if furthest.next < position.next {
            *furthest = *position;
        }
    }
    let state = |(number, length): (usize, &u64)| {
        let path = format!("out-{number}").into();
        (number.to_string(), SinkState { path, length: *length })
    };
    let mut sinks: BTreeMap<String, SinkState> = lengths.iter().enumerate().map(state).collect();
    let source = |partition: u32| {
        let path = format!("in-{partition}").into();
        let identity = Identity { path, device: 0, inode: 0, head_bytes: 0, head: 0 };
        SourceState { identity, position: settled.get(&partition).copied() }
    };
    let mark = |step: &usize| (step.to_string(), merge(lanes.iter().filter_map(|lane| lane.published.marks.get(step))));
    let letters = |step: &usize| {
        let mut sent = Sent::default();
        lanes.iter().filter_map(|lane| lane.published.letters.get(step)).for_each(|lane| sent.join(lane));
        for (partition, position) in &settled {
            sent.settled(*partition, position.offset);
        }
        (step.to_string(), sent)
    };
    Checkpoint {
        version: VERSION,
        dead_letters: Some(DeadLetterState {
            sink: sinks.remove(&outside.world.letters().to_string()),
            sent: outside.world.posting.iter().map(letters).collect(),
        }),
        sinks,
        sources: (0..).zip(&outside.world.partitions).map(|(partition, _)| source(partition)).collect(),
        marks: outside.world.marked.iter().map(mark).collect(),
    }
}

/// A checkpoint gives up nothing that the one before it had.
fn only_forward(before: Option<&[u8]>, now: &Checkpoint) {
    let Some(before) = before else { return };
    let before: Checkpoint = serde_json::from_slice(before).unwrap();
    for (before, now) in before.sources.iter().zip(&now.sources) {
        let (before, now) = (before.position.map(|at| at.next), now.position.map(|at| at.next));
        assert!(before <= now, "a commit went back from {before:?} to {now:?}");
    }
    not_back(&before.marks, &now.marks);
}

fn not_back(before: &BTreeMap<String, Marks>, now: &BTreeMap<String, Marks>) {
    for (step, marks) in before {
        for (partition, before) in marks {
            let now = now[step][partition];
            let back = (now.offset, now.rows) < (before.offset, before.rows);
            assert!(!back, "a mark of step {step} went back from {before:?} to {now:?}");
        }
    }
}
