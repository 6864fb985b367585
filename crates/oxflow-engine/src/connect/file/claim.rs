//! Makes an output this run's own, before anything in it is touched.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::super::ConnectError;
use super::FileKey;

/// A file that no other run writes while this one holds it. What is in it is untouched; one that was made for nothing goes
/// again. The lock is the system's, so that it ends with the process.
#[derive(Debug)]
pub struct Claim {
    path: PathBuf,
    /// Absent once it is taken.
    file: Option<File>,
    /// There was no file before.
    made: bool,
}

impl Claim {
    /// Opens the file, or makes an empty one, and locks it. `read`: it will be looked at, too.
    pub(in super::super) fn of(stream: &str, path: &Path, read: bool) -> Result<Self, ConnectError> {
        let failed = |source| ConnectError::write(stream, path, source);
        loop {
            let (file, made) = open(path, read).map_err(failed)?;
            if !lock(&file) {
                return Err(ConnectError::Busy { stream: stream.to_owned(), path: path.to_owned() });
            }
            // Between opening and locking another run may have taken away the file that it had made.
            if FileKey::of_open(&file, path).map_err(failed)? == FileKey::of(path) {
                return Ok(Self { path: path.to_owned(), file: Some(file), made });
            }
        }
    }

    /// The file, which stays locked until it is closed or unlocked.
    pub(super) fn take(mut self) -> io::Result<File> {
        self.file.take().ok_or_else(|| io::Error::other("it was taken before"))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.made && self.file.is_some() {
            // If it can't be removed, an empty file stays: no harm, and nobody to tell.
            drop(fs::remove_file(&self.path));
        }
    }
}

fn open(path: &Path, read: bool) -> io::Result<(File, bool)> {
    let options = || OpenOptions::new().read(read).write(true).clone();
    match options().create_new(true).open(path) {
        Ok(file) => Ok((file, true)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Ok((options().create(true).truncate(false).open(path)?, false))
        }
        Err(error) => Err(error),
    }
}

/// False if another run has it. Where the file system knows no locks, runs go on without.
fn lock(file: &File) -> bool {
    !matches!(file.try_lock(), Err(TryLockError::WouldBlock))
}
