//! Strings in groups, each group with its sum.
//!
//! First the directory: for each group where it begins in the rest, and its sum; at last where the last group ends. In a
//! group the lengths of its strings, as numbers of seven bits a byte, then the strings.

use std::borrow::Cow;

use super::layout::{damaged, sum, u32_at};
use crate::buffer::Slice;
use crate::error::{Error, Result};

/// Strings of a group.
const GROUP: usize = 64;
const ENTRY: usize = 8;

/// A table in an index file.
#[derive(Clone)]
pub(crate) struct Table {
    pub(crate) bytes: Slice,
    pub(crate) count: usize,
}

impl Table {
    /// A section as a table, if it has room for so many strings: each takes a byte at least.
    pub(crate) fn new(bytes: Slice, count: usize) -> Option<Self> {
        let directory = count.div_ceil(GROUP).checked_mul(ENTRY)?.checked_add(4)?;
        (directory.checked_add(count)? <= bytes.bytes().len()).then_some(Self { bytes, count })
    }

    /// A string; `None` if there are not so many.
    pub(crate) fn get(&self, index: usize) -> Result<Option<&[u8]>> {
        if index >= self.count {
            return Ok(None);
        }
        let strings = self.group(index / GROUP).map_or_else(|| damaged("a group of strings"), Ok)?;
        nth(strings, GROUP.min(self.count - index / GROUP * GROUP), index % GROUP)
            .map_or_else(|| damaged("a group of strings"), |text| Ok(Some(text)))
    }

    /// The bytes of a group, if they are what was written.
    fn group(&self, group: usize) -> Option<&[u8]> {
        let bytes = self.bytes.bytes();
        let start = u32_at(bytes, group * ENTRY)?;
        let wanted = u32_at(bytes, group * ENTRY + 4)?;
        let end = u32_at(bytes, (group + 1) * ENTRY)?;
        let blob = bytes.get(self.count.div_ceil(GROUP) * ENTRY + 4..)?;
        let strings = blob.get(start as usize..end as usize)?;
        (sum_of(group, start, end, strings) == wanted).then_some(strings)
    }
}

fn sum_of(group: usize, start: u32, end: u32, strings: &[u8]) -> u32 {
    let number = u32::try_from(group).unwrap_or(u32::MAX);
    sum([&number.to_le_bytes()[..], &start.to_le_bytes(), &end.to_le_bytes(), strings])
}

/// The string `wanted` of a group of `count`.
fn nth(group: &[u8], count: usize, wanted: usize) -> Option<&[u8]> {
    let mut rest = group;
    let mut before = 0;
    let mut length = 0;
    for index in 0..count {
        let (one, left) = number(rest)?;
        rest = left;
        if index < wanted {
            before += one;
        } else if index == wanted {
            length = one;
        }
    }
    rest.get(before..before.checked_add(length)?)
}

fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0usize;
    for (index, byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 127) << (7 * index);
        if *byte < 128 {
            return Some((value, bytes.get(index + 1..)?));
        }
    }
    None
}

/// Writes a table of strings.
pub(crate) fn write<'a>(strings: impl Iterator<Item = Result<Cow<'a, [u8]>>>) -> Result<Vec<u8>> {
    let too_large = Error::Limit { what: "the size of names and sources", limit: u64::from(u32::MAX) };
    let mut directory = Vec::new();
    let mut blob = Vec::new();
    let (mut lengths, mut texts, mut in_group, mut group) = (Vec::new(), Vec::new(), 0, 0);
    let mut close = |lengths: &mut Vec<u8>, texts: &mut Vec<u8>| -> Result<()> {
        let start = u32::try_from(blob.len()).map_err(|_| too_large.clone())?;
        blob.append(lengths);
        blob.append(texts);
        let end = u32::try_from(blob.len()).map_err(|_| too_large.clone())?;
        let strings = blob.get(start as usize..).unwrap_or_default();
        directory.extend(start.to_le_bytes());
        directory.extend(sum_of(group, start, end, strings).to_le_bytes());
        group += 1;
        Ok(())
    };
    for string in strings {
        let string = string?;
        let mut length = string.len();
        while length > 127 {
            lengths.push(u8::try_from(length & 127).unwrap_or_default() | 128);
            length >>= 7;
        }
        lengths.push(u8::try_from(length).unwrap_or_default());
        texts.extend_from_slice(&string);
        in_group += 1;
        if in_group == GROUP {
            close(&mut lengths, &mut texts)?;
            in_group = 0;
        }
    }
    if in_group > 0 {
        close(&mut lengths, &mut texts)?;
    }
    let end = u32::try_from(blob.len()).map_err(|_| too_large)?;
    directory.extend(end.to_le_bytes());
    directory.append(&mut blob);
    Ok(directory)
}
