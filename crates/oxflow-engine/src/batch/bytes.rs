//! Columns of byte strings in one shared arena.

use std::sync::Arc;

/// A piece of an arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The bytes of the span; empty if it does not lie in `data`.
    pub fn of(self, data: &[u8]) -> &[u8] {
        data.get(self.start..self.end).unwrap_or_default()
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
                let span = Span { start, end };
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

    /// The same strings in an arena of their own, if most of the shared one is not theirs.
    #[must_use]
    pub fn compact(self) -> Self {
        let used: usize = self.iter().map(<[u8]>::len).sum();
        if used < self.data.len() / 2 { self.iter().collect() } else { self }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_may_lie_beyond_four_gibibytes() {
        let far = (4 << 30) + 3;
        // Zeroed memory that nobody writes to takes no room.
        let mut data = vec![0; far];
        data.extend_from_slice(b"far");
        let column = ByteColumn::from_ends(data, [far, far + 3]);
        assert_eq!(Some(b"far".as_slice()), column.get(1));
    }

    #[test]
    fn few_strings_let_go_of_a_large_arena() {
        let all: ByteColumn = [b"kept".as_slice(), &[b'x'; 100]].into_iter().collect();
        let arena = |column: &ByteColumn| column.data.len();
        assert_eq!(104, arena(&all.clone().compact()));
        let few = all.select(&[0]).compact();
        assert_eq!((4, Some(b"kept".as_slice())), (arena(&few), few.get(0)));
    }
}
