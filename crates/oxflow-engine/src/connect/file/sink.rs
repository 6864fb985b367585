//! Writes lines to a file that all lanes share.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use memchr::memchr;

use super::super::{ConnectError, Sink, Writer};
use super::compression::{self, Finish};
use crate::batch::{Batch, Payloads};
use crate::run::describe_origin;

/// A file that is written; each message becomes a line.
pub(in super::super) struct FileSink {
    stream: String,
    path: PathBuf,
    file: Arc<Mutex<Box<dyn Finish>>>,
}

impl FileSink {
    /// Makes the file, or goes on at its end.
    pub(in super::super) fn open(stream: &str, path: &str, append: bool) -> Result<Self, ConnectError> {
        let path = PathBuf::from(path);
        let file = create(&path, append).map_err(|source| ConnectError::Write {
            stream: stream.to_owned(),
            path: path.clone(),
            source,
        })?;
        Ok(Self { stream: stream.to_owned(), path, file: Arc::new(Mutex::new(file)) })
    }

    fn failed(&self, source: io::Error) -> ConnectError {
        ConnectError::Write { stream: self.stream.clone(), path: self.path.clone(), source }
    }
}

fn create(path: &Path, append: bool) -> io::Result<Box<dyn Finish>> {
    let file = OpenOptions::new().create(true).write(true).append(append).truncate(!append).open(path)?;
    compression::writer(path, file)
}

impl Sink for FileSink {
    fn writer(&self) -> Box<dyn Writer> {
        let file = Arc::clone(&self.file);
        Box::new(LineWriter::new(&self.stream, &self.path, move |lines| {
            file.lock().unwrap_or_else(PoisonError::into_inner).write_all(lines)
        }))
    }

    fn finish(&self) -> Result<(), ConnectError> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.finish().map_err(|source| self.failed(source))
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
    fn write(&mut self, batch: &Batch) -> Result<(), ConnectError> {
        let Payloads::Bytes(column) = batch.payloads() else {
            unreachable!("the plan lets nothing but bytes into a sink")
        };
        self.lines.clear();
        for (index, payload) in column.iter().enumerate() {
            if memchr(b'\n', payload).is_some() {
                let origin = batch.metadata(index).map(|row| describe_origin(row, &[])).unwrap_or_default();
                return Err(ConnectError::LineFeed { stream: self.stream.clone(), origin });
            }
            self.lines.extend_from_slice(payload);
            self.lines.push(b'\n');
        }
        (self.write)(&self.lines).map_err(|source| ConnectError::Write {
            stream: self.stream.clone(),
            path: self.path.clone(),
            source,
        })
    }
}
