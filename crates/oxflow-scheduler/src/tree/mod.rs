//! Boxes of offers, eight in a box, eight boxes in the next one, up to one.
//!
//! Each offer has a *slot*; slots that are neighbours hold offers that are alike (`arrange`). A box has, for each column, the least and the
//! most of what its offers have, and the first of their places in line. `search` goes from the top into the boxes that may hold
//! something better than what it has.
//!
//! An offer that changes or leaves changes the boxes above it and nothing else.

mod arrange;
mod search;

pub(crate) use self::search::{Query, Searcher};

/// How many slots a box has, and how many boxes the next one.
pub(crate) const LANES: usize = 8;

/// A number for each lane.
pub(crate) type Lanes = [f64; LANES];

/// The place in line of a slot without an offer: behind all others.
pub(crate) const NOWHERE: u32 = u32::MAX;

/// Eight slots or boxes beside each other are a group. A level holds groups.
#[derive(Clone, Debug, Default)]
struct Level {
    /// Of slots one row for each column; of boxes two, the least and the most.
    rows: Vec<Lanes>,
    /// The first place in line.
    first: Vec<[u32; LANES]>,
}

/// The tree. Columns are the resources, and behind them their capacities where the policy takes them.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    columns: usize,
    /// Slots, their boxes, and so on up to the level of one group.
    levels: Vec<Level>,
    used: usize,
}

impl Tree {
    /// A tree of offers in line, and the slot of each.
    ///
    /// `rows` has the columns of each offer, one after the other. Some slots stay empty, for offers to come.
    pub(crate) fn build(columns: usize, rows: &[f64]) -> (Self, Vec<u32>) {
        let count = rows.len().checked_div(columns).unwrap_or(0);
        let order = arrange::arrange(columns, rows, count);
        let slots = count + count / 4 + LANES;
        let mut tree = Self { columns, levels: Vec::new(), used: count };
        tree.levels.push(Level::empty(slots.div_ceil(LANES), columns, f64::NEG_INFINITY));
        let mut slot_of = vec![0; count];
        for (slot, place) in order.iter().enumerate() {
            let row = rows.get(*place as usize * columns..).unwrap_or_default();
            tree.write(slot, row, *place);
            if let Some(entry) = slot_of.get_mut(*place as usize) {
                *entry = narrow(slot);
            }
        }
        tree.build_boxes();
        (tree, slot_of)
    }

    fn build_boxes(&mut self) {
        while let Some(below) = self.levels.last().filter(|level| level.first.len() > 1) {
            let nodes = below.first.len();
            let mut level = Level::empty(nodes.div_ceil(LANES), 2 * self.columns, f64::NAN);
            let leaf = self.levels.len() == 1;
            for node in 0..nodes {
                level.write_box(node, below, self.columns, leaf);
            }
            level.close(nodes, self.columns);
            self.levels.push(level);
        }
    }

    /// A slot that no offer had yet, while there is one.
    pub(crate) fn unused_slot(&mut self) -> Option<u32> {
        let slots = self.levels.first().map_or(0, |level| level.first.len() * LANES);
        (self.used < slots).then(|| {
            self.used += 1;
            narrow(self.used - 1)
        })
    }

    /// Puts an offer into a slot, or changes the one in it.
    pub(crate) fn set(&mut self, slot: u32, row: &[f64], place: u32) {
        self.write(slot as usize, row, place);
        self.raise(slot as usize);
    }

    /// Empties a slot.
    pub(crate) fn clear(&mut self, slot: u32) {
        let (group, lane) = (slot as usize / LANES, slot as usize % LANES);
        if let Some(level) = self.levels.first_mut() {
            for row in level.rows.iter_mut().skip(group * self.columns).take(self.columns) {
                put(row, lane, f64::NEG_INFINITY);
            }
            if let Some(first) = level.first.get_mut(group).and_then(|first| first.get_mut(lane)) {
                *first = NOWHERE;
            }
        }
        self.raise(slot as usize);
    }

    /// Gives the offer of a slot another place in line.
    pub(crate) fn move_to(&mut self, slot: u32, place: u32) {
        let mut node = slot as usize;
        let mut first = place;
        for level in &mut self.levels {
            let (group, lane) = (node / LANES, node % LANES);
            let Some(places) = level.first.get_mut(group) else { return };
            match places.get_mut(lane) {
                Some(known) if *known != first => *known = first,
                _ => return,
            }
            first = places.iter().copied().min().unwrap_or(NOWHERE);
            node = group;
        }
    }

    /// How many slots there are, used or not.
    pub(crate) fn slots(&self) -> usize {
        self.levels.first().map_or(0, |level| level.first.len() * LANES)
    }

    fn write(&mut self, slot: usize, row: &[f64], place: u32) {
        let (group, lane) = (slot / LANES, slot % LANES);
        let Some(level) = self.levels.first_mut() else { return };
        for (lanes, value) in level.rows.iter_mut().skip(group * self.columns).zip(row.iter().take(self.columns)) {
            put(lanes, lane, *value);
        }
        if let Some(first) = level.first.get_mut(group).and_then(|first| first.get_mut(lane)) {
            *first = place;
        }
    }

    /// Makes the boxes above a slot anew, up to the first that stays as it is.
    fn raise(&mut self, slot: usize) {
        let mut node = slot / LANES;
        for upper in 1..self.levels.len() {
            let (below, above) = self.levels.split_at_mut(upper);
            let (Some(below), Some(level)) = (below.last(), above.first_mut()) else { return };
            if !level.write_box(node, below, self.columns, upper == 1) {
                return;
            }
            node /= LANES;
        }
    }
}

impl Level {
    fn empty(groups: usize, rows: usize, value: f64) -> Self {
        Self { rows: vec![[value; LANES]; groups * rows], first: vec![[NOWHERE; LANES]; groups] }
    }

    /// Lanes behind the last node have nothing in them: nothing fits there.
    fn close(&mut self, nodes: usize, columns: usize) {
        for node in nodes..self.first.len() * LANES {
            let group = node / LANES * columns * 2;
            for pair in self.rows.iter_mut().skip(group).take(2 * columns).collect::<Vec<_>>().chunks_exact_mut(2) {
                if let [least, most] = pair {
                    put(least, node % LANES, f64::INFINITY);
                    put(most, node % LANES, f64::NEG_INFINITY);
                }
            }
        }
    }

    /// Makes the box of a group of the level below; says whether it changed.
    fn write_box(&mut self, node: usize, below: &Self, columns: usize, leaf: bool) -> bool {
        let (group, lane) = (node / LANES, node % LANES);
        let of_group = if leaf { columns } else { 2 * columns };
        let Some(children) = below.rows.get(node * of_group..(node + 1) * of_group) else { return false };
        let Some(rows) = self.rows.get_mut(group * 2 * columns..(group + 1) * 2 * columns) else { return false };
        let mut changed = false;
        for (column, pair) in rows.chunks_exact_mut(2).enumerate() {
            let [least, most] = pair else { continue };
            let (low, high) = if leaf {
                let values = children.get(column).unwrap_or(&[0.0; LANES]);
                (least_of(&values.map(occupied)), most_of(values))
            } else {
                let low = children.get(2 * column).map_or(0.0, least_of);
                (low, children.get(2 * column + 1).map_or(0.0, most_of))
            };
            changed |= put(least, lane, low) | put(most, lane, high);
        }
        let first = below.first.get(node).and_then(|first| first.iter().copied().min()).unwrap_or(NOWHERE);
        if let Some(known) = self.first.get_mut(group).and_then(|known| known.get_mut(lane)) {
            changed |= *known != first;
            *known = first;
        }
        changed
    }
}

/// An empty slot has less than nothing; it must not be the least of its box.
fn occupied(value: f64) -> f64 {
    if value == f64::NEG_INFINITY { f64::INFINITY } else { value }
}

fn least_of(lanes: &Lanes) -> f64 {
    lanes.iter().fold(f64::INFINITY, |least, value| if *value < least { *value } else { least })
}

fn most_of(lanes: &Lanes) -> f64 {
    lanes.iter().fold(f64::NEG_INFINITY, |most, value| if *value > most { *value } else { most })
}

fn put(lanes: &mut Lanes, lane: usize, value: f64) -> bool {
    match lanes.get_mut(lane) {
        // NaN stands in what was never written.
        #[expect(clippy::float_cmp, reason = "a box changed if any bit of it did")]
        Some(known) if *known != value => {
            *known = value;
            true
        }
        _ => false,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a matcher refuses more offers than a u32 counts")]
fn narrow(index: usize) -> u32 {
    index as u32
}
