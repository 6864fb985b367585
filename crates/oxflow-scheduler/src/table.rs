//! What a matcher knows of its offers. A round that left tasks over keeps the table as it was, to say why.

use std::sync::Arc;

use crate::attributes::Columns;

/// Offers by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    resources: usize,
    pub(crate) names: Vec<Arc<str>>,
    free: Vec<f64>,
    /// The most that each had free; empty if nobody asks.
    capacity: Vec<f64>,
    pub(crate) attributes: Columns,
}

impl Table {
    pub(crate) fn new(resources: usize) -> Self {
        Self { resources, ..Self::default() }
    }

    /// What an offer has free.
    pub(crate) fn free(&self, offer: u32) -> &[f64] {
        row(&self.free, self.resources, offer)
    }

    /// The most that an offer had free, where that is kept; else what it has free.
    pub(crate) fn capacity(&self, offer: u32) -> &[f64] {
        if self.capacity.is_empty() { self.free(offer) } else { row(&self.capacity, self.resources, offer) }
    }

    pub(crate) fn name(&self, offer: u32) -> Arc<str> {
        self.names.get(offer as usize).cloned().unwrap_or_else(|| Arc::from(""))
    }

    /// Puts an offer in a place, which may be the next new one.
    pub(crate) fn put(&mut self, offer: u32, name: Arc<str>, free: &[f64], with_capacity: bool) {
        let place = offer as usize;
        if place >= self.names.len() {
            self.names.push(name);
            self.free.extend_from_slice(free);
            if with_capacity {
                self.capacity.extend_from_slice(free);
            }
            return;
        }
        if let Some(known) = self.names.get_mut(place) {
            *known = name;
        }
        for rows in [&mut self.free, &mut self.capacity] {
            if let Some(row) = rows.get_mut(place * self.resources..(place + 1) * self.resources) {
                row.copy_from_slice(free);
            }
        }
    }

    /// Sets what an offer has free. Its capacity is no less.
    pub(crate) fn set_free(&mut self, offer: u32, free: &[f64]) {
        let range = offer as usize * self.resources..(offer as usize + 1) * self.resources;
        if let Some(row) = self.free.get_mut(range.clone()) {
            row.copy_from_slice(free);
        }
        for (most, free) in self.capacity.get_mut(range).into_iter().flatten().zip(free) {
            *most = most.max(*free);
        }
    }
}

fn row(rows: &[f64], resources: usize, offer: u32) -> &[f64] {
    rows.get(offer as usize * resources..(offer as usize + 1) * resources).unwrap_or_default()
}
