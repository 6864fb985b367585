//! One round: tasks are placed one after the other, each on the best offer that there is at its turn.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use crate::error::{SchedulerError, Subject};
use crate::matcher::{Matcher, Mode};
use crate::matching::{Cause, Matching, Method, Placement, Refusal, Stats};
use crate::policy::score as score_of;
use crate::queue::{Queue, by_priority};
use crate::scores::Score;
use crate::spread::Counts;
use crate::table::Table;
use crate::tasks::Tasks;
use crate::tree::{Query, Searcher};

/// A round under way. What it does to the matcher can be undone step by step.
pub(crate) struct Round<'a> {
    matcher: &'a mut Matcher,
    tasks: Arc<Tasks>,
    /// The offers as they were.
    table: Arc<Table>,
    line: Vec<u32>,
    /// The number of each of the tasks' sets of constraints in the matcher's rules.
    sets: Vec<usize>,
    counts: Counts,
    placements: Vec<Placement>,
    /// What the offer of each placement had free before; used where offers are shared.
    freed: Vec<f64>,
    refusals: Vec<Refusal>,
    searcher: Searcher,
    pairs: u64,
    begun: Instant,
}

impl<'a> Round<'a> {
    /// A round of tasks that were checked. Constraints that can't be read are the error.
    pub(crate) fn new(matcher: &'a mut Matcher, tasks: Tasks) -> Result<Self, SchedulerError> {
        let begun = Instant::now();
        matcher.rules.begin_round();
        let mut sets = Vec::new();
        for (number, set) in tasks.sets().iter().enumerate() {
            let known = matcher.rules.set(set).map_err(|(attribute, reason)| {
                let subject = Subject::Task(tasks.names.at(tasks.first_with(number)).to_owned());
                SchedulerError::Constraint { subject, attribute, reason }
            })?;
            sets.push(known);
        }
        let (table, line) = (Arc::clone(&matcher.table), matcher.line.clone());
        Ok(Self {
            matcher,
            counts: Counts::of(&tasks),
            placements: Vec::with_capacity(tasks.len()),
            tasks: Arc::new(tasks),
            table,
            line,
            sets,
            freed: Vec::new(),
            refusals: Vec::new(),
            searcher: Searcher::default(),
            pairs: 0,
            begun,
        })
    }

    /// Places what can be placed. An error undoes all of it.
    pub(crate) fn run(
        mut self,
        done: &HashSet<String>,
        mut score: Option<&mut dyn Score>,
    ) -> Result<Matching, SchedulerError> {
        let method = if score.is_some() { Method::Scan } else { Method::Tree };
        if method == Method::Tree {
            self.prepare();
        }
        let prepared = Instant::now();
        if let Err(error) = self.place_all(done, &mut score) {
            self.undo(0);
            return Err(error);
        }
        let stats = Stats {
            offers: self.line.len(),
            method,
            groups: self.searcher.groups,
            pairs: self.pairs,
            prepare_s: (prepared - self.begun).as_secs_f64(),
            search_s: prepared.elapsed().as_secs_f64(),
        };
        Ok(self.finish(stats))
    }

    /// The tree, and the mask of each set of constraints.
    fn prepare(&mut self) {
        self.matcher.plant();
        let Some(planted) = self.matcher.planted.as_ref().filter(|_| !self.sets.is_empty()) else { return };
        let offers = planted.offers(&self.line);
        for set in &self.sets {
            self.matcher.rules.prepare(*set, &self.table.attributes, planted.tree.slots(), &offers);
        }
    }

    fn place_all(&mut self, done: &HashSet<String>, score: &mut Option<&mut dyn Score>) -> Result<(), SchedulerError> {
        let tasks = Arc::clone(&self.tasks);
        let mut queue = Queue::of(&tasks, self.matcher.settings.fair.then(|| self.total()));
        let mut gangs = gangs(&tasks);
        while let Some(task) = queue.next() {
            let members = match tasks.gang(task) {
                // At the turn of its first member all of a gang are placed, or none.
                Some(gang) => match gangs.remove(&gang) {
                    Some(members) => members,
                    None => continue,
                },
                None => vec![task],
            };
            let before = self.placements.len();
            self.place_members(&members, done, score)?;
            for placement in self.placements.iter().skip(before) {
                let placed = placement.task as usize;
                queue.placed(tasks.user(placed), tasks.row(placed, self.matcher.settings.resources.len()));
            }
        }
        Ok(())
    }

    /// Places all of these, or none.
    fn place_members(
        &mut self,
        members: &[usize],
        done: &HashSet<String>,
        score: &mut Option<&mut dyn Score>,
    ) -> Result<(), SchedulerError> {
        let tasks = Arc::clone(&self.tasks);
        let before = self.placements.len();
        for member in members {
            let waits = tasks.depends_on(*member).iter().find(|name| !done.contains(*name));
            let cause = match waits {
                Some(name) => Some(Cause::Dependency(name.clone())),
                None if self.place(*member, score)? => None,
                None => Some(Cause::NoOffer),
            };
            if let Some(cause) = cause {
                self.refuse(members, *member, &cause, before);
                break;
            }
        }
        Ok(())
    }

    /// Leaves over all of these because of one of them; undoes what was placed of them.
    fn refuse(&mut self, members: &[usize], failed: usize, cause: &Cause, before: usize) {
        let tentative = Arc::from(self.placements.get(before..).unwrap_or_default());
        self.undo(before);
        for member in members {
            let cause = if *member == failed { cause.clone() } else { Cause::Gang(failed) };
            self.refusals.push(Refusal { task: *member, after: before, cause, tentative: Arc::clone(&tentative) });
        }
    }

    /// Places one task; says whether there was an offer for it.
    fn place(&mut self, task: usize, score: &mut Option<&mut dyn Score>) -> Result<bool, SchedulerError> {
        let found = match score {
            Some(score) => self.scan(task, *score)?,
            None => self.search(task),
        };
        if let Some(offer) = found {
            self.take(task, offer);
        }
        Ok(found.is_some())
    }

    fn search(&mut self, task: usize) -> Option<u32> {
        let settings = &self.matcher.settings;
        let planted = self.matcher.planted.as_ref()?;
        let set = self.tasks.set(task).and_then(|set| self.sets.get(set));
        let query = Query {
            task: self.tasks.row(task, settings.resources.len()),
            limit: settings.threshold,
            good_enough: settings.good_enough.unwrap_or(f64::NEG_INFINITY),
            mask: set.and_then(|set| self.matcher.rules.mask(*set)),
        };
        let (counts, tasks, columns) = (&self.counts, &self.tasks, &self.table.attributes);
        let admit =
            |slot| tasks.spread(task).is_empty() || counts.failing(tasks, task, columns, planted.offer(slot)).is_none();
        let found = self.searcher.search(&planted.tree, &settings.policy, &query, admit)?;
        Some(planted.offer(found.slot))
    }

    /// Asks a user's score about every offer that the task fits on.
    fn scan(&mut self, task: usize, score: &mut dyn Score) -> Result<Option<u32>, SchedulerError> {
        let tasks = Arc::clone(&self.tasks);
        let table = Arc::clone(&self.matcher.table);
        let need = tasks.row(task, self.matcher.settings.resources.len());
        let set = tasks.set(task).and_then(|set| self.sets.get(set)).copied();
        let mut candidates = Vec::new();
        for offer in &self.matcher.line {
            let fits = table.free(*offer).iter().zip(need).all(|(free, need)| free >= need);
            let rules = &mut self.matcher.rules;
            if fits
                && set.is_none_or(|set| rules.allows(set, &table.attributes, *offer))
                && self.counts.failing(&tasks, task, &table.attributes, *offer).is_none()
            {
                candidates.push(*offer);
            }
        }
        let rows: Vec<&[f64]> = candidates.iter().map(|offer| table.free(*offer)).collect();
        let mut scores = Vec::with_capacity(rows.len());
        let on = |index: usize| {
            let offer = candidates.get(index).map(|offer| table.name(*offer)).unwrap_or_default();
            (tasks.names.at(task).to_owned(), offer.to_string())
        };
        score.score(need, &rows, &mut scores).map_err(|index| {
            let (task, offer) = on(index);
            SchedulerError::ScoreFailed { task, offer }
        })?;
        self.pairs += scores.len() as u64;
        let settings = &self.matcher.settings;
        let mut best = (settings.threshold, None);
        for (index, (score, offer)) in scores.iter().zip(&candidates).enumerate() {
            if score.is_nan() {
                let (task, offer) = on(index);
                return Err(SchedulerError::Score { task, offer });
            }
            let score = settings.good_enough.map_or(*score, |enough| score.max(enough));
            if score < best.0 {
                best = (score, Some(*offer));
            }
        }
        Ok(best.1)
    }

    fn take(&mut self, task: usize, offer: u32) {
        match self.matcher.settings.mode {
            Mode::Exclusive => self.matcher.take_out(offer),
            Mode::Shared => {
                let free = self.matcher.table.free(offer);
                let need = self.tasks.row(task, free.len());
                let left: Vec<f64> = free.iter().zip(need).map(|(free, need)| free - need).collect();
                self.freed.extend_from_slice(free);
                self.matcher.set_free(offer, &left);
            }
        }
        self.counts.note(self.tasks.group(task), &self.table.attributes, offer, true);
        self.placements.push(Placement { task: narrow(task), offer });
    }

    /// Undoes placements down to a number of them.
    fn undo(&mut self, down_to: usize) {
        while self.placements.len() > down_to {
            let Some(Placement { task, offer }) = self.placements.pop() else { return };
            self.counts.note(self.tasks.group(task as usize), &self.table.attributes, offer, false);
            match self.matcher.settings.mode {
                Mode::Exclusive => self.matcher.put_back(offer),
                Mode::Shared => {
                    let kept = self.freed.len() - self.matcher.settings.resources.len();
                    let free = self.freed.split_off(kept);
                    self.matcher.set_free(offer, &free);
                }
            }
        }
    }

    /// What there is of each resource.
    fn total(&self) -> Vec<f64> {
        let mut total = vec![0.0; self.matcher.settings.resources.len()];
        for offer in &self.line {
            total.iter_mut().zip(self.table.free(*offer)).for_each(|(total, free)| *total += free);
        }
        total
    }

    fn finish(self, stats: Stats) -> Matching {
        let offers = self.placements.iter().map(|placement| self.table.name(placement.offer)).collect();
        if self.matcher.settings.mode == Mode::Exclusive {
            self.placements.iter().for_each(|placement| self.matcher.forget(placement.offer));
        }
        Matching {
            tasks: self.tasks,
            settings: self.matcher.settings.clone(),
            placements: self.placements,
            offers,
            refusals: self.refusals,
            table: self.table,
            line: self.line,
            stats,
        }
    }
}

/// The members of each gang, in the order of their priorities.
fn gangs(tasks: &Tasks) -> HashMap<u32, Vec<usize>> {
    let mut gangs: HashMap<u32, Vec<usize>> = HashMap::new();
    for task in Some(tasks).filter(|tasks| tasks.has_gangs()).map(by_priority).into_iter().flatten() {
        if let Some(gang) = tasks.gang(task) {
            gangs.entry(gang).or_default().push(task);
        }
    }
    gangs
}

#[expect(clippy::cast_possible_truncation, reason = "four billion tasks don't fit into memory")]
fn narrow(task: usize) -> u32 {
    task as u32
}

/// The score that a task has on an offer of a table, by the policy's formula.
pub(crate) fn score(settings: &crate::matcher::Settings, table: &Table, free: &[f64], need: &[f64], offer: u32) -> f64 {
    score_of(&settings.policy, need, free, table.capacity(offer))
}
