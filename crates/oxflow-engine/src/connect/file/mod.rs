//! JSON Lines in files: each file is a partition, each line a message.

mod claim;
mod compression;
mod identity;
mod output;
mod sink;
mod source;

use std::path::{Path, PathBuf};

pub use claim::Claim;
pub use compression::Bomb;
pub(super) use compression::reader;
pub use identity::FileKey;
pub use sink::NotWhole;
pub(super) use sink::{FileSink, LineWriter, Start};
pub use source::Changed;
pub(super) use source::open;

/// The path without links and dots, also of a file that isn't there yet.
pub(super) fn real_path(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let named = || Some(folder.canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(named).unwrap_or_else(|| path.to_owned())
}
