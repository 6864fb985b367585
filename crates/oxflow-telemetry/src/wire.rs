//! Protocol Buffers as bytes: the few rules that OTLP needs, written into a buffer that grows.
//!
//! A record is written once, by the thread that made it, into the bytes that leave the process. A library would build a
//! tree of objects first and walk it twice, once for the lengths; here a length is put in place when its message is complete.

/// Kinds of fields on the wire.
const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const SIZED: u8 = 2;
const FIXED32: u8 = 5;

/// Writes a number, seven bits a byte.
pub(crate) fn varint(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push(low(value) | 0x80);
        value >>= 7;
    }
    to.push(low(value));
}

/// The last seven bits.
fn low(value: u64) -> u8 {
    value.to_le_bytes()[0] & 0x7f
}

/// How many bytes a number takes.
pub(crate) fn varint_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

/// Writes the number of a field and its kind. All fields of OTLP that are written here are below 2,048.
fn key(to: &mut Vec<u8>, field: u32, kind: u8) {
    varint(to, u64::from(field) << 3 | u64::from(kind));
}

/// Begins a field of `len` bytes, which the caller writes.
pub(crate) fn sized_key(to: &mut Vec<u8>, field: u32, len: usize) {
    key(to, field, SIZED);
    varint(to, len as u64);
}

/// Writes bytes, also if there are none.
pub(crate) fn bytes(to: &mut Vec<u8>, field: u32, value: &[u8]) {
    sized_key(to, field, value.len());
    to.extend_from_slice(value);
}

/// Writes a text; an empty one is what a missing one reads as.
pub(crate) fn text(to: &mut Vec<u8>, field: u32, value: &str) {
    if !value.is_empty() {
        bytes(to, field, value.as_bytes());
    }
}

/// Writes a number, also 0.
pub(crate) fn number(to: &mut Vec<u8>, field: u32, value: u64) {
    key(to, field, VARINT);
    varint(to, value);
}

/// Writes a number; 0 is what a missing one reads as.
pub(crate) fn count(to: &mut Vec<u8>, field: u32, value: u64) {
    if value != 0 {
        number(to, field, value);
    }
}

/// Writes eight bytes, also if all are 0.
pub(crate) fn fixed64(to: &mut Vec<u8>, field: u32, value: u64) {
    key(to, field, FIXED64);
    to.extend_from_slice(&value.to_le_bytes());
}

/// Writes a float, also 0.
pub(crate) fn double(to: &mut Vec<u8>, field: u32, value: f64) {
    fixed64(to, field, value.to_bits());
}

/// Writes four bytes.
pub(crate) fn fixed32(to: &mut Vec<u8>, field: u32, value: u32) {
    key(to, field, FIXED32);
    to.extend_from_slice(&value.to_le_bytes());
}

/// Writes a message that `write` fills.
pub(crate) fn message(to: &mut Vec<u8>, field: u32, write: impl FnOnce(&mut Vec<u8>)) {
    key(to, field, SIZED);
    sized(to, write);
}

/// Writes a length and what `write` writes.
pub(crate) fn sized(to: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = to.len();
    // Room for the length of a short message, which most are.
    to.push(0);
    write(to);
    let len = to.len() - start - 1;
    let more = varint_len(len as u64) - 1;
    if more > 0 {
        to.resize(to.len() + more, 0);
        to.copy_within(start + 1..start + 1 + len, start + 1 + more);
    }
    let mut rest = len as u64;
    for at in start..=start + more {
        let last = at == start + more;
        if let Some(byte) = to.get_mut(at) {
            *byte = low(rest) | if last { 0 } else { 0x80 };
        }
        rest >>= 7;
    }
}

/// A field that was read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Field<'a> {
    Number(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
}

/// Reads the fields of a message one by one; stops where it isn't one.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    /// Whether all of it was read.
    pub(crate) fn is_whole(&self) -> bool {
        let mut rest = self.clone();
        while rest.next().is_some() {}
        rest.0.is_empty()
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    pub(crate) fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for (index, byte) in self.0.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                self.take(index + 1)?;
                return Some(value);
            }
        }
        None
    }

    /// What follows a length, as many bytes as it says.
    pub(crate) fn sized(&mut self) -> Option<&'a [u8]> {
        let len = self.varint()?;
        self.take(usize::try_from(len).ok()?)
    }

    fn read(&mut self) -> Option<(u32, Field<'a>)> {
        let key = self.varint()?;
        let field = u32::try_from(key >> 3).ok()?;
        let value = match low(key) & 7 {
            VARINT => Field::Number(self.varint()?),
            FIXED64 => Field::Fixed64(u64::from_le_bytes(self.take(8)?.try_into().ok()?)),
            FIXED32 => Field::Fixed32(u32::from_le_bytes(self.take(4)?.try_into().ok()?)),
            SIZED => Field::Bytes(self.sized()?),
            _ => return None,
        };
        Some((field, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u32, Field<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let before = self.0;
        let read = self.read();
        if read.is_none() {
            self.0 = before;
        }
        read
    }
}

/// The text of a field; empty if it is none.
pub(crate) fn as_text(field: Field<'_>) -> &str {
    match field {
        Field::Bytes(bytes) => std::str::from_utf8(bytes).unwrap_or_default(),
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_length_has_the_bytes_that_it_needs() {
        for len in [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152] {
            let mut written = vec![7];
            message(&mut written, 3, |to| to.resize(to.len() + len, 0xa5));
            let mut read = Fields(&written[1..]);
            assert_eq!(Some((3, Field::Bytes(&vec![0xa5; len][..]))), read.next(), "{len}");
            assert!(read.0.is_empty());
        }
    }

    proptest! {
        #[test]
        fn numbers_come_back(value: u64, bits: u64, small: u32) {
            let mut written = Vec::new();
            number(&mut written, 1, value);
            fixed64(&mut written, 2, bits);
            fixed32(&mut written, 3, small);
            prop_assert_eq!(varint_len(value) + 1 + 9 + 5, written.len());
            let read: Vec<_> = Fields(&written).collect();
            prop_assert_eq!(vec![(1, Field::Number(value)), (2, Field::Fixed64(bits)), (3, Field::Fixed32(small))], read);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let _ = Fields(&bytes).is_whole();
        }
    }
}
