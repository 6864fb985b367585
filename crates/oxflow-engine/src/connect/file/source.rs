//! Reads lines of files.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::lines::{Lines, MAX_LINE_BYTES};
use super::super::{ConnectError, Opened, PollLimits, Polled, Source};
use super::compression::{self, Content};
use super::identity;
use crate::batch::row_number;
use crate::commit::Position;

/// Opens every file that the pattern names, in the order of their names, so that partitions keep their numbers.
pub(in super::super) fn open(stream: &Arc<str>, pattern: &str) -> Result<Opened, ConnectError> {
    let mut opened = Opened::default();
    let mut identities = Vec::new();
    let matched = matches(stream, pattern)?;
    for (partition, path) in matched.iter().enumerate() {
        opened.readers.push(Box::new(FileSource::open(stream, row_number(partition), path)?));
        opened.partitions.push(path.display().to_string());
        identities.push(identity::of(path).map_err(|source| failed(stream, path, source))?);
    }
    // What has no end and no beginning, such as a pipe, can't be read again.
    if matched.iter().all(|path| path.is_file()) {
        opened.identities = Some(identities);
    }
    Ok(opened)
}

fn matches(stream: &str, pattern: &str) -> Result<Vec<PathBuf>, ConnectError> {
    let no_match = || ConnectError::NoMatch { stream: stream.to_owned(), pattern: pattern.to_owned() };
    if Path::new(pattern).exists() {
        return Ok(vec![PathBuf::from(pattern)]);
    }
    let found = glob::glob(pattern).map_err(|_| no_match())?;
    let paths: Vec<PathBuf> = found.filter_map(Result::ok).filter(|path| path.is_file()).collect();
    if paths.is_empty() { Err(no_match()) } else { Ok(paths) }
}

struct FileSource {
    stream: Arc<str>,
    path: PathBuf,
    reader: Box<dyn Content>,
    lines: Lines,
    ended: bool,
}

impl FileSource {
    fn open(stream: &Arc<str>, partition: u32, path: &Path) -> Result<Self, ConnectError> {
        let reader = compression::reader(path).map_err(|source| failed(stream, path, source))?;
        let lines = Lines::new(stream, partition);
        Ok(Self { stream: Arc::clone(stream), path: path.to_owned(), reader, lines, ended: false })
    }

    /// Reads the next chunk, as long as a message needs.
    fn refill(&mut self, bytes: usize) -> Result<(), ConnectError> {
        let mut chunk = self.lines.carry(bytes);
        let read = (&mut self.reader).take(bytes as u64).read_to_end(&mut chunk).map_err(|source| {
            ConnectError::Read { stream: self.stream.to_string(), path: self.path.clone(), source }
        })?;
        if chunk.len() > MAX_LINE_BYTES.saturating_add(bytes) {
            return Err(ConnectError::TooLong {
                stream: self.stream.to_string(),
                path: self.path.clone(),
                line: self.lines.line_number(),
                limit: MAX_LINE_BYTES,
            });
        }
        self.lines.feed(chunk);
        if read < bytes {
            self.lines.end();
            self.ended = true;
        }
        Ok(())
    }
}

fn failed(stream: &str, path: &Path, source: io::Error) -> ConnectError {
    ConnectError::Read { stream: stream.to_owned(), path: path.to_owned(), source }
}

impl Source for FileSource {
    fn resume(&mut self, position: Position) -> Result<(), ConnectError> {
        self.reader.skip(position.next).map_err(|source| failed(&self.stream, &self.path, source))?;
        self.lines.resume(position);
        Ok(())
    }

    fn poll(&mut self, limits: &PollLimits) -> Result<Polled, ConnectError> {
        loop {
            if let Some(read) = self.lines.take(limits.messages) {
                return Ok(Polled::Read(Box::new(read)));
            }
            if self.ended {
                return Ok(Polled::End);
            }
            self.refill(limits.bytes)?;
        }
    }
}
