//! The steps of functions, as they lie in memory and in an index file: little-endian, one after the other.
//!
//! First how many steps and names there are, and the sum of that; then the steps; then a sum for each group of them, which
//! covers the first step of the next group as well. Bisection over damaged steps may lead to a wrong place, but then the step
//! found there, or the one behind it, is not what was summed.

use std::borrow::Cow;

use super::NONE;
use crate::buffer::Slice;
use crate::error::{Error, Result};
use crate::index::{Table, damaged, sum, u32_at, write_table};

/// Where a step is: 0 for the generated code or 1 and the index of a source, line, column.
pub(super) type Place = (u32, u32, u32);

const HEAD_BYTES: usize = 12;
const STEP_BYTES: usize = 16;
const GROUP: usize = 64;

/// Functions by place.
#[derive(Clone)]
pub struct Functions {
    pub(crate) steps: Slice,
    pub(crate) names: Table,
    count: usize,
}

impl Functions {
    /// Sections of an index file as a table.
    pub(crate) fn new(steps: Slice, names: Slice) -> Result<Self> {
        let bytes = steps.bytes();
        let head = bytes.get(..8).zip(u32_at(bytes, 8)).filter(|(head, wanted)| sum([*head]) == *wanted);
        let counts = head.and_then(|(head, _)| Some((u32_at(head, 0)? as usize, u32_at(head, 4)? as usize)));
        let Some((count, name_count)) = counts else { return damaged("the table of functions") };
        let wanted = HEAD_BYTES + count * STEP_BYTES + count.div_ceil(GROUP) * 4;
        match Table::new(names, name_count).filter(|_| bytes.len() == wanted) {
            Some(names) => Ok(Self { steps, names, count }),
            None => damaged("the table of functions"),
        }
    }

    fn step(&self, index: usize) -> Option<&[u8]> {
        if index >= self.count {
            return None;
        }
        let start = HEAD_BYTES + index * STEP_BYTES;
        self.steps.bytes().get(start..start + STEP_BYTES)
    }

    fn place(&self, index: usize) -> Option<Place> {
        let step = self.step(index)?;
        Some((u32_at(step, 0)?, u32_at(step, 4)?, u32_at(step, 8)?))
    }

    /// Whether there are steps in sources: they stand last.
    pub(crate) fn has_originals(&self) -> Result<bool> {
        let Some(last) = self.count.checked_sub(1) else { return Ok(false) };
        if !self.is_whole(last / GROUP) {
            return damaged("the table of functions");
        }
        Ok(self.place(last).is_some_and(|place| place.0 > 0))
    }

    /// The name of the step that reaches a place.
    pub(crate) fn name_at(&self, place: Place) -> Result<Option<String>> {
        let behind = self.count_to(place);
        let found = behind.checked_sub(1);
        let here = found.unwrap_or(0);
        let begins = found.is_none() || self.place(here).is_some_and(|at| at <= place);
        let ends = self.place(behind).is_none_or(|at| at > place);
        if self.count > 0 && !(begins && ends && self.is_whole(here / GROUP)) {
            return damaged("the table of functions");
        }
        let step = found.and_then(|index| self.step(index)).filter(|step| u32_at(step, 0) == Some(place.0));
        let Some(name) = step.and_then(|step| u32_at(step, 12)).filter(|name| *name != NONE) else { return Ok(None) };
        let Some(bytes) = self.names.get(name as usize)? else { return damaged("the table of functions") };
        // Copied before it is checked: somebody may change the file meanwhile.
        String::from_utf8(bytes.to_vec()).map_or_else(|_| damaged("a string"), |name| Ok(Some(name)))
    }

    /// How many steps are at or before a place.
    fn count_to(&self, place: Place) -> usize {
        let (mut first, mut count) = (0, self.count);
        while count > 0 {
            let half = count / 2;
            let is_before = self.place(first + half).is_some_and(|at| at <= place);
            first = if is_before { first + half + 1 } else { first };
            count = if is_before { count - half - 1 } else { half };
        }
        first
    }

    fn is_whole(&self, group: usize) -> bool {
        let sums = HEAD_BYTES + self.count * STEP_BYTES;
        let wanted = u32_at(self.steps.bytes(), sums + group * 4);
        wanted.is_some() && wanted == sum_of(self.steps.bytes(), self.count, group)
    }
}

/// The sum of a group: of its number, its steps and the first one of the next.
fn sum_of(bytes: &[u8], count: usize, group: usize) -> Option<u32> {
    let (start, end) = (group * GROUP, count.min((group + 1) * GROUP + 1));
    let steps = bytes.get(HEAD_BYTES + start * STEP_BYTES..HEAD_BYTES + end * STEP_BYTES)?;
    Some(sum([&(group as u64).to_le_bytes()[..], steps]))
}

/// Writes steps, which are sorted, and the names that they are numbers of.
pub(super) fn write<'a>(
    steps: &[(Place, u32)],
    names: impl ExactSizeIterator<Item = Result<Cow<'a, [u8]>>>,
) -> Result<Functions> {
    let word = |count: usize| {
        let limit = u64::from(u32::MAX);
        u32::try_from(count).map_err(|_| Error::Limit { what: "the number of functions", limit })
    };
    let mut bytes = word(steps.len())?.to_le_bytes().to_vec();
    bytes.extend(word(names.len())?.to_le_bytes());
    bytes.extend(sum([&*bytes]).to_le_bytes());
    for ((source, line, column), name) in steps {
        for number in [source, line, column, name] {
            bytes.extend(number.to_le_bytes());
        }
    }
    for group in 0..steps.len().div_ceil(GROUP) {
        let sum = sum_of(&bytes, steps.len(), group).unwrap_or_default();
        bytes.extend(sum.to_le_bytes());
    }
    Functions::new(bytes.into(), write_table(names)?.into())
}
