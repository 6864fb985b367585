//! Why a task was left over: what each offer lacked at its turn, counted, and the offer that came nearest.

use std::collections::{HashMap, HashSet};

use crate::constraint::Constraint;
use crate::matcher::Mode;
use crate::matching::{Cause, Matching, Refusal};
use crate::round::score;
use crate::rules::Rules;
use crate::spread::Counts;

/// Why a task was left over.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The task.
    pub task: String,
    /// Why, in general; the gang's member by its name.
    pub cause: Cause,
    /// How many offers there were at its turn.
    pub offers: usize,
    /// For each resource how many offers had too little of it.
    pub too_small: Vec<(String, usize)>,
    /// For each constraint or spread how many offers it forbade.
    pub forbidden: Vec<(String, usize)>,
    /// How many offers were good, but for a score that was not below the threshold.
    pub above_threshold: usize,
    /// The offer that came nearest: of those that break the fewest rules the one that lacks the least, relative to what is needed; of
    /// those that lack nothing the one of the lowest score; of equals the first in line.
    pub nearest: Option<Nearest>,
}

/// The offer that came nearest.
#[derive(Clone, Debug, PartialEq)]
pub struct Nearest {
    /// Its name.
    pub offer: String,
    /// How much it lacks of which resource.
    pub lacks: Vec<(String, f64)>,
    /// Which constraints and spreads it breaks.
    pub breaks: Vec<String>,
    /// Its score, if it lacks and breaks nothing.
    pub score: Option<f64>,
}

/// Offers as they were at a task's turn.
struct Scene<'a> {
    matching: &'a Matching,
    /// What offers had free that were used before.
    free: HashMap<u32, Vec<f64>>,
    counts: Counts,
    rules: Rules,
    set: Option<usize>,
}

pub(crate) fn explain(matching: &Matching, refusal: &Refusal) -> Explanation {
    let settings = &matching.settings;
    let mut explanation = Explanation {
        task: matching.task(refusal.task).to_owned(),
        cause: refusal.cause.clone(),
        offers: 0,
        too_small: settings.resources.iter().map(|resource| (resource.clone(), 0)).collect(),
        forbidden: Vec::new(),
        above_threshold: 0,
        nearest: None,
    };
    let mut scene = Scene::of(matching, refusal);
    let gone = if settings.mode == Mode::Exclusive { matching.taken_before(refusal) } else { HashSet::new() };
    let mut nearest: Option<((usize, f64, f64), Nearest)> = None;
    for offer in matching.line.iter().filter(|offer| !gone.contains(*offer)) {
        explanation.offers += 1;
        let seen = scene.look(refusal.task, *offer);
        for (count, lacks) in explanation.too_small.iter_mut().zip(&seen.lacks) {
            count.1 += usize::from(*lacks > 0.0);
        }
        for rule in &seen.breaks {
            match explanation.forbidden.iter_mut().find(|(known, _)| known == rule) {
                Some((_, count)) => *count += 1,
                None => explanation.forbidden.push((rule.clone(), 1)),
            }
        }
        explanation.above_threshold += usize::from(seen.score.is_some());
        let rank = (seen.breaks.len(), seen.shortage, seen.score.unwrap_or(0.0));
        if nearest.as_ref().is_none_or(|(best, _)| rank < *best) {
            nearest = Some((rank, scene.name(*offer, seen)));
        }
    }
    explanation.too_small.retain(|(_, count)| *count > 0);
    explanation.nearest = nearest.map(|(_, nearest)| nearest);
    explanation
}

/// What one offer lacks.
struct Seen {
    lacks: Vec<f64>,
    /// The largest part of a need that is lacking.
    shortage: f64,
    breaks: Vec<String>,
    score: Option<f64>,
}

impl<'a> Scene<'a> {
    fn of(matching: &'a Matching, refusal: &Refusal) -> Self {
        let mut scene = Self {
            matching,
            free: HashMap::new(),
            counts: Counts::of(&matching.tasks),
            rules: Rules::default(),
            set: None,
        };
        let set = matching.tasks.set(refusal.task).and_then(|set| matching.tasks.sets().get(set));
        scene.set = set.and_then(|set| scene.rules.set(set).ok());
        for placement in matching.before(refusal) {
            let task = placement.task as usize;
            scene.counts.note(matching.tasks.group(task), &matching.table.attributes, placement.offer, true);
            let whole = matching.table.free(placement.offer);
            let free = scene.free.entry(placement.offer).or_insert_with(|| whole.to_vec());
            let need = matching.tasks.row(task, free.len());
            free.iter_mut().zip(need).for_each(|(free, need)| *free -= need);
        }
        scene
    }

    fn look(&mut self, task: usize, offer: u32) -> Seen {
        let matching = self.matching;
        let whole = matching.table.free(offer);
        let free = self.free.get(&offer).map_or(whole, Vec::as_slice);
        let need = matching.tasks.row(task, free.len());
        let lacks: Vec<f64> = need.iter().zip(free).map(|(need, free)| (need - free).max(0.0)).collect();
        let shortage = lacks.iter().zip(need).filter(|(lacks, _)| **lacks > 0.0);
        let shortage = shortage.map(|(lacks, need)| lacks / need).fold(0.0, f64::max);
        let failing = self.set.map(|set| self.rules.failing(set, &matching.table.attributes, offer));
        let mut breaks: Vec<String> = failing.iter().flatten().map(Constraint::to_string).collect();
        if let Some(spread) = self.counts.failing(&matching.tasks, task, &matching.table.attributes, offer) {
            breaks.push(spread.to_string());
        }
        let fits = lacks.iter().all(|lacks| *lacks <= 0.0) && breaks.is_empty();
        let score = fits.then(|| score(&matching.settings, &matching.table, free, need, offer));
        Seen { lacks, shortage, breaks, score }
    }

    fn name(&self, offer: u32, seen: Seen) -> Nearest {
        let resources = self.matching.settings.resources.iter().cloned();
        Nearest {
            offer: self.matching.table.name(offer).to_string(),
            lacks: resources.zip(seen.lacks).filter(|(_, lacks)| *lacks > 0.0).collect(),
            breaks: seen.breaks,
            score: seen.score,
        }
    }
}
