//! Metadata of one batch, copied out of the runtime's memory once.
//!
//! The runtime lends its columns for the call of `decode` only, but a user may keep a message for as long as they like. So
//! the columns are copied, all of a batch at a time, into few allocations that the messages share.

use crate::abi;
use std::ops::Range;

/// The columns of a batch. Ranges point into `names` and `bytes`.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    stream: String,
    /// Partition, offset and timestamp of each row.
    places: Vec<(u32, i64, i64)>,
    keys: Vec<Option<Range<usize>>>,
    headers: Vec<(Range<usize>, Range<usize>)>,
    header_ends: Vec<u32>,
    names: String,
    bytes: Vec<u8>,
}

impl Columns {
    /// Copies the columns of `rows`.
    ///
    /// # Safety
    ///
    /// `rows` keeps what `abi::Rows` promises.
    pub(crate) unsafe fn copy(rows: &abi::Rows) -> Self {
        let len = rows.len;
        // SAFETY: the caller's promise covers every column of the batch and the stream's name.
        let (stream, partitions, offsets, timestamps, keys, ends) = unsafe {
            (
                borrow(rows.stream.data, rows.stream.len),
                borrow(rows.partitions, len),
                borrow(rows.offsets, len),
                borrow(rows.timestamps, len),
                borrow(rows.keys, len),
                borrow(rows.header_ends, len),
            )
        };
        let headers_len = ends.last().map_or(0, |&end| end as usize);
        // SAFETY: the last end is the number of headers.
        let headers = unsafe { borrow(rows.headers, headers_len) };
        let mut columns = Self {
            stream: String::from_utf8_lossy(stream).into_owned(),
            places: partitions
                .iter()
                .zip(offsets)
                .zip(timestamps)
                .map(|((&part, &at), &time)| (part, at, time))
                .collect(),
            header_ends: ends.to_vec(),
            ..Self::default()
        };
        for key in keys {
            // SAFETY: the caller's promise covers each key.
            let key = (!key.data.is_null()).then(|| unsafe { borrow(key.data, key.len) });
            let key = key.map(|key| columns.push_bytes(key));
            columns.keys.push(key);
        }
        for header in headers {
            // SAFETY: the caller's promise covers each name and value.
            let (name, value) =
                unsafe { (borrow(header.name.data, header.name.len), borrow(header.value.data, header.value.len)) };
            let header = (columns.push_name(name), columns.push_bytes(value));
            columns.headers.push(header);
        }
        columns
    }

    fn push_bytes(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    fn push_name(&mut self, name: &[u8]) -> Range<usize> {
        let start = self.names.len();
        self.names.push_str(&String::from_utf8_lossy(name));
        start..self.names.len()
    }

    pub(crate) fn has(&self, row: u32) -> bool {
        (row as usize) < self.places.len()
    }

    pub(crate) fn stream(&self) -> &str {
        &self.stream
    }

    pub(crate) fn partition(&self, row: u32) -> u32 {
        self.places.get(row as usize).map_or(0, |place| place.0)
    }

    pub(crate) fn offset(&self, row: u32) -> i64 {
        self.places.get(row as usize).map_or(0, |place| place.1)
    }

    pub(crate) fn timestamp(&self, row: u32) -> i64 {
        self.places.get(row as usize).map_or(0, |place| place.2)
    }

    pub(crate) fn key(&self, row: u32) -> Option<&[u8]> {
        let range = self.keys.get(row as usize)?.clone()?;
        self.bytes.get(range)
    }

    /// Where the headers of a row lie, for [`Columns::header`].
    pub(crate) fn headers(&self, row: u32) -> Range<usize> {
        let end_of = |row: usize| self.header_ends.get(row).map_or(0, |&end| end as usize);
        let start = (row as usize).checked_sub(1).map_or(0, end_of);
        start..end_of(row as usize)
    }

    pub(crate) fn header(&self, index: usize) -> Option<(&str, &[u8])> {
        let (name, value) = self.headers.get(index)?.clone();
        Some((self.names.get(name)?, self.bytes.get(value)?))
    }
}

/// A slice, or an empty one for null.
///
/// # Safety
///
/// `data` is null or points to `len` values that live and don't change for `'a`.
pub(crate) unsafe fn borrow<'a, T>(data: *const T, len: usize) -> &'a [T] {
    if data.is_null() {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(data, len) }
}
