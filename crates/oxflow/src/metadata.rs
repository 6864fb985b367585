//! What travels with a payload: a row of shared columns, or a box of changes.
//!
//! Most functions leave key, headers and timestamp alone. Then a message costs a pointer to the batch's columns and an
//! index. The first change copies that message's metadata into a box.

use crate::columns::Columns;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Metadata of one message.
#[derive(Clone, Debug)]
pub(crate) struct Metadata {
    columns: Arc<Columns>,
    row: u32,
    changes: Option<Box<Changes>>,
}

/// The metadata of a message that a function changed: key and headers are all that it has now.
#[derive(Clone, Debug)]
pub(crate) struct Changes {
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    /// Absent if it is still that of the row.
    pub(crate) timestamp: Option<i64>,
}

impl Metadata {
    pub(crate) fn new(columns: Arc<Columns>, row: u32) -> Self {
        Self { columns, row, changes: None }
    }

    /// Metadata of a message that comes from no stream.
    pub(crate) fn detached() -> Self {
        static NOWHERE: OnceLock<Arc<Columns>> = OnceLock::new();
        Self::new(Arc::clone(NOWHERE.get_or_init(Arc::default)), 0)
    }

    pub(crate) fn key(&self) -> Option<&[u8]> {
        match self.changes() {
            Some(changes) => changes.key.as_deref(),
            None => self.columns.key(self.row),
        }
    }

    pub(crate) fn headers(&self) -> Headers<'_> {
        match self.changes() {
            Some(changes) => Headers(Place::Changed(changes.headers.iter())),
            None => Headers(Place::Columns(&self.columns, self.columns.headers(self.row))),
        }
    }

    pub(crate) fn timestamp(&self) -> i64 {
        self.own_timestamp().unwrap_or_default()
    }

    pub(crate) fn columns(&self) -> &Columns {
        &self.columns
    }

    pub(crate) fn row(&self) -> u32 {
        self.row
    }

    /// The changes, made on the first call.
    pub(crate) fn change(&mut self) -> &mut Changes {
        self.changes.get_or_insert_with(|| Box::new(Changes::copy(&self.columns, self.row)))
    }

    pub(crate) fn changes(&self) -> Option<&Changes> {
        self.changes.as_deref()
    }

    pub(crate) fn into_changes(self) -> Option<Box<Changes>> {
        self.changes
    }

    /// This metadata as that of an output of `input`. A message that a function built itself, or kept from another row,
    /// has an origin of its own; what comes out of a row belongs to that row.
    pub(crate) fn settle(mut self, input: Metadata) -> Self {
        if Arc::ptr_eq(&self.columns, &input.columns) && self.row == input.row {
            return self;
        }
        let timestamp = self.own_timestamp().unwrap_or(input.timestamp());
        self.change().timestamp = Some(timestamp);
        Self { changes: self.changes, ..input }
    }

    /// A message that comes from no stream has a timestamp only if it was given one.
    fn own_timestamp(&self) -> Option<i64> {
        let changed = self.changes.as_ref().and_then(|changes| changes.timestamp);
        changed.or_else(|| self.columns.has(self.row).then(|| self.columns.timestamp(self.row)))
    }
}

impl Changes {
    fn copy(columns: &Columns, row: u32) -> Self {
        let headers = columns.headers(row).filter_map(|index| columns.header(index));
        Self {
            key: columns.key(row).map(<[u8]>::to_vec),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_vec())).collect(),
            timestamp: None,
        }
    }
}

/// The headers of a message in their order: name and value.
#[derive(Clone, Debug)]
pub struct Headers<'a>(Place<'a>);

#[derive(Clone, Debug)]
enum Place<'a> {
    Columns(&'a Columns, Range<usize>),
    Changed(std::slice::Iter<'a, (String, Vec<u8>)>),
}

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a str, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Place::Columns(columns, indices) => columns.header(indices.next()?),
            Place::Changed(headers) => headers.next().map(|(name, value)| (name.as_str(), value.as_slice())),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.0 {
            Place::Columns(_, indices) => indices.size_hint(),
            Place::Changed(headers) => headers.size_hint(),
        }
    }
}

impl ExactSizeIterator for Headers<'_> {}
