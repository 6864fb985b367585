//! What came of a round.

use std::collections::HashSet;
use std::sync::Arc;

use crate::error::SchedulerError;
use crate::explain::{Explanation, explain};
use crate::matcher::Settings;
use crate::table::Table;
use crate::tasks::Tasks;

/// A task and the offer that it was placed on, by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placement {
    pub(crate) task: u32,
    pub(crate) offer: u32,
}

/// Why a task was left over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// No offer was good for it.
    NoOffer,
    /// A task that it depends on is not done.
    Dependency(String),
    /// A member of its gang was left over: the place of that task.
    Gang(usize),
}

/// A task that was left over.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Its place among the tasks.
    pub task: usize,
    /// Why.
    pub cause: Cause,
    /// How many were placed before.
    pub(crate) after: usize,
    /// What of its gang was placed when one of them failed.
    pub(crate) tentative: Arc<[Placement]>,
}

/// How offers were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// By bounds, down a tree of boxes.
    Tree,
    /// One by one, since the score is a user's own.
    Scan,
}

/// What a round did.
#[derive(Clone, Copy, Debug)]
pub struct Stats {
    /// Offers in line before.
    pub offers: usize,
    /// How they were found.
    pub method: Method,
    /// Groups of eight offers or boxes that were looked at.
    pub groups: u64,
    /// Pairs that a user's score was asked about.
    pub pairs: u64,
    /// Seconds for the tree and the constraints.
    pub prepare_s: f64,
    /// Seconds for the search.
    pub search_s: f64,
}

/// What came of a round.
#[derive(Clone, Debug)]
pub struct Matching {
    pub(crate) tasks: Arc<Tasks>,
    pub(crate) settings: Settings,
    pub(crate) placements: Vec<Placement>,
    pub(crate) offers: Vec<Arc<str>>,
    pub(crate) refusals: Vec<Refusal>,
    /// The offers as they were before the round.
    pub(crate) table: Arc<Table>,
    pub(crate) line: Vec<u32>,
    pub(crate) stats: Stats,
}

impl Matching {
    /// Task and offer of each placement, in their order.
    pub fn pairs(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        let tasks = self.placements.iter().map(|placement| self.tasks.names.at(placement.task as usize));
        tasks.zip(self.offers.iter().map(AsRef::as_ref))
    }

    /// The places of the placed tasks among the tasks, and the names of their offers.
    pub fn placed(&self) -> impl ExactSizeIterator<Item = (usize, &str)> {
        let tasks = self.placements.iter().map(|placement| placement.task as usize);
        tasks.zip(self.offers.iter().map(AsRef::as_ref))
    }

    /// The tasks that were left over, in the order of their turns.
    pub fn refusals(&self) -> &[Refusal] {
        &self.refusals
    }

    /// The name of the task in a place.
    pub fn task(&self, index: usize) -> &str {
        self.tasks.names.at(index)
    }

    /// What the round did.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Whether offers take several tasks.
    pub fn is_shared(&self) -> bool {
        self.settings.mode == crate::matcher::Mode::Shared
    }

    /// Why the task of a name was left over, by the offers as they were at its turn.
    pub fn explain(&self, task: &str) -> Result<Explanation, SchedulerError> {
        let refusal = self.refusals.iter().find(|refusal| self.tasks.names.at(refusal.task) == task);
        refusal.map(|refusal| explain(self, refusal)).ok_or_else(|| SchedulerError::NotLeftOver(task.to_owned()))
    }

    /// The offers that were taken before the turn of a task.
    pub(crate) fn taken_before(&self, refusal: &Refusal) -> HashSet<u32> {
        self.before(refusal).map(|placement| placement.offer).collect()
    }

    /// What was placed before the turn of a task.
    pub(crate) fn before<'a>(&'a self, refusal: &'a Refusal) -> impl Iterator<Item = &'a Placement> {
        self.placements.iter().take(refusal.after).chain(refusal.tentative.iter())
    }
}
