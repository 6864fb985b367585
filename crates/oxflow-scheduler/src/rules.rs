//! Constraints as bits: which slots of the tree a set of constraints allows, and in which boxes there is one of them.
//!
//! A different constraint is looked at once for each different value of its attribute, and a different set of constraints is put
//! together once. So a pattern costs what it costs 45 times if there are 45 patterns, not 20,000 times.

use std::collections::HashMap;

use crate::attributes::Columns;
use crate::constraint::{Constraint, Ready};
use crate::tree::LANES;

/// A bit for each slot, a byte for each group, and the same for the boxes of each level.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mask {
    levels: Vec<Vec<u8>>,
}

impl Mask {
    /// The bits of a group.
    #[inline]
    pub(crate) fn group(&self, level: usize, group: usize) -> u8 {
        self.levels.get(level).and_then(|level| level.get(group)).copied().unwrap_or(0)
    }

    fn of(slots: Vec<u8>) -> Self {
        let mut levels = vec![slots];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let box_bits = |group: &[u8]| {
                group.iter().enumerate().fold(0, |bits, (lane, below)| bits | (u8::from(*below != 0) << lane))
            };
            levels.push(below.chunks(LANES).map(box_bits).collect());
        }
        Self { levels }
    }
}

/// A constraint that is ready, and what came of it.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) constraint: Constraint,
    ready: Ready,
    /// For each value of the attribute by number, 0 is that there is none.
    verdicts: Vec<bool>,
    /// A bit for each slot, once it was asked for.
    slots: Option<Vec<u8>>,
}

impl Rule {
    /// Whether an offer passes.
    pub(crate) fn allows(&mut self, columns: &Columns, offer: u32) -> bool {
        let Some(column) = columns.get(&self.constraint.attribute) else { return self.ready.passes(None) };
        for number in self.verdicts.len()..=column.values.len() {
            let value = u32::try_from(number).ok().and_then(|number| column.values.value(number));
            self.verdicts.push(self.ready.passes(value));
        }
        self.verdicts.get(column.number(offer) as usize).copied().unwrap_or(false)
    }
}

#[derive(Clone, Debug, Default)]
struct Set {
    rules: Vec<usize>,
    mask: Mask,
    /// The time of `Rules` at which the mask was made; 0 if it never was.
    made: u64,
}

/// All constraints that a matcher has met.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    known: Vec<Rule>,
    numbers: HashMap<Constraint, usize>,
    sets: Vec<Set>,
    set_numbers: HashMap<Vec<usize>, usize>,
    /// Grows with each change of a slot's attributes.
    time: u64,
}

/// Sets that are remembered from round to round; with their masks of 20,000 slots they take 12 MB.
const MOST_SETS: usize = 4096;

impl Rules {
    /// Forgets what nobody may ask for any more. Numbers of sets are good until then.
    pub(crate) fn begin_round(&mut self) {
        if self.sets.len() > MOST_SETS || self.known.len() > MOST_SETS {
            *self = Self { time: self.time, ..Self::default() };
        }
    }

    /// The number of a set of constraints; an error names the constraint and says what is wrong with it.
    pub(crate) fn set(&mut self, constraints: &[Constraint]) -> Result<usize, (String, String)> {
        let mut rules = Vec::with_capacity(constraints.len());
        for constraint in constraints {
            let rule = self.rule(constraint)?;
            if !rules.contains(&rule) {
                rules.push(rule);
            }
        }
        if let Some(number) = self.set_numbers.get(&rules) {
            return Ok(*number);
        }
        self.sets.push(Set { rules: rules.clone(), ..Set::default() });
        self.set_numbers.insert(rules, self.sets.len() - 1);
        Ok(self.sets.len() - 1)
    }

    fn rule(&mut self, constraint: &Constraint) -> Result<usize, (String, String)> {
        if let Some(number) = self.numbers.get(constraint) {
            return Ok(*number);
        }
        let ready = Ready::new(&constraint.test).map_err(|reason| (constraint.attribute.clone(), reason))?;
        self.known.push(Rule { constraint: constraint.clone(), ready, verdicts: Vec::new(), slots: None });
        self.numbers.insert(constraint.clone(), self.known.len() - 1);
        Ok(self.known.len() - 1)
    }

    /// Makes the mask of a set, if it isn't the one of now. `offers` are the slots in use with their offers.
    pub(crate) fn prepare(&mut self, set: usize, columns: &Columns, slots: usize, offers: &[(u32, u32)]) {
        let time = self.time + 1;
        let Some(entry) = self.sets.get_mut(set).filter(|entry| entry.made != time) else { return };
        let mut allowed = vec![u8::MAX; slots.div_ceil(LANES)];
        for rule in &entry.rules {
            let Some(rule) = self.known.get_mut(*rule) else { continue };
            for (all, one) in allowed.iter_mut().zip(bits(rule, columns, slots, offers)) {
                *all &= *one;
            }
        }
        entry.mask = Mask::of(allowed);
        entry.made = time;
    }

    /// The mask of a set that was prepared.
    pub(crate) fn mask(&self, set: usize) -> Option<&Mask> {
        self.sets.get(set).map(|set| &set.mask)
    }

    /// Whether an offer passes all constraints of a set.
    pub(crate) fn allows(&mut self, set: usize, columns: &Columns, offer: u32) -> bool {
        let Some(entry) = self.sets.get(set) else { return true };
        entry.rules.iter().all(|rule| self.known.get_mut(*rule).is_none_or(|rule| rule.allows(columns, offer)))
    }

    /// The constraints of a set that an offer doesn't pass.
    pub(crate) fn failing(&mut self, set: usize, columns: &Columns, offer: u32) -> Vec<Constraint> {
        let Some(entry) = self.sets.get(set) else { return Vec::new() };
        let mut failing = Vec::new();
        for rule in &entry.rules {
            let Some(rule) = self.known.get_mut(*rule) else { continue };
            if !rule.allows(columns, offer) {
                failing.push(rule.constraint.clone());
            }
        }
        failing
    }

    /// Takes note that an offer has come into a slot, or has other attributes.
    pub(crate) fn changed(&mut self, slot: u32, offer: u32, columns: &Columns) {
        self.time += 1;
        for rule in &mut self.known {
            let allowed = rule.allows(columns, offer);
            if let Some(slots) = &mut rule.slots {
                put(slots, slot, allowed);
            }
        }
    }

    /// Takes note that all offers have other slots.
    pub(crate) fn rearranged(&mut self) {
        self.time += 1;
        self.known.iter_mut().for_each(|rule| rule.slots = None);
    }
}

fn bits<'a>(rule: &'a mut Rule, columns: &Columns, slots: usize, offers: &[(u32, u32)]) -> &'a [u8] {
    let mut known = rule.slots.take().unwrap_or_default();
    if known.is_empty() {
        known = vec![0; slots.div_ceil(LANES)];
        for (slot, offer) in offers {
            let allowed = rule.allows(columns, *offer);
            put(&mut known, *slot, allowed);
        }
    }
    rule.slots.insert(known)
}

fn put(bits: &mut [u8], slot: u32, allowed: bool) {
    let bit = 1 << (slot as usize % LANES);
    if let Some(byte) = bits.get_mut(slot as usize / LANES) {
        *byte = if allowed { *byte | bit } else { *byte & !bit };
    }
}
