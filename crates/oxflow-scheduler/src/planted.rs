//! The tree with the offers of a matcher in it.

use crate::policy::Policy;
use crate::table::Table;
use crate::tree::{NOWHERE, Tree};

/// A tree, and which offer is in which slot.
#[derive(Clone, Debug)]
pub(crate) struct Planted {
    pub(crate) tree: Tree,
    slot_of: Vec<u32>,
    offer_in: Vec<u32>,
    /// Slots whose offers have left.
    left: Vec<u32>,
    /// How many offers came or changed: what was arranged well is so no more.
    changes: usize,
    policy: Policy,
}

impl Planted {
    /// Arranges the offers in line.
    pub(crate) fn new(table: &Table, line: &[u32], policy: &Policy) -> Self {
        let resources = policy.weights.len();
        let columns = if policy.formula.needs_capacity() { 2 * resources } else { resources };
        let columns = columns + usize::from(policy.linear(&[]).is_some());
        let mut rows = Vec::with_capacity(columns * line.len());
        for offer in line {
            columns_of(policy, table, *offer, &mut rows);
        }
        let (tree, slots) = Tree::build(columns, &rows);
        let mut slot_of = vec![NOWHERE; table.names.len()];
        let mut offer_in = vec![NOWHERE; tree.slots()];
        for (offer, slot) in line.iter().zip(slots) {
            put(&mut slot_of, *offer, slot);
            put(&mut offer_in, slot, *offer);
        }
        Self { tree, slot_of, offer_in, left: Vec::new(), changes: 0, policy: policy.clone() }
    }

    /// Whether so much has changed that a new tree would be quicker.
    pub(crate) fn is_worn(&self, offers: usize) -> bool {
        self.changes > offers / 2 + 64
    }

    pub(crate) fn slot(&self, offer: u32) -> u32 {
        self.slot_of.get(offer as usize).copied().unwrap_or(NOWHERE)
    }

    pub(crate) fn offer(&self, slot: u32) -> u32 {
        self.offer_in.get(slot as usize).copied().unwrap_or(NOWHERE)
    }

    /// Slots in use with their offers.
    pub(crate) fn offers(&self, line: &[u32]) -> Vec<(u32, u32)> {
        line.iter().map(|offer| (self.slot(*offer), *offer)).collect()
    }

    /// Gives a new offer a slot; `None` if there is none left.
    pub(crate) fn plant(&mut self, table: &Table, offer: u32, place: u32) -> Option<u32> {
        let slot = self.left.pop().or_else(|| self.tree.unused_slot())?;
        if self.slot_of.len() <= offer as usize {
            self.slot_of.resize(offer as usize + 1, NOWHERE);
        }
        put(&mut self.slot_of, offer, slot);
        put(&mut self.offer_in, slot, offer);
        self.write(table, offer, place);
        self.changes += 1;
        Some(slot)
    }

    /// Writes what an offer has, and where it stands in line.
    pub(crate) fn write(&mut self, table: &Table, offer: u32, place: u32) {
        let mut row = Vec::new();
        columns_of(&self.policy, table, offer, &mut row);
        self.tree.set(self.slot(offer), &row, place);
    }

    /// The same for an offer that others changed.
    pub(crate) fn rewrite(&mut self, table: &Table, offer: u32, place: u32) {
        self.write(table, offer, place);
        self.changes += 1;
    }

    /// The slot of an offer that has left may be given to another.
    pub(crate) fn leave(&mut self, offer: u32) {
        let slot = self.slot(offer);
        if slot != NOWHERE {
            put(&mut self.slot_of, offer, NOWHERE);
            put(&mut self.offer_in, slot, NOWHERE);
            self.left.push(slot);
        }
    }
}

/// The columns of an offer in the tree: resources, capacities if the policy takes them, and the sum of a linear one.
fn columns_of(policy: &Policy, table: &Table, offer: u32, row: &mut Vec<f64>) {
    row.extend_from_slice(table.free(offer));
    if policy.formula.needs_capacity() {
        row.extend_from_slice(table.capacity(offer));
    }
    row.extend(policy.linear(table.free(offer)));
}

fn put(list: &mut [u32], index: u32, value: u32) {
    if let Some(entry) = list.get_mut(index as usize) {
        *entry = value;
    }
}
