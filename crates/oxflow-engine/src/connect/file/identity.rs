//! What tells a file from another one of its name.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::real_path;
use crate::checkpoint::Identity;

/// First bytes of a file that are compared.
const HEAD_BYTES: u64 = 4096;

/// Another file has the name now.
pub(super) const REPLACED: &str = "it was replaced by another file";

/// The identity of a file as it is now.
pub(super) fn of(path: &Path) -> io::Result<Identity> {
    let metadata = path.metadata()?;
    let head = head(path, if metadata.is_file() { HEAD_BYTES } else { 0 })?;
    let (device, inode) = numbers(&metadata);
    Ok(Identity { path: real_path(path), device, inode, head_bytes: head.len() as u64, head: hash(&head) })
}

/// What all names of one file have in common, links of both kinds included.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FileKey {
    /// Device and number of a file that is there.
    Number(u64, u64),
    /// Real path of a file that isn't, or has no number.
    Path(PathBuf),
}

impl FileKey {
    /// The key of the file that has this name.
    pub fn of(path: &Path) -> Self {
        match path.metadata().map(|metadata| numbers(&metadata)) {
            Ok((device, inode)) if (device, inode) != (0, 0) => Self::Number(device, inode),
            _ => Self::Path(real_path(path)),
        }
    }

    /// The key of a file that was opened by this name.
    pub(super) fn of_open(file: &File, path: &Path) -> io::Result<Self> {
        Ok(match numbers(&file.metadata()?) {
            (0, 0) => Self::Path(real_path(path)),
            (device, inode) => Self::Number(device, inode),
        })
    }
}

impl Identity {
    /// True if this is the file, whatever its name is now.
    pub(super) fn is(&self, file: &File) -> io::Result<bool> {
        Ok(numbers(&file.metadata()?) == (self.device, self.inode))
    }

    /// Why the file is not the one that had this identity, if it isn't. It may have grown.
    pub fn differs(&self) -> io::Result<Option<String>> {
        let now = match self.path.metadata() {
            Ok(now) => now,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some("it is gone".to_owned())),
            Err(error) => return Err(error),
        };
        let head = head(&self.path, self.head_bytes)?;
        if numbers(&now) != (self.device, self.inode) {
            return Ok(Some(REPLACED.to_owned()));
        }
        let same = (head.len() as u64, hash(&head)) == (self.head_bytes, self.head);
        Ok((!same).then(|| "its first bytes differ".to_owned()))
    }
}

fn head(path: &Path, bytes: u64) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    if bytes > 0 {
        File::open(path)?.take(bytes).read_to_end(&mut head)?;
    }
    Ok(head)
}

/// FNV-1a, 64 bit: nobody attacks it here, and it is the same in every version.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(unix)]
fn numbers(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn numbers(_metadata: &Metadata) -> (u64, u64) {
    (0, 0)
}
