//! Writes lines to a file that all lanes share.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use memchr::memchr;

use super::super::{ConnectError, Sink, Writer, Written};
use super::claim::Claim;
use super::compression::{self, ending};
use super::output::Output;
use super::{FileKey, real_path};
use crate::batch::{Batch, Metadata, Payloads};
use crate::checkpoint::SinkState;
use crate::crash;

/// Where writing starts.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Start {
    /// The file is made anew.
    Empty,
    /// What is there stays.
    End,
    /// What an earlier run had made last stays; what it wrote after that goes.
    At(u64),
}

/// A file that is written; each message becomes a line.
pub(in super::super) struct FileSink {
    stream: String,
    path: PathBuf,
    /// The file that was opened; none of a pipe or device.
    key: Option<FileKey>,
    output: Arc<Mutex<Output>>,
}

impl FileSink {
    /// Goes on in a file, or begins it anew. What has no claim is a pipe or device.
    pub(in super::super) fn open(
        stream: &str,
        path: &str,
        claim: Option<Claim>,
        start: Start,
    ) -> Result<Self, ConnectError> {
        let path = PathBuf::from(path);
        let failed = |source| ConnectError::write(stream, &path, source);
        let file = match claim {
            Some(claim) => claim.take().and_then(|file| prepared(file, &path, start)),
            None => OpenOptions::new().write(true).open(&path),
        };
        let file = file.map_err(failed)?;
        let regular = file.metadata().map_err(failed)?.is_file();
        let key = regular.then(|| FileKey::of_open(&file, &path)).transpose().map_err(failed)?;
        let output = Output::new(&path, file).map_err(failed)?;
        Ok(Self { stream: stream.to_owned(), path, key, output: Arc::new(Mutex::new(output)) })
    }

    fn failed(&self, source: io::Error) -> ConnectError {
        ConnectError::write(&self.stream, &self.path, source)
    }

    fn output(&self) -> MutexGuard<'_, Output> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The length of the file when all of it is on the disk; none of a pipe or device, which has neither.
    fn sync_file(&self) -> io::Result<Option<u64>> {
        let mut output = self.output();
        let mut file = output.flush()?;
        if self.key.is_none() {
            return Ok(None);
        }
        crash::point("sink-flushed");
        file.sync_data()?;
        crash::point("sink-synced");
        file.stream_position().map(Some)
    }

    /// What is written into a file without a name is lost with the last who has it open.
    fn still_there(&self) -> Result<(), ConnectError> {
        let Some(key) = &self.key else { return Ok(()) };
        if FileKey::of(&self.path) == *key {
            return Ok(());
        }
        let why = if self.path.exists() { "another file has its name now" } else { "it was removed or renamed" };
        Err(ConnectError::OutputLost { stream: self.stream.clone(), path: self.path.clone(), why })
    }
}

fn prepared(mut file: File, path: &Path, start: Start) -> io::Result<File> {
    match start {
        Start::Empty => file.set_len(0)?,
        Start::At(length) => file.set_len(length)?,
        Start::End => end_last_line(&mut file, path)?,
    }
    file.seek(SeekFrom::End(0))?;
    Ok(file)
}

/// Sees to it that what is added begins a line of its own, after an earlier run that died within one, or an editor that ends
/// no last line. A compressed file must be whole: nothing can be read after a frame that isn't.
fn end_last_line(file: &mut File, path: &Path) -> io::Result<()> {
    if matches!(ending(path), Some("gz" | "zst")) {
        let mut content = compression::reader(file.try_clone()?, path, u64::MAX)?;
        let whole = io::copy(&mut content, &mut io::sink());
        return whole.map(drop).map_err(|error| io::Error::new(error.kind(), NotWhole(error)));
    }
    let mut last = [b'\n'];
    if file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    if last == [b'\n'] { Ok(()) } else { file.write_all(b"\n") }
}

/// A compressed file that nothing can be added to.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotWhole(io::Error);

impl Sink for FileSink {
    fn writer(&self) -> Box<dyn Writer> {
        let output = Arc::clone(&self.output);
        Box::new(LineWriter::new(&self.stream, &self.path, move |lines| {
            output.lock().unwrap_or_else(PoisonError::into_inner).write_all(lines)
        }))
    }

    fn finish(&self) -> Result<(), ConnectError> {
        self.output().finish().map_err(|source| self.failed(source))?;
        self.still_there()
    }

    fn sync(&self) -> Result<Option<SinkState>, ConnectError> {
        let length = self.sync_file().map_err(|source| self.failed(source))?;
        self.still_there()?;
        Ok(length.map(|length| SinkState { path: real_path(&self.path), length }))
    }

    fn release(&self) {
        // Not by closing it: a process that a function forked may hold it, too. Where there are no locks there is no error
        // that anybody could mend.
        drop(self.output().file().unlock());
    }
}

/// Makes lines of messages and hands each batch's lines on in one piece.
pub(in super::super) struct LineWriter<W> {
    stream: String,
    path: PathBuf,
    lines: Vec<u8>,
    write: W,
}

impl<W: FnMut(&[u8]) -> io::Result<()> + Send> LineWriter<W> {
    pub(in super::super) fn new(stream: &str, path: &Path, write: W) -> Self {
        Self { stream: stream.to_owned(), path: path.to_owned(), lines: Vec::new(), write }
    }
}

impl<W: FnMut(&[u8]) -> io::Result<()> + Send> Writer for LineWriter<W> {
    fn refuses(&self, _message: Metadata<'_>, payload: &[u8]) -> Option<&'static str> {
        memchr(b'\n', payload).map(|_| "it holds a line feed, and each line is one message")
    }

    fn write(&mut self, batch: &Batch) -> Result<Written, ConnectError> {
        let Payloads::Bytes(column) = batch.payloads() else {
            unreachable!("the plan lets nothing but bytes into a sink")
        };
        self.lines.clear();
        for payload in column.iter() {
            self.lines.extend_from_slice(payload);
            self.lines.push(b'\n');
        }
        (self.write)(&self.lines).map_err(|source| ConnectError::write(&self.stream, &self.path, source))?;
        Ok(Written::Done)
    }
}
