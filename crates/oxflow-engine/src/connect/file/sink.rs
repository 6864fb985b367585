//! Writes lines to a file that all lanes share.

use std::fs::OpenOptions;
use std::io::{self, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use memchr::memchr;

use super::super::{ConnectError, Sink, Writer};
use super::compression::Output;
use super::real_path;
use crate::batch::{Batch, Payloads};
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
    output: Arc<Mutex<Output>>,
}

impl FileSink {
    /// Makes the file, or goes on in it.
    pub(in super::super) fn open(stream: &str, path: &str, start: Start) -> Result<Self, ConnectError> {
        let path = PathBuf::from(path);
        let output = open(&path, start).map_err(|source| ConnectError::write(stream, &path, source))?;
        Ok(Self { stream: stream.to_owned(), path, output: Arc::new(Mutex::new(output)) })
    }

    fn failed(&self, source: io::Error) -> ConnectError {
        ConnectError::write(&self.stream, &self.path, source)
    }

    /// The length of the file when all of it is on the disk; none of a pipe or device, which has neither.
    fn sync_file(&self) -> io::Result<Option<u64>> {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let mut file = output.flush()?;
        if !file.metadata()?.is_file() {
            return Ok(None);
        }
        crash::point("sink-flushed");
        file.sync_data()?;
        crash::point("sink-synced");
        file.stream_position().map(Some)
    }
}

fn open(path: &Path, start: Start) -> io::Result<Output> {
    let mut file = OpenOptions::new().create(true).write(true).truncate(matches!(start, Start::Empty)).open(path)?;
    if file.metadata()?.is_file() {
        if let Start::At(length) = start {
            file.set_len(length)?;
        }
        file.seek(SeekFrom::End(0))?;
    }
    Ok(Output::new(path, file))
}

impl Sink for FileSink {
    fn writer(&self) -> Box<dyn Writer> {
        let output = Arc::clone(&self.output);
        Box::new(LineWriter::new(&self.stream, &self.path, move |lines| {
            output.lock().unwrap_or_else(PoisonError::into_inner).write_all(lines)
        }))
    }

    fn finish(&self) -> Result<(), ConnectError> {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        output.flush().map(drop).map_err(|source| self.failed(source))
    }

    fn sync(&self) -> Result<Option<SinkState>, ConnectError> {
        let length = self.sync_file().map_err(|source| self.failed(source))?;
        Ok(length.map(|length| SinkState { path: real_path(&self.path), length }))
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
    fn refuses(&self, payload: &[u8]) -> Option<&'static str> {
        memchr(b'\n', payload).map(|_| "it holds a line feed, and each line is one message")
    }

    fn write(&mut self, batch: &Batch) -> Result<(), ConnectError> {
        let Payloads::Bytes(column) = batch.payloads() else {
            unreachable!("the plan lets nothing but bytes into a sink")
        };
        self.lines.clear();
        for payload in column.iter() {
            self.lines.extend_from_slice(payload);
            self.lines.push(b'\n');
        }
        (self.write)(&self.lines).map_err(|source| ConnectError::write(&self.stream, &self.path, source))
    }
}
