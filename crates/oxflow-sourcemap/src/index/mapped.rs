//! A file as memory.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use memmap2::Mmap;

use crate::buffer::Buffer;

/// The bytes of a file, read when they are looked at.
///
/// A file that somebody cuts short while it is mapped ends the process with SIGBUS, and one that is changed in place may give
/// any answer: files that others may change must be read instead.
/// Those that this crate writes are replaced, never changed, so that who has the old one keeps it.
pub fn mapped(path: &Path) -> io::Result<Buffer> {
    let file = File::open(path)?;
    // SAFETY: that nobody changes or shortens the file is a promise of the caller, who has the other way for files of others.
    // Should it be broken: all that is read is checked at each use, as bytes that may be anything, and text is copied before it
    // is checked, so that no `str` lies in the map.
    let map = unsafe { Mmap::map(&file)? };
    Ok(Arc::new(map))
}
