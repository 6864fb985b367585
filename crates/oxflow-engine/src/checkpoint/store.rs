//! The file that a checkpoint lies in.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Checkpoint, VERSION};
use crate::crash;
use crate::diagnostic::{Code, Diagnostic};

/// Reads and replaces the checkpoint of a run.
#[derive(Clone, Debug)]
pub struct Store {
    path: PathBuf,
}

/// A checkpoint that can't be used or written.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file system refused.
    #[error("the checkpoint `{path}` cannot be {verb}")]
    Io {
        /// Path of the checkpoint.
        path: PathBuf,
        /// `read` or `written`.
        verb: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is somebody else's, or was damaged.
    #[error("`{path}` is not a checkpoint")]
    Foreign {
        /// Path of the file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The checkpoint would lie in a file of the run.
    #[error("the checkpoint would overwrite `{path}`, which stream `{stream}` is bound to")]
    Taken {
        /// Path of the checkpoint.
        path: PathBuf,
        /// The stream.
        stream: String,
    },
    /// The checkpoint is one of another version.
    #[error("`{path}` is not a checkpoint of this version")]
    Unreadable {
        /// Path of the checkpoint.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file of the source isn't what it was.
    #[error("`{file}` is not the file that the checkpoint `{path}` was made of")]
    SourceChanged {
        /// Path of the checkpoint.
        path: PathBuf,
        /// The file.
        file: PathBuf,
        /// What differs.
        why: String,
    },
    /// The pipeline has other steps than it had.
    #[error("the checkpoint `{path}` was made by a pipeline with other steps")]
    PipelineChanged {
        /// Path of the checkpoint.
        path: PathBuf,
        /// What differs.
        why: String,
    },
    /// An output is shorter than it was.
    #[error("`{file}` is shorter than the checkpoint `{path}` says")]
    SinkChanged {
        /// Path of the checkpoint.
        path: PathBuf,
        /// The file.
        file: PathBuf,
        /// Its length.
        length: u64,
        /// What the checkpoint says.
        expected: u64,
    },
}

impl CheckpointError {
    /// The error for people.
    pub fn diagnostic(&self) -> Diagnostic {
        let why = match self {
            Self::Io { source, .. } => source.to_string(),
            Self::Foreign { why, .. }
            | Self::Unreadable { why, .. }
            | Self::SourceChanged { why, .. }
            | Self::PipelineChanged { why, .. } => why.clone(),
            Self::Taken { .. } => "a checkpoint needs a file of its own".to_owned(),
            Self::SinkChanged { length, expected, .. } => format!("it has {length} bytes, not {expected}"),
        };
        let (Self::Io { path, .. }
        | Self::Foreign { path, .. }
        | Self::Taken { path, .. }
        | Self::Unreadable { path, .. }
        | Self::SourceChanged { path, .. }
        | Self::PipelineChanged { path, .. }
        | Self::SinkChanged { path, .. }) = self;
        let fix = match self {
            Self::Io { .. } => "check that the folder can be written and has room".to_owned(),
            Self::Foreign { .. } | Self::Taken { .. } => "set `run.checkpoint` to another path".to_owned(),
            Self::PipelineChanged { .. } => {
                format!("give the steps their names back, or remove `{}` to start at the beginning", path.display())
            }
            _ => format!("put the file back as it was, or remove `{}` to start at the beginning", path.display()),
        };
        Diagnostic::new(Code::CheckpointMismatch, self.to_string()).because(why).fix(fix)
    }
}

/// What checkpoints of all versions have in common.
#[derive(Deserialize)]
struct AnyVersion {
    version: u32,
    #[serde(rename = "sinks")]
    _sinks: IgnoredAny,
    #[serde(rename = "sources")]
    _sources: IgnoredAny,
}

impl Store {
    /// The checkpoint at this path.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads it; none if there is none.
    pub fn load(&self) -> Result<Option<Checkpoint>, CheckpointError> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(self.io("read", source)),
        };
        let foreign =
            |error: serde_json::Error| CheckpointError::Foreign { path: self.path.clone(), why: error.to_string() };
        let unreadable = |why: String| CheckpointError::Unreadable { path: self.path.clone(), why };
        let AnyVersion { version, .. } = serde_json::from_slice(&text).map_err(foreign)?;
        if version != VERSION {
            return Err(unreadable(format!("it has version {version}, this is version {VERSION}")));
        }
        serde_json::from_slice(&text).map(Some).map_err(|error| unreadable(error.to_string()))
    }

    /// Replaces it. Either the old or the new one is there at any moment.
    pub fn save(&self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        self.replace(checkpoint).map_err(|source| self.io("written", source))
    }

    fn replace(&self, checkpoint: &Checkpoint) -> io::Result<()> {
        let temporary = self.path.with_extension("oxflow-tmp");
        let mut file = File::create(&temporary)?;
        file.write_all(&serde_json::to_vec(checkpoint)?)?;
        crash::point("checkpoint-written");
        file.sync_all()?;
        crash::point("checkpoint-synced");
        fs::rename(&temporary, &self.path)?;
        crash::point("checkpoint-renamed");
        self.sync_folder()
    }

    /// Removes what an earlier run left, of whatever version. A file that is no checkpoint stays.
    pub fn discard(&self) -> Result<(), CheckpointError> {
        match self.load() {
            Ok(Some(_)) | Err(CheckpointError::Unreadable { .. }) => self.remove(),
            Ok(None) | Err(CheckpointError::Foreign { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Removes it, since everything is done.
    pub fn remove(&self) -> Result<(), CheckpointError> {
        match fs::remove_file(&self.path) {
            Ok(()) => self.sync_folder().map_err(|source| self.io("written", source)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(self.io("written", source)),
        }
    }

    /// A rename lasts only when the folder is synced.
    fn sync_folder(&self) -> io::Result<()> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
    }

    fn io(&self, verb: &'static str, source: io::Error) -> CheckpointError {
        CheckpointError::Io { path: self.path.clone(), verb, source }
    }
}
