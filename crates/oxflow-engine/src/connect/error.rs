//! What can go wrong with a connector.

use std::io;
use std::path::{Path, PathBuf};

use super::file::{Bomb, Changed, NotWhole};
use crate::diagnostic::{Code, Diagnostic};

/// A connector that failed.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The stream could not be opened or read.
    #[error("stream `{stream}`: cannot read `{path}`")]
    Read {
        /// Logical name of the stream.
        stream: String,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The stream could not be opened or written.
    #[error("stream `{stream}`: cannot write `{path}`")]
    Write {
        /// Logical name of the stream.
        stream: String,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The path is a folder.
    #[error("stream `{stream}`: `{path}` is a folder")]
    Folder {
        /// Logical name of the stream.
        stream: String,
        /// The folder.
        path: PathBuf,
    },
    /// The pattern can't be one.
    #[error("stream `{stream}`: `{pattern}` is not a pattern of paths")]
    BadPattern {
        /// Logical name of the stream.
        stream: String,
        /// The pattern of the URL.
        pattern: String,
        /// What is wrong with it.
        #[source]
        source: glob::PatternError,
    },
    /// Standard input has one reader at a time.
    #[error("stream `{stream}`: another run of this process reads stdin")]
    StdinTaken {
        /// Logical name of the stream.
        stream: String,
    },
    /// Whoever read the pipe that a sink writes into has closed it.
    #[error("stream `{stream}`: the reader of `{path}` went away")]
    ReaderGone {
        /// Logical name of the stream.
        stream: String,
        /// The pipe.
        path: PathBuf,
    },
    /// No file has the name or fits the pattern.
    #[error("stream `{stream}`: no file matches `{pattern}`")]
    NoMatch {
        /// Logical name of the stream.
        stream: String,
        /// The pattern of the URL.
        pattern: String,
    },
    /// A compressed file becomes much longer than files do.
    #[error("stream `{stream}`: `{path}` becomes more than {} times as long when it is decompressed", .source.ratio)]
    Bomb {
        /// Logical name of the stream.
        stream: String,
        /// The file.
        path: PathBuf,
        /// How far it was read.
        #[source]
        source: Bomb,
    },
    /// Somebody cut or replaced a file while it was read.
    #[error("stream `{stream}`: `{path}` was changed while it was read")]
    Changed {
        /// Logical name of the stream.
        stream: String,
        /// The file.
        path: PathBuf,
        /// What was done to it.
        #[source]
        source: Changed,
    },
    /// Another run writes the file.
    #[error("stream `{stream}`: another run writes `{path}`")]
    Busy {
        /// Logical name of the stream.
        stream: String,
        /// The file.
        path: PathBuf,
    },
    /// A compressed file that is to be added to is cut or damaged.
    #[error("stream `{stream}`: nothing can be added to `{path}`")]
    NotWhole {
        /// Logical name of the stream.
        stream: String,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: NotWhole,
    },
    /// The file that a sink writes has lost its name.
    #[error("stream `{stream}`: `{path}` is no longer the file that this run writes")]
    OutputLost {
        /// Logical name of the stream.
        stream: String,
        /// The file.
        path: PathBuf,
        /// What was done to it.
        why: &'static str,
    },
    /// A sink would write the file that another stream reads or writes.
    #[error("stream `{stream}` would overwrite `{path}`, which stream `{other}` is bound to")]
    SameFile {
        /// Logical name of the stream.
        stream: String,
        /// The stream that has the file already.
        other: String,
        /// The file.
        path: PathBuf,
    },
    /// A broker can't be reached, refuses something, or a setting of the client is wrong.
    #[error("stream `{stream}`: cannot {doing} topic `{topic}`")]
    Broker {
        /// Logical name of the stream.
        stream: String,
        /// `connect to`, `read`, `write`.
        doing: &'static str,
        /// The topic.
        topic: String,
        /// What the client or the broker said.
        why: String,
        /// What to do about it.
        fix: &'static str,
    },
    /// The stream is bound to something that can't be read, or can't be written.
    #[error("stream `{stream}` is {role}, but {binding} cannot be one")]
    WrongRole {
        /// Logical name of the stream.
        stream: String,
        /// `a source` or `a sink`.
        role: &'static str,
        /// What it is bound to.
        binding: String,
    },
}

impl ConnectError {
    pub(super) fn read(stream: &str, path: &Path, source: io::Error) -> Self {
        let (stream, path) = (stream.to_owned(), path.to_owned());
        match source.downcast::<Bomb>().map_err(io::Error::downcast::<Changed>) {
            Ok(source) => Self::Bomb { stream, path, source },
            Err(Ok(source)) => Self::Changed { stream, path, source },
            Err(Err(source)) => Self::Read { stream, path, source },
        }
    }

    pub(super) fn write(stream: &str, path: &Path, source: io::Error) -> Self {
        let (stream, path) = (stream.to_owned(), path.to_owned());
        match source.downcast::<NotWhole>() {
            Ok(source) => Self::NotWhole { stream, path, source },
            Err(source) if source.kind() == io::ErrorKind::BrokenPipe => Self::ReaderGone { stream, path },
            Err(source) => Self::Write { stream, path, source },
        }
    }

    pub(super) fn not_a_source(stream: &str, binding: &str) -> Self {
        Self::WrongRole { stream: stream.to_owned(), role: "a source", binding: binding.to_owned() }
    }

    pub(super) fn not_a_sink(stream: &str, binding: &str) -> Self {
        Self::WrongRole { stream: stream.to_owned(), role: "a sink", binding: binding.to_owned() }
    }

    /// The error for people.
    pub fn diagnostic(&self) -> Diagnostic {
        let (code, fix) = match self {
            Self::Read { .. } => {
                (Code::SourceFailed, "check the path and its permissions; a compressed file may be cut short")
            }
            Self::Folder { .. } => (Code::SourceFailed, "name the files in it: `file:FOLDER/*.jsonl`"),
            Self::BadPattern { .. } => {
                (Code::BadUrl, "write `[*]` for a star that is part of a name, and likewise `[?]`")
            }
            Self::StdinTaken { .. } => (Code::SourceFailed, "wait for the other run, or read another stream"),
            Self::ReaderGone { .. } => {
                (Code::SinkFailed, "let it read to the end; what it was not given is not committed")
            }
            Self::NoMatch { .. } => (Code::SourceFailed, "check the path; a relative one starts at the current folder"),
            Self::Bomb { .. } => {
                (Code::SourceFailed, "if it is meant to be like that, raise `run.decompression_ratio`")
            }
            Self::Write { .. } => (Code::SinkFailed, "check that the folder exists, can be written and has room"),
            Self::Changed { .. } => (
                Code::SourceFailed,
                "read files that nobody cuts: rotate a log by renaming it, and read what was renamed",
            ),
            Self::Busy { .. } => (Code::SinkFailed, "wait for the other run, or bind the stream to another file"),
            Self::NotWhole { .. } => {
                (Code::SinkFailed, "move it away, or decompress what can be read of it and compress that anew")
            }
            Self::OutputLost { .. } => {
                (Code::SinkFailed, "run again, and leave the files alone that a run writes until it has ended")
            }
            Self::SameFile { .. } => (Code::SinkFailed, "bind each stream to a file of its own"),
            Self::Broker { fix, .. } => (Code::BrokerFailed, *fix),
            Self::WrongRole { .. } => {
                (Code::BadUrl, "bind the stream to another URL: `oxflow explain OXF0402` lists them")
            }
        };
        Diagnostic { code, message: self.to_string(), place: None, why: self.why(), fix: Some(fix.to_owned()) }
    }

    fn why(&self) -> Option<String> {
        match self {
            Self::OutputLost { why, .. } => Some((*why).to_owned()),
            Self::Broker { why, .. } => Some(why.clone()),
            Self::Busy { .. } => Some("two runs would write into each other's lines".to_owned()),
            _ => std::error::Error::source(self).map(ToString::to_string),
        }
    }
}
