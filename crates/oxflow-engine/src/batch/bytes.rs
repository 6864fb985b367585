//! Columns of byte strings in one shared arena.

use std::sync::Arc;

use super::row_number;

/// A piece of an arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes of the span; empty if it does not lie in `data`.
    pub fn of(self, data: &[u8]) -> &[u8] {
        data.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// Byte strings that lie in one arena. Selecting from a column shares the arena.
#[derive(Clone, Debug, Default)]
pub struct ByteColumn {
    data: Arc<Vec<u8>>,
    spans: Vec<Span>,
}

impl ByteColumn {
    /// A column of the given pieces of an arena.
    pub fn new(data: Arc<Vec<u8>>, spans: Vec<Span>) -> Self {
        Self { data, spans }
    }

    /// A column of all of `data`, cut at `ends`.
    pub fn from_ends(data: Vec<u8>, ends: impl IntoIterator<Item = usize>) -> Self {
        let mut start = 0;
        let spans = ends
            .into_iter()
            .map(|end| {
                let span = Span { start, end: row_number(end) };
                start = span.end;
                span
            })
            .collect();
        Self { data: Arc::new(data), spans }
    }

    /// The number of strings.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// True if there is no string.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// String `index`.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        self.spans.get(index).map(|span| span.of(&self.data))
    }

    /// The strings in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.spans.iter().map(|span| span.of(&self.data))
    }

    /// The strings at `indices`.
    #[must_use]
    pub fn select(&self, indices: &[u32]) -> Self {
        Self { data: Arc::clone(&self.data), spans: super::pick(&self.spans, indices) }
    }

    /// The strings of all columns, in an arena of their own.
    #[must_use]
    pub fn concat(columns: &[Self]) -> Self {
        columns.iter().flat_map(Self::iter).collect()
    }
}

impl<'a> FromIterator<&'a [u8]> for ByteColumn {
    fn from_iter<I: IntoIterator<Item = &'a [u8]>>(strings: I) -> Self {
        let mut data = Vec::new();
        let mut ends = Vec::new();
        for string in strings {
            data.extend_from_slice(string);
            ends.push(data.len());
        }
        Self::from_ends(data, ends)
    }
}
