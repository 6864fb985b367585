//! Who has which partition, and what may be committed of it. It decides, and touches nothing.
//!
//! A partition that goes and comes back is another one: each time that it comes, its assignment gets a number, the **epoch**.
//! What was read, settled or sent for an earlier epoch says nothing of the later one, which began where the group had
//! committed by then.

use std::collections::{BTreeMap, BTreeSet};

use crate::batch::numbers_of;
use crate::connect::{Owned, Settled};

/// Partitions of a member of a group, shared out to its lanes. `Q` is what messages of a partition are taken from.
#[derive(Debug)]
pub(super) struct Ownership<Q> {
    lanes: Vec<Share<Q>>,
    /// The latest epoch.
    last: u64,
    /// The partitions that the member has, each with its epoch.
    current: BTreeMap<u32, u64>,
    /// Up to where these are settled, still to be committed.
    settled: BTreeMap<u32, i64>,
    /// The epochs of what is being committed.
    sent: BTreeMap<u32, (u64, i64)>,
    /// To be assigned once more, from where the group has committed.
    again: BTreeSet<u32>,
    /// Nothing is begun meanwhile.
    held: bool,
    /// What came before this epoch was undone when everything was held last.
    first: u64,
}

/// What one lane has.
#[derive(Debug)]
struct Share<Q> {
    assigned: Vec<(Owned, Q)>,
    /// To be given up.
    revoked: BTreeSet<u32>,
    /// Of these the lane knows already.
    told: BTreeSet<u32>,
    ended: bool,
}

/// What changed for a lane.
#[derive(Debug)]
pub(super) struct News<Q> {
    pub(super) revoked: Vec<u32>,
    pub(super) assigned: Vec<(Owned, Q)>,
}

impl<Q> Default for Ownership<Q> {
    fn default() -> Self {
        Self {
            lanes: Vec::new(),
            last: 0,
            current: BTreeMap::new(),
            settled: BTreeMap::new(),
            sent: BTreeMap::new(),
            again: BTreeSet::new(),
            held: false,
            first: 0,
        }
    }
}

impl<Q> Ownership<Q> {
    pub(super) fn share_out(&mut self, lanes: usize) {
        let share = || Share { assigned: Vec::new(), revoked: BTreeSet::new(), told: BTreeSet::new(), ended: false };
        self.lanes = (0..lanes.max(1)).map(|_| share()).collect();
    }

    pub(super) fn is_shared_out(&self) -> bool {
        !self.lanes.is_empty()
    }

    /// The lane that a partition belongs to. Topics begin with different lanes, since each has a partition 0, and some have no
    /// other.
    pub(super) fn lane(&self, partition: u32) -> usize {
        let (topic, partition) = numbers_of(partition);
        (topic as usize + partition as usize) % self.lanes.len().max(1)
    }

    fn share(&mut self, partition: u32) -> Option<&mut Share<Q>> {
        let lane = self.lane(partition);
        self.lanes.get_mut(lane)
    }

    // --- for the thread in the group ---

    /// Partitions are about to come. Before the first message of the new epoch can: whoever still reads for an old one must see
    /// that it is over.
    pub(super) fn announce(&mut self, partitions: &BTreeSet<u32>) {
        for partition in partitions {
            self.last += 1;
            self.current.insert(*partition, self.last);
            self.settled.remove(partition);
            self.again.remove(partition);
        }
    }

    /// Gives a partition to its lane. What a lane doesn't take is given back: it has ended, or all will be assigned anew.
    pub(super) fn assign(&mut self, partition: u32, queue: Q) -> Option<Q> {
        let is_wanted = !self.held && !self.again.contains(&partition);
        let Some(epoch) = self.current.get(&partition).copied().filter(|_| is_wanted) else { return Some(queue) };
        match self.share(partition).filter(|share| !share.ended) {
            Some(share) => {
                share.assigned.push((Owned { partition, epoch }, queue));
                None
            }
            None => Some(queue),
        }
    }

    /// Lets the lanes give partitions up; what they had not begun yet.
    pub(super) fn tell(&mut self, partitions: &BTreeSet<u32>) -> Vec<Q> {
        let mut unbegun = Vec::new();
        for partition in partitions {
            let Some(share) = self.share(*partition) else { continue };
            let (gone, stay): (Vec<_>, Vec<_>) =
                std::mem::take(&mut share.assigned).into_iter().partition(|(owned, _)| owned.partition == *partition);
            share.assigned = stay;
            if gone.is_empty() {
                share.revoked.insert(*partition);
            }
            unbegun.extend(gone.into_iter().map(|(_, queue)| queue));
        }
        unbegun
    }

    /// True if no lane has anything of these any more.
    pub(super) fn is_given_up(&self, partitions: &BTreeSet<u32>) -> bool {
        self.lanes.iter().all(|share| share.ended || share.revoked.is_disjoint(partitions))
    }

    /// From now on nothing of them is committed, but what is given here.
    pub(super) fn disown(&mut self, partitions: &BTreeSet<u32>) -> BTreeMap<u32, i64> {
        self.current.retain(|partition, _| !partitions.contains(partition));
        self.again.retain(|partition| !partitions.contains(partition));
        let settled = partitions.iter().filter_map(|partition| Some((*partition, self.settled.remove(partition)?)));
        settled.collect()
    }

    /// All that the member has.
    pub(super) fn all(&self) -> BTreeSet<u32> {
        self.current.keys().copied().collect()
    }

    /// True if what was settled then is still this member's.
    pub(super) fn has(&self, partition: u32, epoch: u64) -> bool {
        self.current.get(&partition) == Some(&epoch)
    }

    /// True unless what was settled then was undone since: that says nothing, whoever has the partition.
    pub(super) fn counts(&self, epoch: u64) -> bool {
        epoch >= self.first
    }

    /// Up to these positions everything is where it belongs.
    pub(super) fn settle(&mut self, settled: &BTreeMap<u32, Settled>) {
        for (partition, settled) in settled {
            if self.has(*partition, settled.epoch) {
                self.settled.insert(*partition, settled.position.offset);
            }
        }
    }

    /// What is to be committed.
    pub(super) fn take_settled(&mut self) -> BTreeMap<u32, i64> {
        let settled = std::mem::take(&mut self.settled);
        for (partition, offset) in &settled {
            self.sent.extend(self.current.get(partition).map(|epoch| (*partition, (*epoch, *offset))));
        }
        settled
    }

    /// A commit of these failed: they are to be committed again, unless something newer is, or they are gone.
    pub(super) fn put_back(&mut self, offsets: impl Iterator<Item = (u32, i64)>) {
        for (partition, offset) in offsets {
            // What was sent last: of several that are under way the newest counts, whichever answer comes first.
            if self.current.get(&partition).is_some_and(|epoch| self.sent.get(&partition) == Some(&(*epoch, offset))) {
                self.settled.entry(partition).or_insert(offset);
            }
        }
    }

    /// Nothing is begun until [`Ownership::assign_again`], and all that was is to be given up. Gives what was not begun.
    pub(super) fn hold(&mut self) -> Vec<Q> {
        self.held = true;
        self.first = self.last + 1;
        self.tell(&self.all())
    }

    /// All that the member has is to be assigned once more.
    pub(super) fn assign_again(&mut self) {
        self.held = false;
        self.again = self.all();
    }

    /// What is to be assigned once more.
    pub(super) fn take_again(&mut self) -> BTreeSet<u32> {
        std::mem::take(&mut self.again)
    }

    /// These could not be assigned now; as far as the member still has them.
    pub(super) fn put_back_again(&mut self, partitions: BTreeSet<u32>) {
        self.again.extend(partitions.into_iter().filter(|partition| self.current.contains_key(partition)));
    }

    // --- for the lanes ---

    /// What changed for a lane.
    pub(super) fn news(&mut self, lane: usize) -> News<Q> {
        let Some(share) = self.lanes.get_mut(lane) else { return News { revoked: Vec::new(), assigned: Vec::new() } };
        let revoked: Vec<u32> = share.revoked.difference(&share.told).copied().collect();
        share.told.extend(&revoked);
        // What came again before it was given up is begun the next time.
        let assigned = if share.revoked.is_empty() { std::mem::take(&mut share.assigned) } else { Vec::new() };
        News { revoked, assigned }
    }

    /// A lane has taken messages for these epochs. False if one of them was over: then they are nobody's, and what the
    /// partition has now is assigned once more, since some of it may be among them.
    pub(super) fn took(&mut self, taken: &[Owned]) -> bool {
        let over = taken.iter().filter(|owned| !self.has(owned.partition, owned.epoch));
        let over: Vec<u32> = over.map(|owned| owned.partition).collect();
        if over.is_empty() {
            return true;
        }
        // The lane drops all that it took together. What it takes next of these lies behind that, so it must not count.
        for partition in taken.iter().map(|owned| owned.partition) {
            if let Some(current) = self.current.get_mut(&partition) {
                self.last += 1;
                *current = self.last;
                self.settled.remove(&partition);
                self.again.insert(partition);
            }
        }
        false
    }

    /// A lane has given partitions up.
    pub(super) fn released(&mut self, lane: usize, partitions: &[u32]) {
        if let Some(share) = self.lanes.get_mut(lane) {
            for partition in partitions {
                share.revoked.remove(partition);
                share.told.remove(partition);
            }
        }
    }

    /// A lane has given up what came before everything was held; what came since.
    pub(super) fn reset(&mut self, lane: usize, owned: &[Owned]) -> Vec<Owned> {
        let kept: Vec<Owned> = owned.iter().filter(|owned| owned.epoch >= self.first).copied().collect();
        if let Some(share) = self.lanes.get_mut(lane) {
            let is_kept = |partition: &u32| kept.iter().any(|owned| owned.partition == *partition);
            share.revoked.retain(is_kept);
            share.told.retain(is_kept);
        }
        kept
    }

    /// A lane reads no more; what it had not begun.
    pub(super) fn ended(&mut self, lane: usize) -> Vec<(Owned, Q)> {
        let Some(share) = self.lanes.get_mut(lane) else { return Vec::new() };
        share.ended = true;
        std::mem::take(&mut share.assigned)
    }
}

#[cfg(test)]
impl<Q> Ownership<Q> {
    /// True if a lane has been given something that it has not begun.
    pub(super) fn is_offered(&self, lane: usize) -> bool {
        self.lanes.get(lane).is_some_and(|share| !share.assigned.is_empty())
    }
}

#[cfg(test)]
#[path = "ownership_tests.rs"]
mod tests;
