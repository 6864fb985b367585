//! Lines that trickle in: of standard input and of named pipes.
//!
//! A thread reads them, so that a lane that waits for input can still be told to drain.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::lines::{Lines, Rest};
use super::{ConnectError, PollLimits, Polled, Source, file};

const CHUNK_BYTES: usize = 64 << 10;
/// Chunks that are read ahead of the lane.
const CHUNKS_AHEAD: usize = 4;

/// What the thread reads; an empty chunk is the end.
pub(super) type Chunks = Receiver<io::Result<Vec<u8>>>;

/// Reads what `open` opens in a thread of its own: to open a pipe is to wait for whoever writes into it.
pub(super) fn read_ahead<R: Read>(open: impl FnOnce() -> io::Result<R> + Send + 'static) -> io::Result<Chunks> {
    let (sender, chunks) = bounded(CHUNKS_AHEAD);
    let read = move || match open() {
        Ok(input) => read_chunks(input, &sender),
        // The source that waits for it may be gone.
        Err(error) => drop(sender.send(Err(error))),
    };
    thread::Builder::new().name("oxflow-pipe".to_owned()).spawn(read)?;
    Ok(chunks)
}

fn read_chunks(mut input: impl Read, chunks: &Sender<io::Result<Vec<u8>>>) {
    loop {
        let mut chunk = vec![0; CHUNK_BYTES];
        let answer = input.read(&mut chunk).map(|read| {
            chunk.truncate(read);
            chunk
        });
        let last = answer.as_ref().map_or(true, Vec::is_empty);
        if chunks.send(answer).is_err() || last {
            return;
        }
    }
}

/// Lines of a pipe.
pub(super) struct PipedSource {
    stream: Arc<str>,
    path: PathBuf,
    /// Absent until the first poll of a named pipe.
    chunks: Option<Chunks>,
    lines: Lines,
    ended: bool,
}

impl PipedSource {
    /// A named pipe, or whatever else at the path is no file.
    pub(super) fn named(stream: &Arc<str>, partition: u32, path: PathBuf) -> Self {
        Self { stream: Arc::clone(stream), path, chunks: None, lines: Lines::new(stream, partition), ended: false }
    }

    /// A pipe that is being read. `rest` was read before.
    pub(super) fn opened(stream: &Arc<str>, partition: u32, path: PathBuf, chunks: Chunks, rest: Rest) -> Self {
        Self {
            chunks: Some(chunks),
            lines: Lines::go_on(stream, partition, rest),
            ..Self::named(stream, partition, path)
        }
    }

    /// What is not read yet, beginning with what lies here; none at the end.
    pub(super) fn left(&mut self) -> Option<(Chunks, Rest)> {
        let rest = self.lines.rest();
        self.chunks.take().filter(|_| !self.ended || !rest.is_empty()).map(|chunks| (chunks, rest))
    }

    fn chunks(&mut self, ratio: u64) -> io::Result<&Chunks> {
        let chunks = if let Some(chunks) = self.chunks.take() {
            chunks
        } else {
            let path = self.path.clone();
            read_ahead(move || file::reader(File::open(&path)?, &path, ratio))?
        };
        Ok(self.chunks.insert(chunks))
    }

    /// Takes the chunk that comes before `until`; false if none did.
    fn refill(&mut self, ratio: u64, until: Instant) -> Result<bool, ConnectError> {
        let received = self.chunks(ratio).map(|chunks| chunks.recv_deadline(until));
        match received.map_err(|error| ConnectError::read(&self.stream, &self.path, error))? {
            Ok(Ok(more)) if !more.is_empty() => self.lines.feed(more.len(), |chunk| chunk.extend_from_slice(&more)),
            Ok(Err(error)) => {
                self.ended = true;
                return Err(ConnectError::read(&self.stream, &self.path, error));
            }
            Ok(Ok(_)) | Err(RecvTimeoutError::Disconnected) => {
                self.ended = true;
                self.lines.end();
            }
            Err(RecvTimeoutError::Timeout) => return Ok(false),
        }
        Ok(true)
    }
}

impl Source for PipedSource {
    fn poll(&mut self, limits: &PollLimits) -> Result<Polled, ConnectError> {
        let until = Instant::now() + limits.wait;
        loop {
            if let Some(read) = self.lines.take(limits) {
                return Ok(Polled::Read(Box::new(read)));
            }
            if self.ended {
                return Ok(Polled::End);
            }
            // A line may have no end in sight, and chunks of it may come faster than they are taken.
            if !self.refill(limits.decompression_ratio, until)? || Instant::now() >= until {
                return Ok(Polled::Idle);
            }
        }
    }
}
