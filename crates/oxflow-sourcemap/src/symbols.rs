//! A folder of index files, shared by threads and processes, that never grows over a limit.

use std::cell::Cell;
use std::fmt::Write;
use std::fs::{self, File, FileTimes};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::index::{Content, Opening, UNFINISHED, mapped, write};
use crate::map::SourceMap;

const SUFFIX: &str = "oxmap";
/// Keys share them: a lock for each key would be a file that stays for ever.
const LOCKS: u8 = 64;
/// What a killed process left is what nobody has written to for so long; to write an index takes seconds.
const ABANDONED: Duration = Duration::from_secs(600);

/// Index files of source maps by key, the least recently used of which are removed.
///
/// A map that is not there is built once, by whichever thread or process comes first, while the others wait for it. Processes
/// may be killed at any time.
#[derive(Debug)]
pub struct SymbolCache {
    folder: PathBuf,
    most_bytes: u64,
    opening: Opening,
}

impl SymbolCache {
    /// A folder, which is made if it isn't there, with at most so many bytes of index files; one may be larger, and is kept until
    /// the next one comes. With `verify` in `opening` what is damaged anywhere is built anew, else what can't be opened.
    pub fn new(folder: &Path, most_bytes: u64, opening: Opening) -> Result<Self> {
        fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
        Ok(Self { folder: folder.to_owned(), most_bytes, opening })
    }

    /// The index for a key; `None` if it is not there, or is damaged.
    pub fn open(&self, key: &str) -> Result<Option<SourceMap>> {
        self.opened(&self.path(&hash(key)))
    }

    /// The index for a key. If it is not there, or is damaged, it is built of what `load` gives, by one caller of all.
    pub fn get<E: From<Error>>(
        &self,
        key: &str,
        load: impl FnOnce() -> std::result::Result<SourceMap, E>,
    ) -> std::result::Result<SourceMap, E> {
        let hash = hash(key);
        let path = self.path(&hash);
        if let Some(found) = self.opened(&path)? {
            return Ok(found);
        }
        let lock = self.lock(&hash)?;
        // Somebody may have built it meanwhile.
        let found = if let Some(found) = self.opened(&path)? {
            found
        } else {
            write(&load()?, &path, Content::Zstd, false)?;
            let built = mapped(&path).map_err(|error| failed(&path, &error))?;
            SourceMap::open(&built, Opening::default())?
        };
        drop(lock);
        self.make_room(&path).map_err(|error| failed(&self.folder, &error))?;
        Ok(found)
    }

    /// Removes the index for a key, if there is one; who has it open keeps it.
    pub fn discard(&self, key: &str) -> Result<()> {
        let path = self.path(&hash(key));
        gone_or(fs::remove_file(&path)).map_err(|error| failed(&path, &error))
    }

    /// Bytes of all index files that are there now, with those that are being written.
    pub fn size(&self) -> Result<u64> {
        let files = self.files().map_err(|error| failed(&self.folder, &error))?;
        Ok(files.iter().map(|(_, size, _)| size).sum())
    }

    fn path(&self, hash: &[u8]) -> PathBuf {
        let mut name = String::new();
        for byte in hash {
            // Writing to a string doesn't fail.
            let _ = write!(name, "{byte:02x}");
        }
        self.folder.join(name).with_extension(SUFFIX)
    }

    /// The lock of a key. Who has one already gets no other: `load` asks for a map, and would wait for itself, or for somebody who
    /// waits for it. What it asks for may then be built twice.
    fn lock(&self, hash: &[u8]) -> Result<Option<Lock>> {
        if HAS_LOCK.get() {
            return Ok(None);
        }
        let number = hash.first().map_or(0, |first| first % LOCKS);
        let path = self.folder.join(format!("lock-{number:02}"));
        Lock::of(&path).map(Some).map_err(|error| failed(&path, &error))
    }

    /// Says that the index for a key is used, by somebody who has it open.
    pub(crate) fn touch(&self, key: &str) {
        // Who may not write there, or finds it removed, only says nothing of the use.
        let _ = File::open(self.path(&hash(key))).and_then(|file| used_now(&file));
    }

    /// The index, which is then the one that was used last.
    fn opened(&self, path: &Path) -> Result<Option<SourceMap>> {
        let touched = File::open(path).map(|file| used_now(&file));
        // Who may not write there only says nothing of the use.
        let bytes = match touched.and_then(|_| mapped(path)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(path, &error)),
        };
        match SourceMap::open(&bytes, self.opening) {
            Ok(map) => Ok(Some(map)),
            Err(Error::IndexCorrupt { .. } | Error::IndexVersion { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// When each index file was used last, its bytes, where it is; those that are being written, too.
    fn files(&self) -> io::Result<Vec<(SystemTime, u64, PathBuf)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if !is_index(&path) && !is_unfinished(&path) {
                continue;
            }
            match fs::metadata(&path) {
                Ok(about) => files.push((about.modified()?, about.len(), path)),
                // Another process removed it since.
                Err(error) => gone_or(Err(error))?,
            }
        }
        Ok(files)
    }

    /// Removes what was used longest ago, but never what was just built.
    fn make_room(&self, newest: &Path) -> io::Result<()> {
        let (mut files, unfinished): (Vec<_>, Vec<_>) =
            self.files()?.into_iter().partition(|(_, _, path)| is_index(path));
        let mut beside = 0;
        for (written, bytes, path) in unfinished {
            if written.elapsed().is_ok_and(|since| since >= ABANDONED) {
                gone_or(fs::remove_file(&path))?;
            } else {
                beside += bytes;
            }
        }
        files.sort();
        let mut size = files.iter().fold(beside, |size, (_, bytes, _)| size + bytes);
        for (_, bytes, path) in files {
            if size <= self.most_bytes {
                break;
            }
            if path != newest {
                gone_or(fs::remove_file(&path))?;
                size -= bytes;
            }
        }
        Ok(())
    }
}

fn is_index(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == SUFFIX)
}

/// Whether a file is an index that is being written, or that a killed process left.
fn is_unfinished(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == UNFINISHED)
}

/// An outcome; that a file is not there is none.
fn gone_or(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

fn used_now(file: &File) -> io::Result<()> {
    file.set_times(FileTimes::new().set_modified(SystemTime::now()))
}

thread_local! {
    /// Whether this thread has the lock of some keys.
    static HAS_LOCK: Cell<bool> = const { Cell::new(false) };
}

/// The lock of some keys. The end of the process opens it as well.
struct Lock(File);

impl Lock {
    /// Waits until nobody has it.
    fn of(path: &Path) -> io::Result<Self> {
        let file = File::create(path)?;
        file.lock()?;
        HAS_LOCK.set(true);
        Ok(Self(file))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        HAS_LOCK.set(false);
        // To close the file isn't enough: a child that was forked meanwhile has it open, too. Where this fails, closing is what is left.
        let _ = self.0.unlock();
    }
}

fn hash(key: &str) -> Vec<u8> {
    Sha256::digest(key.as_bytes()).to_vec()
}

fn failed(path: &Path, error: &io::Error) -> Error {
    Error::File { path: path.to_owned(), reason: error.to_string() }
}
