//! Numbers of partitions within the engine.
//!
//! What is kept by partition (commits, limits, marks) is kept by its slot, since a source may read several topics, and each of them
//! has a partition 0. The slot of a file's partition, or of one of the first topic, is its number; that of another topic's
//! has the highest bit, the number of the topic and that of the partition.

/// Set where the slot has the number of a topic in it.
const NUMBERED: u32 = 1 << 31;
const PARTITION_BITS: u32 = 16;
const PARTITION: u32 = (1 << PARTITION_BITS) - 1;

/// The slot of a partition of topic number `topic`; none where there is no such slot.
pub fn slot_of(topic: u32, partition: u32) -> Option<u32> {
    match topic {
        0 => (partition < NUMBERED).then_some(partition),
        _ => (topic < NUMBERED >> PARTITION_BITS && partition <= PARTITION)
            .then_some(NUMBERED | topic << PARTITION_BITS | partition),
    }
}

/// The number of the topic and of the partition.
pub fn numbers_of(slot: u32) -> (u32, u32) {
    match slot & NUMBERED {
        0 => (0, slot),
        _ => ((slot & !NUMBERED) >> PARTITION_BITS, slot & PARTITION),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: Option<u32>, topic: u32, partition: u32) {
        let slot = slot_of(topic, partition);
        assert_eq!(expected, slot);
        assert_eq!(expected.map(|_| (topic, partition)), slot.map(numbers_of));
    }

    #[test]
    fn a_slot_tells_topic_and_partition() {
        check(Some(7), 0, 7);
        check(Some(70_000), 0, 70_000);
        check(Some(0x8001_0000), 1, 0);
        check(Some(0xffff_ffff), 0x7fff, 0xffff);
        check(None, 0x8000, 0);
        check(None, 1, 0x1_0000);
        check(None, 0, 1 << 31);
    }
}
