//! The files that a run writes, and its other outputs: told apart, claimed, opened.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Job, JobError};
use crate::checkpoint::{Checkpoint, CheckpointError, SinkState};
use crate::connect::{
    Binding, Claim, ConnectError, FileKey, Opened, Partitions, Sink, StreamUrl, Transactions, claim, open_sink,
};

/// What a run writes.
pub(super) struct Outputs<'r> {
    /// Logical names of the streams of the sinks, in the order of the pipeline.
    streams: &'r [&'r str],
    /// That of the dead letters, if a step may have some.
    dead_letters: Option<&'r str>,
    /// The files that the sinks write, by stream. Dead letters are none of them: they may be there in one run and not in the
    /// next, which goes on with the same outputs.
    pub(super) files: BTreeMap<String, PathBuf>,
    /// Where the checkpoint lies, if there may be one.
    pub(super) checkpoint: Option<PathBuf>,
    /// The source goes on where an earlier run committed, so that what that one wrote must stay.
    adds: bool,
}

/// Files that no other run writes now, by stream.
pub(super) type Claims = HashMap<String, Claim>;

impl Job {
    /// What the run writes. Opening a file cuts it, so none may be another stream's, nor the checkpoint.
    pub(super) fn outputs<'r>(
        &self,
        streams: &'r [&'r str],
        dead_letters: Option<&'r str>,
        source: &Opened,
        known: &Partitions,
    ) -> Result<Outputs<'r>, JobError> {
        let read = known.files();
        let mut taken: HashMap<FileKey, &str> = read.iter().map(|(file, stream)| (file.clone(), &**stream)).collect();
        let mut files = BTreeMap::new();
        for stream in streams.iter().chain(dead_letters.as_ref()) {
            let Some(path) = self.binding(stream)?.written_file() else { continue };
            if let Some(other) = taken.insert(FileKey::of(&path), stream)
                && other != *stream
            {
                let (stream, other) = ((*stream).to_owned(), other.to_owned());
                return Err(ConnectError::SameFile { stream, other, path }.into());
            }
            files.insert((*stream).to_owned(), path);
        }
        dead_letters.map(|stream| files.remove(stream));
        let first = streams.iter().find_map(|stream| files.get(*stream));
        let checkpoint = first.map(|first| self.config.run.checkpoint.clone().unwrap_or_else(|| beside(first)));
        if let Some(path) = &checkpoint
            && let Some(stream) = taken.get(&FileKey::of(path))
        {
            return Err(CheckpointError::Taken { path: path.clone(), stream: (*stream).to_owned() }.into());
        }
        Ok(Outputs { streams, dead_letters, files, checkpoint, adds: source.group.is_some() })
    }

    /// Keeps other runs from the files. Nothing is touched before all of them are this run's.
    pub(super) fn claim(&self, outputs: &Outputs<'_>) -> Result<Claims, JobError> {
        let mut claims = Claims::new();
        for stream in outputs.all() {
            if !claims.contains_key(stream) {
                let claimed = claim(stream, &*self.sink_binding(stream, outputs)?)?;
                claims.extend(claimed.map(|claim| (stream.to_owned(), claim)));
            }
        }
        Ok(claims)
    }

    /// Opens what the run writes. Files that are added to come first, since there may be something wrong with them.
    pub(super) fn open_sinks(
        &self,
        outputs: &Outputs<'_>,
        mut claims: Claims,
        before: Option<&Checkpoint>,
        transactions: Option<&Arc<dyn Transactions>>,
    ) -> Result<HashMap<String, Box<dyn Sink>>, JobError> {
        let mut sinks = HashMap::new();
        let mut open = |adds: bool| {
            for stream in outputs.all() {
                let binding = self.sink_binding(stream, outputs)?;
                if appends(&binding) == adds && !sinks.contains_key(stream) {
                    let state = before.and_then(|before| outputs.state(stream, &binding, before));
                    let sink = open_sink(stream, &binding, claims.remove(stream), state, transactions)?;
                    sinks.insert(stream.to_owned(), sink);
                }
            }
            Ok::<(), JobError>(())
        };
        open(true)?;
        open(false)?;
        Ok(sinks)
    }

    /// Dead letters are always added: what other runs left in the file is there to be looked at. So is everything that comes
    /// from a group, which goes on where it has committed.
    fn sink_binding(&self, stream: &str, outputs: &Outputs<'_>) -> Result<Cow<'_, Binding>, JobError> {
        let binding = self.binding(stream)?;
        Ok(match &*binding {
            Binding::Url(StreamUrl::File { path, append: false })
                if outputs.adds || outputs.dead_letters == Some(stream) =>
            {
                Cow::Owned(Binding::Url(StreamUrl::File { path: path.clone(), append: true }))
            }
            _ => binding,
        })
    }
}

impl Outputs<'_> {
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.streams.iter().copied().chain(self.dead_letters)
    }

    /// What a checkpoint says of an output.
    fn state<'c>(&self, stream: &str, binding: &Binding, before: &'c Checkpoint) -> Option<&'c SinkState> {
        if self.dead_letters != Some(stream) {
            return before.sinks.get(stream);
        }
        let state = before.dead_letters.as_ref()?.sink.as_ref()?;
        binding.written_file().is_some_and(|path| holds(&path, state)).then_some(state)
    }
}

fn appends(binding: &Binding) -> bool {
    matches!(binding, Binding::Url(StreamUrl::File { append: true, .. }))
}

fn beside(output: &Path) -> PathBuf {
    let mut path = output.as_os_str().to_owned();
    path.push(".oxflow");
    path.into()
}

/// True if the file still has what a checkpoint says. Somebody may have taken the dead letters away meanwhile.
fn holds(path: &Path, state: &SinkState) -> bool {
    FileKey::of(path) == FileKey::of(&state.path)
        && path.metadata().is_ok_and(|metadata| metadata.len() >= state.length)
}
