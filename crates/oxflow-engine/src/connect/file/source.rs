//! Reads lines of files.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::lines::Lines;
use super::super::piped::PipedSource;
use super::super::{ConnectError, Opened, Partitions, PollLimits, Polled, Reached, Read, Source};
use super::compression::{self, Content};
use super::identity::{self, REPLACED};
use crate::checkpoint::Identity;
use crate::commit::Position;
use crate::crash;

/// Finds every file that the pattern names, in the order of their names, so that partitions keep their numbers. A file is
/// open only while its lane reads it: there may be more of them than a process may have open.
pub(in super::super) fn open(stream: &Arc<str>, pattern: &str, known: &Partitions) -> Result<Opened, ConnectError> {
    let mut opened = Opened::default();
    let mut identities = Vec::new();
    let matched = matches(stream, pattern)?;
    // What has no end and no beginning, such as a pipe, can't be read again.
    let again = matched.iter().all(|path| path.is_file());
    for path in matched {
        // Reads the first bytes, so that a file that may not be read is told before any output is touched.
        let identity = identity::of(&path).map_err(|source| ConnectError::read(stream, &path, source))?;
        identities.push(identity.clone());
        let partition = known.add(stream, &path.display().to_string());
        let length = path.metadata().ok().filter(Metadata::is_file).map(|metadata| metadata.len());
        let reached = length.map(|length| Arc::new(Reached::new(length)));
        opened.reached.push(reached.clone());
        // What has no end that is known is no file but a pipe.
        opened.readers.push(match reached {
            Some(reached) => Box::new(FileSource::new(stream, partition, path, identity, reached)),
            None => Box::new(PipedSource::named(stream, partition, path)),
        });
    }
    opened.identities = again.then_some(identities);
    Ok(opened)
}

fn matches(stream: &str, pattern: &str) -> Result<Vec<PathBuf>, ConnectError> {
    let path = Path::new(pattern);
    if path.is_dir() {
        return Err(ConnectError::Folder { stream: stream.to_owned(), path: path.to_owned() });
    }
    if path.exists() {
        return Ok(vec![path.to_owned()]);
    }
    let mut paths = Vec::new();
    let named = || (stream.to_owned(), pattern.to_owned());
    for found in glob::glob(pattern).map_err(|source| {
        let (stream, pattern) = named();
        ConnectError::BadPattern { stream, pattern, source }
    })? {
        let path = found.map_err(|error| {
            let folder = error.path().to_owned();
            ConnectError::read(stream, &folder, error.into())
        })?;
        if path.is_file() {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        let (stream, pattern) = named();
        return Err(ConnectError::NoMatch { stream, pattern });
    }
    Ok(paths)
}

/// A file that somebody cut or replaced while it was read.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub struct Changed {
    /// What was done to it.
    why: String,
}

impl Changed {
    fn error(why: impl Into<String>) -> io::Error {
        io::Error::other(Self { why: why.into() })
    }
}

struct FileSource {
    stream: Arc<str>,
    path: PathBuf,
    /// What the file was when the run began.
    identity: Identity,
    /// Absent until the first poll.
    content: Option<Box<dyn Content>>,
    /// Where reading begins.
    start: Position,
    lines: Lines,
    reached: Arc<Reached>,
    /// How the content ended, once it did.
    ended: Option<io::Result<()>>,
}

impl FileSource {
    fn new(stream: &Arc<str>, partition: u32, path: PathBuf, identity: Identity, reached: Arc<Reached>) -> Self {
        let (start, lines) = (Position { next: 0, offset: 0 }, Lines::new(stream, partition));
        Self { stream: Arc::clone(stream), path, identity, content: None, start, lines, reached, ended: None }
    }

    fn open(&self, limits: &PollLimits) -> io::Result<Box<dyn Content>> {
        let file = File::open(&self.path)?;
        if !self.identity.is(&file)? {
            return Err(Changed::error(REPLACED));
        }
        let mut content = compression::reader(file, &self.path, limits.decompression_ratio)?;
        if self.start.next > 0 {
            content.skip(self.start.next)?;
        }
        Ok(content)
    }

    /// Reads the next chunk. What came before an error is there all the same.
    fn refill(&mut self, limits: &PollLimits) {
        let ended = match self.read(limits) {
            Ok(read) if read >= limits.bytes => return,
            ended => self.unchanged().and(ended.map(drop)),
        };
        if ended.is_ok() {
            self.lines.end();
        }
        self.ended = Some(ended);
    }

    /// Refuses the end of a file that isn't the one that was begun: what somebody cut away was never read. A file that has no
    /// name any more was read to its end.
    fn unchanged(&mut self) -> io::Result<()> {
        let Some(content) = &mut self.content else { return Ok(()) };
        let (read, length) = content.lengths()?;
        if length < read {
            return Err(Changed::error(format!("it was cut to {length} bytes after {read} had been read")));
        }
        if !self.identity.path.try_exists()? {
            return Ok(());
        }
        self.identity.differs()?.map_or(Ok(()), |why| Err(Changed::error(why)))
    }

    fn read(&mut self, limits: &PollLimits) -> io::Result<usize> {
        let mut content = match self.content.take() {
            Some(content) => content,
            None => self.open(limits)?,
        };
        let bytes = limits.bytes;
        crash::point("file-read");
        let read = self.lines.feed(bytes, |chunk| (&mut content).take(bytes as u64).read_to_end(chunk));
        self.content = Some(content);
        read
    }
}

impl FileSource {
    fn give(&self, read: Read) -> Polled {
        let compressed = self.content.as_ref().and_then(|content| content.compressed());
        let read_on = read.next.last().map(|next| next.next);
        compressed.or(read_on).into_iter().for_each(|position| self.reached.come_to(position));
        Polled::Read(Box::new(read))
    }
}

impl Source for FileSource {
    fn resume(&mut self, position: Position) {
        self.start = position;
        self.lines.resume(position);
    }

    fn waits(&self) -> bool {
        // To come to where an earlier run ended takes its time in a compressed file.
        self.content.is_none()
    }

    fn poll(&mut self, limits: &PollLimits) -> Result<Polled, ConnectError> {
        if let Some(read) = self.lines.take(limits) {
            return Ok(self.give(read));
        }
        match self.ended.take() {
            None => {}
            Some(Err(error)) => return Err(ConnectError::read(&self.stream, &self.path, error)),
            ended @ Some(Ok(())) => {
                self.ended = ended;
                self.reached.come_to(self.reached.size_bytes);
                return Ok(Polled::End);
            }
        }
        self.refill(limits);
        // A line may have no end in sight: between two chunks of it the lane can be told to drain.
        Ok(self.lines.take(limits).map_or(Polled::Idle, |read| self.give(read)))
    }
}
