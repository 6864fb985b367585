//! Where things are in an index file.

use crate::error::{Error, Result};

/// The text ends what prints it, and a transfer as text damages it.
pub(super) const MAGIC: &[u8; 8] = b"OXFMAP\x1a\n";
/// A file of another major version can't be read; one of a later minor version can.
pub(super) const MAJOR: u16 = 1;
/// 1: scopes, functions, and what Metro wrote.
pub(super) const MINOR: u16 = 1;
pub(super) const HEADER_BYTES: usize = 64;
pub(super) const ENTRY_BYTES: usize = 32;
pub(super) const ALIGNMENT: usize = 64;
/// A directory is never longer.
pub(super) const MOST_SECTIONS: u32 = 64;

/// What a section holds. Kinds that are not known are passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Kind {
    Facts = 1,
    Keys = 2,
    Records = 3,
    Sums = 4,
    Text = 5,
    Names = 6,
    Sources = 7,
    Places = 8,
    Frames = 9,
    Data = 10,
    Ranges = 11,
    Scopes = 12,
    Functions = 13,
    FunctionNames = 14,
    Metro = 15,
}

/// A section in the directory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) kind: u32,
    pub(super) sum: u32,
    pub(super) offset: u64,
    pub(super) length: u64,
}

impl Entry {
    pub(super) fn write(&self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        let fields = [
            &self.kind.to_le_bytes()[..],
            &self.sum.to_le_bytes(),
            &self.offset.to_le_bytes(),
            &self.length.to_le_bytes(),
        ];
        for (place, byte) in bytes.iter_mut().zip(fields.into_iter().flatten()) {
            *place = *byte;
        }
        bytes
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            kind: u32_at(bytes, 0)?,
            sum: u32_at(bytes, 4)?,
            offset: u64_at(bytes, 8)?,
            length: u64_at(bytes, 16)?,
        })
    }
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

pub(crate) fn damaged<T>(what: &'static str) -> Result<T> {
    Err(Error::IndexCorrupt { what })
}

/// The sum of several pieces.
pub(crate) fn sum<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    pieces.into_iter().for_each(|piece| sum.update(piece));
    sum.finalize()
}
