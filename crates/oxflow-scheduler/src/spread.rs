//! How many tasks of a group are where, for tasks that want to be spread out.

use std::collections::HashMap;

use crate::attributes::Columns;
use crate::tasks::{Spread, Tasks};

/// Counts of one round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    /// The attributes that anything is spread by; `None` is the offer itself.
    attributes: Vec<Option<String>>,
    /// By group, attribute and the number of its value, or of the offer.
    counts: HashMap<(u32, usize, u32), u32>,
}

impl Counts {
    /// Counts of what these tasks are spread by.
    pub(crate) fn of(tasks: &Tasks) -> Self {
        let mut attributes = Vec::new();
        for spread in (0..tasks.len()).filter(|_| tasks.has_spreads()).flat_map(|task| tasks.spread(task)) {
            if !attributes.contains(&spread.attribute) {
                attributes.push(spread.attribute.clone());
            }
        }
        Self { attributes, counts: HashMap::new() }
    }

    /// What a task's spread doesn't allow of an offer.
    pub(crate) fn failing<'a>(
        &self,
        tasks: &'a Tasks,
        task: usize,
        columns: &Columns,
        offer: u32,
    ) -> Option<&'a Spread> {
        let group = tasks.group(task);
        tasks.spread(task).iter().find(|spread| {
            let Some(key) = self.attributes.iter().position(|known| *known == spread.attribute) else { return false };
            match value(columns, spread.attribute.as_deref(), offer) {
                Some(value) => self.counts.get(&(group, key, value)).copied().unwrap_or(0) >= spread.most,
                // Nobody knows where it is.
                None => true,
            }
        })
    }

    /// Takes note that a task was placed, or is placed no more.
    pub(crate) fn note(&mut self, group: u32, columns: &Columns, offer: u32, placed: bool) {
        for (key, attribute) in self.attributes.iter().enumerate() {
            if let Some(value) = value(columns, attribute.as_deref(), offer) {
                let count = self.counts.entry((group, key, value)).or_default();
                *count = if placed { *count + 1 } else { count.saturating_sub(1) };
            }
        }
    }
}

/// The number of what is counted: of the attribute's value, or of the offer. `None` if it hasn't the attribute.
fn value(columns: &Columns, attribute: Option<&str>, offer: u32) -> Option<u32> {
    match attribute {
        Some(attribute) => columns.get(attribute).map(|column| column.number(offer)).filter(|number| *number > 0),
        None => Some(offer),
    }
}
