//! Named values of a span, a record or a measurement, as the bytes that are sent.

use std::borrow::Cow;

use crate::limits::AttributeLimits;
use crate::value::Value;
use crate::wire::{self, Fields};

/// Named values. Each name is there once; beyond the limits they are counted, not kept.
///
/// They lie one after the other as `KeyValue` messages with their lengths, so that a span which has a few takes one piece
/// of memory and is sent as it lies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    written: Vec<u8>,
    count: u32,
    dropped: u32,
}

impl Attributes {
    /// None.
    pub const fn new() -> Self {
        Self { written: Vec::new(), count: 0, dropped: 0 }
    }

    /// Sets one, in place of what has this name. An empty name is passed over.
    pub fn set(&mut self, name: &str, value: &Value<'_>, limits: &AttributeLimits) {
        if name.is_empty() {
            return;
        }
        if let Some((start, end)) = self.place(name) {
            self.written.drain(start..end);
            self.count -= 1;
        }
        self.add(name, value, limits);
    }

    /// Sets one whose name isn't there yet.
    pub fn add(&mut self, name: &str, value: &Value<'_>, limits: &AttributeLimits) {
        if self.count >= limits.count {
            self.dropped += 1;
            return;
        }
        self.count += 1;
        if self.written.capacity() == 0 {
            self.written.reserve(128);
        }
        wire::sized(&mut self.written, |to| {
            wire::bytes(to, 1, name.as_bytes());
            wire::message(to, 2, |to| value.write(to, limits.value_length));
        });
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many found no room.
    pub fn dropped(&self) -> u32 {
        self.dropped
    }

    /// Names and values, in the order in which they were set.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'_, str>, Value<'_>)> {
        self.pieces().map(Value::pair)
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<Value<'_>> {
        self.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Writes each as a field of this number.
    pub(crate) fn write(&self, to: &mut Vec<u8>, field: u32) {
        for piece in self.pieces() {
            wire::bytes(to, field, piece);
        }
    }

    /// The same names and values in one order: what tells apart the points of a metric.
    pub(crate) fn sorted(mut self) -> Vec<u8> {
        if self.count > 1 {
            let mut pieces: Vec<_> = self.pieces().collect();
            if !pieces.is_sorted() {
                pieces.sort_unstable();
                let mut sorted = Vec::with_capacity(self.written.len());
                for piece in pieces {
                    wire::sized(&mut sorted, |to| to.extend_from_slice(piece));
                }
                self.written = sorted;
            }
        }
        self.written
    }

    /// Of what `sorted` gave.
    pub(crate) fn of_sorted(written: Vec<u8>) -> Self {
        let count = Pieces(Fields(&written)).count();
        Self { written, count: u32::try_from(count).unwrap_or(u32::MAX), dropped: 0 }
    }

    fn pieces(&self) -> Pieces<'_> {
        Pieces(Fields(&self.written))
    }

    /// Where the one of this name lies, with its length.
    fn place(&self, name: &str) -> Option<(usize, usize)> {
        let mut pieces = self.pieces();
        let mut start = 0;
        loop {
            let piece = pieces.next()?;
            let end = self.written.len() - pieces.0.0.len();
            if Value::pair(piece).0 == name {
                return Some((start, end));
            }
            start = end;
        }
    }
}

/// `KeyValue` messages, each after its length.
#[derive(Debug)]
struct Pieces<'a>(Fields<'a>);

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.0.sized()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::value::tests::any_value;

    proptest! {
        #[test]
        fn they_are_what_a_dictionary_is(pairs in prop::collection::vec(("[a-e]{0,2}", any_value()), 0..20)) {
            let (mut ours, mut theirs) = (Attributes::new(), BTreeMap::new());
            for (name, value) in &pairs {
                ours.set(name, value, &AttributeLimits::default());
                if !name.is_empty() {
                    theirs.insert(name.clone(), value.clone());
                }
            }
            let found: BTreeMap<_, _> = ours.iter().map(|(name, value)| (name.into_owned(), value)).collect();
            prop_assert_eq!(ours.len(), theirs.len());
            prop_assert_eq!(found, theirs);
        }

        #[test]
        fn their_order_makes_no_other_point(pairs in prop::collection::btree_map("[a-z]{1,9}", any::<i32>(), 0..9)) {
            let made = |pairs: Vec<(&String, &i32)>| {
                let mut made = Attributes::new();
                for (name, value) in pairs {
                    made.add(name, &Value::Int(i64::from(*value)), &AttributeLimits::default());
                }
                made
            };
            let (there, back) = (made(pairs.iter().collect()), made(pairs.iter().rev().collect()));
            let sorted = there.sorted();
            prop_assert_eq!(&sorted, &back.sorted());
            prop_assert_eq!(pairs.len(), Attributes::of_sorted(sorted).len());
        }
    }

    #[test]
    fn what_finds_no_room_is_counted() {
        let limits = AttributeLimits { count: 2, value_length: Some(3) };
        let mut made = Attributes::new();
        for name in ["a", "b", "c", "a"] {
            made.set(name, &"12345".into(), &limits);
        }
        assert_eq!((2, 1), (made.len(), made.dropped()));
        assert_eq!(Some("123".into()), made.get("a"));
        assert_eq!(None, made.get("c"));
    }
}
