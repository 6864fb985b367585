//! The way down: from the top into the boxes whose bounds are best, as long as they may hold something better.

use super::{LANES, Lanes, NOWHERE, Tree};
use crate::policy::{Policy, Term, weighted, with_term};
use crate::rules::Mask;

/// How many lanes a group has, as the numbers of groups count.
const WIDTH: u32 = 8;

/// What is looked for.
pub(crate) struct Query<'a> {
    /// What the task needs of each resource.
    pub(crate) task: &'a [f64],
    /// A score must be below this.
    pub(crate) limit: f64,
    /// Scores up to this are all the same: the first in line is taken.
    pub(crate) good_enough: f64,
    /// Which slots the task's constraints allow; all if there is none.
    pub(crate) mask: Option<&'a Mask>,
}

/// The slot of the lowest score, or of the first in line among those.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) slot: u32,
}

/// A box that may be worth looking into.
#[derive(Clone, Copy, Debug)]
struct Open {
    bound: f64,
    first: u32,
    group: u32,
    level: u32,
}

/// The best so far.
#[derive(Clone, Copy)]
struct Best {
    score: f64,
    place: u32,
    slot: u32,
}

impl Best {
    /// Whether a score may be taken in place of this: a lower one, or an equal one before it in line.
    #[expect(clippy::float_cmp, reason = "a tie is a tie of all bits")]
    fn yields_to(&self, score: f64, place: u32) -> bool {
        score < self.score || (score == self.score && place < self.place)
    }
}

/// Memory that searches use one after the other, and what they did.
#[derive(Debug, Default)]
pub(crate) struct Searcher {
    open: Vec<Open>,
    /// How many groups of eight slots or boxes were looked at.
    pub(crate) groups: u64,
}

impl Searcher {
    /// The best slot for a task, if there is any. `admit` is asked about slots that would be taken.
    pub(crate) fn search(
        &mut self,
        tree: &Tree,
        policy: &Policy,
        query: &Query<'_>,
        admit: impl FnMut(u32) -> bool,
    ) -> Option<Found> {
        with_term!(policy.formula, Self::descend, self, tree, &policy.weights, query, admit)
    }

    fn descend<T: Term>(
        &mut self,
        tree: &Tree,
        weights: &[f64],
        query: &Query<'_>,
        mut admit: impl FnMut(u32) -> bool,
    ) -> Option<Found> {
        let needs = Needs::of(weights, query.task);
        // No place in line is before 0, so that the limit itself is never enough.
        let mut best = Best { score: query.limit, place: 0, slot: NOWHERE };
        let top = tree.levels.len().checked_sub(1)?;
        self.open.clear();
        self.open.push(Open { bound: f64::NEG_INFINITY, first: 0, group: 0, level: u32::try_from(top).ok()? });
        while let Some(open) = self.open.pop() {
            if open.level as usize != top && !best.yields_to(open.bound, open.first) {
                continue;
            }
            self.groups += 1;
            let mut lanes = weigh::<T>(tree, &open, &needs, query, &best);
            if open.level == 0 {
                lanes.choose(&open, &mut best, &mut admit);
            } else {
                self.push(&lanes, &open);
            }
        }
        (best.slot != NOWHERE).then_some(Found { slot: best.slot })
    }

    /// The boxes of a group, the most promising on top.
    fn push(&mut self, lanes: &Weighed<'_>, open: &Open) {
        let start = self.open.len();
        let mut bits = lanes.bits;
        while bits != 0 {
            let lane = bits.trailing_zeros();
            bits &= bits - 1;
            let (Some(bound), Some(first)) = (lanes.total.get(lane as usize), lanes.first.get(lane as usize)) else {
                return;
            };
            let group = open.group * WIDTH + lane;
            let new = Open { bound: *bound, first: *first, group, level: open.level - 1 };
            let behind = self.open.iter().skip(start).take_while(|other| comes_before(&new, other)).count();
            self.open.insert(start + behind, new);
        }
    }
}

/// Whether one box is looked at before the other; then it lies above it.
#[expect(clippy::float_cmp, reason = "a tie is a tie of all bits")]
fn comes_before(one: &Open, other: &Open) -> bool {
    one.bound < other.bound || (one.bound == other.bound && one.first < other.first)
}

/// A group whose bounds, or scores, are known.
struct Weighed<'a> {
    total: Lanes,
    first: &'a [u32; LANES],
    /// The lanes that may be better than the best so far.
    bits: u8,
}

impl Weighed<'_> {
    /// Takes the best of eight slots.
    fn choose(&mut self, open: &Open, best: &mut Best, admit: &mut impl FnMut(u32) -> bool) {
        while self.bits != 0 {
            let lane = self.bits.trailing_zeros();
            self.bits &= self.bits - 1;
            let (Some(score), Some(place)) = (self.total.get(lane as usize), self.first.get(lane as usize)) else {
                return;
            };
            let slot = open.group * WIDTH + lane;
            if best.yields_to(*score, *place) && admit(slot) {
                *best = Best { score: *score, place: *place, slot };
            }
        }
    }
}

/// What a task needs, with what is computed of it once.
struct Needs<'a> {
    weights: &'a [f64],
    task: &'a [f64],
    /// The weighted sum of the needs.
    sum: f64,
    /// How far a score may be from the difference of two such sums, as a part of them.
    ///
    /// With n resources a sum is off by n + 1 roundings of 2^-53 at most, a score by n + 2, and their difference by one more; this is
    /// twice as much.
    slack: f64,
}

impl<'a> Needs<'a> {
    #[expect(clippy::cast_precision_loss, reason = "nobody has 2^50 resources")]
    fn of(weights: &'a [f64], task: &'a [f64]) -> Self {
        let slack = (6 * task.len() + 16) as f64 * (f64::EPSILON / 2.0);
        Self { weights, task, sum: weighted(weights, task), slack }
    }

    /// A lower bound of the scores of offers whose weighted sums begin, or end, here.
    fn bound<T: Term>(&self, sum: f64) -> f64 {
        let slack = (sum + self.sum) * self.slack + f64::MIN_POSITIVE;
        if T::RISES { (sum - self.sum) - slack } else { -((sum - self.sum) + slack) }
    }
}

#[inline]
fn weigh<'a, T: Term>(tree: &'a Tree, open: &Open, needs: &Needs<'_>, query: &Query<'_>, best: &Best) -> Weighed<'a> {
    let none = Weighed { total: [0.0; LANES], first: &[NOWHERE; LANES], bits: 0 };
    let Some(level) = tree.levels.get(open.level as usize) else { return none };
    let Some(first) = level.first.get(open.group as usize) else { return none };
    let leaf = open.level == 0;
    let of_group = if leaf { tree.columns } else { 2 * tree.columns };
    let start = open.group as usize * of_group;
    let Some(rows) = level.rows.get(start..start + of_group) else { return none };
    let (total, room) = if leaf { sum::<T, 1>(rows, needs) } else { sum::<T, 2>(rows, needs) };
    let total = total.map(|score| if score > query.good_enough { score } else { query.good_enough });
    let mut bits = query.mask.map_or(u8::MAX, |mask| mask.group(open.level as usize, open.group as usize));
    bits &= bits_of(&total, &room, best.score);
    Weighed { total, first, bits }
}

/// Lanes that fit and have no higher score than the best.
#[inline]
fn bits_of(total: &Lanes, room: &Lanes, best: f64) -> u8 {
    let mut bits = 0;
    for (lane, (total, room)) in total.iter().zip(room).enumerate() {
        bits |= (u8::from(*room >= 0.0) & u8::from(*total <= best)) << lane;
    }
    bits
}

/// The sum of a formula in each lane, and the least room that is left; below 0 the task doesn't fit. A difference of two numbers that
/// differ is never rounded to 0, so the sign is exact.
///
/// `ROWS` is 1 for slots and 2 for boxes. What fits into a box has at least what the task needs, so that is the least there is to
/// look at.
#[inline]
#[expect(clippy::indexing_slicing, reason = "a lane is below the number of lanes")]
fn sum<T: Term, const ROWS: usize>(rows: &[Lanes], needs: &Needs<'_>) -> (Lanes, Lanes) {
    let mut total = [0.0; LANES];
    let mut room = [f64::INFINITY; LANES];
    let resources = needs.task.len();
    let capacities = if T::CAPACITY { rows.get(resources * ROWS..).unwrap_or_default() } else { rows };
    for (((pair, capacity), weight), task) in
        rows.chunks_exact(ROWS).zip(capacities.chunks_exact(ROWS)).zip(needs.weights).zip(needs.task)
    {
        let (Some(low), Some(high)) = (pair.first(), pair.last()) else { continue };
        let (Some(low_capacity), Some(high_capacity)) = (capacity.first(), capacity.last()) else { continue };
        let free = if T::RISES { low } else { high };
        let capacity = if T::RISES { high_capacity } else { low_capacity };
        for lane in 0..LANES {
            let (free, high, capacity) = (free[lane], high[lane], capacity[lane]);
            let left = high - *task;
            room[lane] = if left < room[lane] { left } else { room[lane] };
            let free = if free > *task { free } else { *task };
            total[lane] += T::term(*weight, *task, free, capacity);
        }
    }
    if T::LINEAR
        && ROWS == 2
        && let [.., low, high] = rows
    {
        let sums = if T::RISES { low } else { high };
        for lane in 0..LANES {
            let bound = needs.bound::<T>(sums[lane]);
            total[lane] = if bound > total[lane] { bound } else { total[lane] };
        }
    }
    (total, room)
}
