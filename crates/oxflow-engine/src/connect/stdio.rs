//! Lines of standard input and output.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::file::LineWriter;
use super::lines::{Lines, MAX_LINE_BYTES};
use super::{ConnectError, Opened, PollLimits, Polled, Sink, Source, Writer};

const CHUNK_BYTES: usize = 64 << 10;
/// Chunks that are read ahead of the lane.
const CHUNKS_AHEAD: usize = 4;

/// Standard input, as one partition. A thread reads it, so that a lane that waits for input can still be told to drain.
pub(super) fn open(stream: &Arc<str>) -> Result<Opened, ConnectError> {
    let (sender, chunks) = bounded(CHUNKS_AHEAD);
    let name = "oxflow-stdin".to_owned();
    thread::Builder::new().name(name).spawn(move || read_chunks(&sender)).map_err(|error| failed(stream, error))?;
    let source = StdinSource { stream: Arc::clone(stream), chunks, lines: Lines::new(stream, 0), ended: false };
    Ok(Opened { partitions: vec!["stdin".to_owned()], readers: vec![Box::new(source)], identities: None })
}

fn read_chunks(chunks: &Sender<std::io::Result<Vec<u8>>>) {
    let mut input = std::io::stdin().lock();
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

fn failed(stream: &str, source: std::io::Error) -> ConnectError {
    ConnectError::Read { stream: stream.to_owned(), path: "stdin".into(), source }
}

struct StdinSource {
    stream: Arc<str>,
    chunks: Receiver<std::io::Result<Vec<u8>>>,
    lines: Lines,
    ended: bool,
}

impl StdinSource {
    /// Takes the chunk that comes before `until`; false if none did.
    fn refill(&mut self, until: Instant) -> Result<bool, ConnectError> {
        match self.chunks.recv_deadline(until) {
            Ok(Ok(more)) if !more.is_empty() => {
                let mut chunk = self.lines.carry(more.len());
                chunk.extend_from_slice(&more);
                self.lines.feed(chunk);
            }
            Ok(Err(error)) => return Err(failed(&self.stream, error)),
            Ok(Ok(_)) | Err(RecvTimeoutError::Disconnected) => {
                self.ended = true;
                self.lines.end();
            }
            Err(RecvTimeoutError::Timeout) => return Ok(false),
        }
        if self.lines.rest().len() > MAX_LINE_BYTES {
            let (stream, line) = (self.stream.to_string(), self.lines.line_number());
            return Err(ConnectError::TooLong { stream, path: "stdin".into(), line, limit: MAX_LINE_BYTES });
        }
        Ok(true)
    }
}

impl Source for StdinSource {
    fn poll(&mut self, limits: &PollLimits) -> Result<Polled, ConnectError> {
        let until = Instant::now() + limits.wait;
        loop {
            if let Some(read) = self.lines.take(limits.messages) {
                return Ok(Polled::Read(Box::new(read)));
            }
            if self.ended {
                return Ok(Polled::End);
            }
            if !self.refill(until)? {
                return Ok(Polled::Idle);
            }
        }
    }
}

/// Standard output; each batch is written and flushed at once, for whoever reads along.
pub(super) struct StdoutSink {
    stream: String,
}

impl StdoutSink {
    pub(super) fn open(stream: &str) -> Self {
        Self { stream: stream.to_owned() }
    }
}

impl Sink for StdoutSink {
    fn writer(&self) -> Box<dyn Writer> {
        Box::new(LineWriter::new(&self.stream, Path::new("stdout"), |lines| {
            let mut output = std::io::stdout().lock();
            output.write_all(lines)?;
            output.flush()
        }))
    }

    fn finish(&self) -> Result<(), ConnectError> {
        Ok(())
    }
}
