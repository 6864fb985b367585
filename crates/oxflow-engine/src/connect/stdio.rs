//! Lines of standard input and output.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::file::LineWriter;
use super::lines::Rest;
use super::piped::{Chunks, PipedSource, read_ahead};
use super::{ConnectError, Opened, Partitions, PollLimits, Polled, Sink, Source, Writer};

/// Standard input of the process. What a run leaves of it, the next one finds.
static INPUT: Mutex<Input> = Mutex::new(Input::Untouched);

enum Input {
    /// Nobody has read ahead.
    Untouched,
    /// A run left something: what its thread goes on reading, after the line that it had begun.
    Left(Chunks, Rest),
    /// A run reads it.
    Taken,
}

fn input() -> MutexGuard<'static, Input> {
    INPUT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Standard input, as one partition.
pub(super) fn open(stream: &Arc<str>, known: &Partitions) -> Result<Opened, ConnectError> {
    let path = Path::new("stdin");
    let mut input = input();
    let (chunks, rest) = match std::mem::replace(&mut *input, Input::Untouched) {
        Input::Untouched => {
            let chunks = read_ahead(|| Ok(io::stdin().lock()));
            (chunks.map_err(|error| ConnectError::read(stream, path, error))?, Rest::default())
        }
        Input::Left(chunks, rest) => (chunks, rest),
        Input::Taken => {
            *input = Input::Taken;
            return Err(ConnectError::StdinTaken { stream: stream.to_string() });
        }
    };
    *input = Input::Taken;
    let partition = known.add(stream, "stdin");
    let source = StdinSource(PipedSource::opened(stream, partition, path.to_owned(), chunks, rest));
    Ok(Opened { readers: vec![Box::new(source)], ..Opened::default() })
}

struct StdinSource(PipedSource);

impl Source for StdinSource {
    fn poll(&mut self, limits: &PollLimits) -> Result<Polled, ConnectError> {
        self.0.poll(limits)
    }
}

impl Drop for StdinSource {
    fn drop(&mut self) {
        *input() = self.0.left().map_or(Input::Untouched, |(chunks, rest)| Input::Left(chunks, rest));
    }
}

/// Standard output; each batch is written at once, for whoever reads along.
pub(super) struct StdoutSink {
    stream: String,
    output: Arc<Mutex<File>>,
}

impl StdoutSink {
    pub(super) fn open(stream: &str) -> Result<Self, ConnectError> {
        let output = duplicate().map_err(|error| ConnectError::write(stream, Path::new("stdout"), error))?;
        Ok(Self { stream: stream.to_owned(), output: Arc::new(Mutex::new(output)) })
    }
}

/// Standard output as a file: [`io::Stdout`] takes everything in silence when it is closed.
#[cfg(unix)]
fn duplicate() -> io::Result<File> {
    use std::os::fd::AsFd as _;
    io::stdout().as_fd().try_clone_to_owned().map(File::from)
}

#[cfg(windows)]
fn duplicate() -> io::Result<File> {
    use std::os::windows::io::AsHandle as _;
    io::stdout().as_handle().try_clone_to_owned().map(File::from)
}

impl Sink for StdoutSink {
    fn writer(&self) -> Box<dyn Writer> {
        let output = Arc::clone(&self.output);
        Box::new(LineWriter::new(&self.stream, Path::new("stdout"), move |lines| {
            output.lock().unwrap_or_else(PoisonError::into_inner).write_all(lines)
        }))
    }

    fn finish(&self) -> Result<(), ConnectError> {
        Ok(())
    }
}
