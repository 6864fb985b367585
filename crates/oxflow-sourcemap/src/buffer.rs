//! The bytes that a map is read from, shared by all that looks into them.

use std::ops::Range;
use std::sync::Arc;

/// Bytes that live as long as anybody looks at them.
pub type Buffer = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// A piece of a buffer.
#[derive(Clone)]
pub struct Slice {
    buffer: Buffer,
    range: Range<usize>,
}

impl Slice {
    /// A range of a buffer; empty if it lies outside of it.
    pub fn new(buffer: &Buffer, range: Range<usize>) -> Self {
        Self { buffer: Arc::clone(buffer), range }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        let all: &[u8] = (*self.buffer).as_ref();
        all.get(self.range.clone()).unwrap_or_default()
    }
}

impl From<Vec<u8>> for Slice {
    fn from(bytes: Vec<u8>) -> Self {
        let range = 0..bytes.len();
        Self { buffer: Arc::new(bytes), range }
    }
}
