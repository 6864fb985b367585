//! The contents of sources, several in a frame, each frame compressed and with its sum.

use super::layout::{damaged, sum, u32_at, u64_at};
use super::write::Content;
use crate::buffer::Slice;
use crate::error::{Error, Result};
use crate::sources::Strings;

/// Bytes from which on a frame is closed: small ones compress worse, large ones make a content take longer.
const FRAME_BYTES: usize = 256 << 10;
/// For each source: its frame, where it begins in it, its length, and the sum of these and its number.
const PLACE_BYTES: usize = 16;
/// For each frame: where its data begins, how long it is, how long it was, and the sum of all that.
const FRAME_ENTRY: usize = 20;
/// No content is longer: who reads a file of somebody else makes room for as much as it says.
const MOST_BYTES: usize = 512 << 20;
/// What zstd makes of a byte at most: a block takes four and gives 128 KiB.
const MOST_FOLD: usize = 32 << 10;
/// The frame of a source without content.
const NONE: u32 = u32::MAX;

/// Contents in an index file.
#[derive(Clone)]
pub(crate) struct Contents {
    pub(crate) places: Slice,
    pub(crate) frames: Slice,
    pub(crate) data: Slice,
}

impl Contents {
    pub(crate) fn get(&self, source: usize) -> Result<Option<String>> {
        let Some((frame, start, end)) = self.place(source) else { return damaged("the place of a content") };
        if frame == NONE {
            return Ok(None);
        }
        if start == end {
            // If all contents since the last frame are empty, there is no frame.
            return Ok(Some(String::new()));
        }
        let Some(text) = self.frame(frame as usize) else { return damaged("a frame of contents") };
        let content = text.get(start as usize..end as usize).map(<[u8]>::to_vec);
        let content = content.and_then(|content| String::from_utf8(content).ok());
        content.map_or_else(|| damaged("the place of a content"), |content| Ok(Some(content)))
    }

    fn place(&self, source: usize) -> Option<(u32, u32, u32)> {
        let bytes = self.places.bytes().get(source.checked_mul(PLACE_BYTES)?..)?;
        let (frame, start, end) = (u32_at(bytes, 0)?, u32_at(bytes, 4)?, u32_at(bytes, 8)?);
        (u32_at(bytes, 12)? == sum_of_place(source, frame, start, end)).then_some((frame, start, end))
    }

    fn frame(&self, frame: usize) -> Option<Vec<u8>> {
        let (data, length) = self.stored(frame)?;
        if data.len() == length {
            return Some(data.to_vec());
        }
        if length > (MOST_BYTES + FRAME_BYTES).min(data.len().saturating_mul(MOST_FOLD)) {
            return None;
        }
        let text = zstd::bulk::decompress(data, length).ok();
        text.filter(|text| text.len() == length)
    }

    /// The bytes of a frame as they are stored, and how many they stand for.
    fn stored(&self, frame: usize) -> Option<(&[u8], usize)> {
        let entry = self.frames.bytes().get(frame.checked_mul(FRAME_ENTRY)?..)?;
        let (start, stored, length) = (u64_at(entry, 0)?, u32_at(entry, 8)?, u32_at(entry, 12)?);
        let start = usize::try_from(start).ok()?;
        let data = self.data.bytes().get(start..start.checked_add(stored as usize)?)?;
        let wanted = sum_of_frame(frame, entry.get(..16)?, data);
        (u32_at(entry, 16)? == wanted).then_some((data, length as usize))
    }
}

fn sum_of_place(source: usize, frame: u32, start: u32, end: u32) -> u32 {
    let number = source as u64;
    sum([&number.to_le_bytes()[..], &frame.to_le_bytes(), &start.to_le_bytes(), &end.to_le_bytes()])
}

fn sum_of_frame(frame: usize, entry: &[u8], data: &[u8]) -> u32 {
    sum([&(frame as u64).to_le_bytes()[..], entry, data])
}

/// Contents that are being written.
pub(super) struct Writer {
    content: Content,
    places: Vec<u8>,
    frames: Vec<u8>,
    data: Vec<u8>,
    open: Vec<u8>,
    /// The frame that was compressed last: its memory is used again.
    packed: Vec<u8>,
    compressor: Option<zstd::bulk::Compressor<'static>>,
}

impl Writer {
    pub(super) fn new(content: Content) -> Result<Self> {
        let compressor = match content {
            Content::Zstd => Some(zstd::bulk::Compressor::new(1).map_err(|error| failed(&error))?),
            Content::Raw | Content::None => None,
        };
        let (places, frames, data, open, packed) = Default::default();
        Ok(Self { content, places, frames, data, open, packed, compressor })
    }

    pub(super) fn add(&mut self, source: usize, strings: &Strings) -> Result<()> {
        let frame = u32::try_from(self.frames.len() / FRAME_ENTRY).unwrap_or(NONE);
        let start = self.open.len();
        let is_there = self.content != Content::None && strings.content_into(source, &mut self.open)?;
        if self.open.len() - start > MOST_BYTES {
            return Err(too_large());
        }
        let word = |number: usize| u32::try_from(number).map_err(|_| too_large());
        let (frame, start, end) = if is_there { (frame, word(start)?, word(self.open.len())?) } else { (NONE, 0, 0) };
        for number in [frame, start, end, sum_of_place(source, frame, start, end)] {
            self.places.extend(number.to_le_bytes());
        }
        if self.open.len() >= FRAME_BYTES { self.close() } else { Ok(()) }
    }

    fn close(&mut self) -> Result<()> {
        if self.open.is_empty() {
            return Ok(());
        }
        let compressed = match &mut self.compressor {
            Some(compressor) => {
                self.packed.clear();
                self.packed.reserve(zstd::zstd_safe::compress_bound(self.open.len()));
                compressor.compress_to_buffer(&self.open, &mut self.packed).map_err(|error| failed(&error))?;
                Some(&self.packed)
            }
            None => None,
        };
        // As long as it was means that it is stored as it is.
        let stored = compressed.filter(|stored| stored.len() < self.open.len()).unwrap_or(&self.open);
        let frame = self.frames.len() / FRAME_ENTRY;
        let mut entry = (self.data.len() as u64).to_le_bytes().to_vec();
        for length in [stored.len(), self.open.len()] {
            entry.extend(u32::try_from(length).map_err(|_| too_large())?.to_le_bytes());
        }
        let sum = sum_of_frame(frame, &entry, stored);
        self.data.extend_from_slice(stored);
        self.frames.append(&mut entry);
        self.frames.extend(sum.to_le_bytes());
        self.open.clear();
        Ok(())
    }

    /// Places, frames and data.
    pub(super) fn finish(mut self) -> Result<[Vec<u8>; 3]> {
        self.close()?;
        Ok([self.places, self.frames, self.data])
    }
}

fn too_large() -> Error {
    Error::Limit { what: "the size of a source's content", limit: MOST_BYTES as u64 }
}

fn failed(error: &std::io::Error) -> Error {
    Error::Write { reason: error.to_string() }
}
