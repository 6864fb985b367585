//! Which messages of a step are dead letters already.
//!
//! Reading may go on before messages that an earlier run sent there. A mark could not tell which: a function that failed on
//! one message then may fail on the one before it now, and that one has no dead letter yet.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Offsets of the messages that were sent and may be read again, by partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sent(BTreeMap<u32, BTreeSet<i64>>);

impl Sent {
    /// Notes a message; false if it was sent before.
    pub fn note(&mut self, partition: u32, offset: i64) -> bool {
        self.0.entry(partition).or_default().insert(offset)
    }

    /// No message of the partition before `offset` will be read again.
    pub fn settled(&mut self, partition: u32, offset: i64) {
        if let Some(offsets) = self.0.get_mut(&partition) {
            *offsets = offsets.split_off(&offset);
        }
        self.0.retain(|_, offsets| !offsets.is_empty());
    }

    /// Adds what another lane has sent.
    pub fn join(&mut self, other: &Self) {
        for (partition, offsets) in &other.0 {
            self.0.entry(*partition).or_default().extend(offsets);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_messages_that_were_sent_are_old() {
        let mut sent = Sent::default();
        assert!(sent.note(0, 7));
        assert!(sent.note(0, 5), "one before it is new");
        assert!(sent.note(1, 7), "partitions know nothing of each other");
        assert!(!sent.note(0, 7));
    }

    #[test]
    fn what_is_settled_is_forgotten() {
        let mut sent = Sent::default();
        assert!([3, 5, 7].iter().all(|offset| sent.note(0, *offset)));
        sent.settled(0, 5);
        assert_eq!(r#"{"0":[5,7]}"#, serde_json::to_string(&sent).unwrap());
        sent.settled(0, 8);
        assert_eq!(Sent::default(), sent);
    }
}
