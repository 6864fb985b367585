//! The loop over tasks and offers as one writes it in Rust at first, with each different pattern compiled once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};

use pyo3::prelude::*;
use pyo3::types::PyDict;
use regex::Regex;

const RESOURCES: usize = 4;

struct Task {
    name: String,
    need: [f64; RESOURCES],
    rules: Vec<(String, Rule)>,
}

enum Rule {
    Is(String),
    Matches(Regex),
}

struct Offer {
    name: String,
    free: [f64; RESOURCES],
    attributes: HashMap<String, String>,
}

impl Task {
    fn fits(&self, offer: &Offer) -> bool {
        self.need.iter().zip(&offer.free).all(|(need, free)| free >= need)
            && self.rules.iter().all(|(attribute, rule)| {
                offer.attributes.get(attribute).is_some_and(|value| match rule {
                    Rule::Is(wanted) => value == wanted,
                    Rule::Matches(pattern) => pattern.is_match(value),
                })
            })
    }

    fn score(&self, offer: &Offer, weights: &[f64; RESOURCES]) -> f64 {
        let mut score = 0.0;
        for ((need, free), weight) in self.need.iter().zip(&offer.free).zip(weights) {
            score += weight * (free - need);
        }
        score
    }

    /// The best of a part of the line.
    fn best(
        &self,
        offers: &[Offer],
        line: &[usize],
        start: usize,
        weights: &[f64; RESOURCES],
        limit: f64,
    ) -> (f64, usize) {
        let mut best = (limit, usize::MAX);
        for (place, offer) in line.iter().enumerate() {
            let offer = &offers[*offer];
            if self.fits(offer) {
                let score = self.score(offer, weights);
                if score < best.0 {
                    best = (score, start + place);
                }
            }
        }
        best
    }
}

fn tasks_of(objects: &Bound<'_, PyAny>) -> PyResult<Vec<Task>> {
    let mut patterns: HashMap<String, Regex> = HashMap::new();
    let mut tasks = Vec::new();
    for object in objects.try_iter()? {
        let object = object?;
        let mut rules = Vec::new();
        for triple in object.getattr("constraints")?.try_iter()? {
            let (attribute, operator, value): (String, String, String) = triple?.extract()?;
            let rule = if operator == "=" {
                Rule::Is(value)
            } else {
                let pattern = patterns.entry(value).or_insert_with_key(|value| {
                    Regex::new(&format!(r"\A(?:{value})\z")).expect("the patterns are ours")
                });
                Rule::Matches(pattern.clone())
            };
            rules.push((attribute, rule));
        }
        tasks.push(Task { name: object.getattr("name")?.extract()?, need: amounts(&object)?, rules });
    }
    Ok(tasks)
}

fn offers_of(objects: &Bound<'_, PyAny>) -> PyResult<Vec<Offer>> {
    let one = |object: PyResult<Bound<'_, PyAny>>| {
        let object = object?;
        let attributes = object.getattr("attributes")?.extract()?;
        Ok(Offer { name: object.getattr("name")?.extract()?, free: amounts(&object)?, attributes })
    };
    objects.try_iter()?.map(one).collect()
}

fn amounts(object: &Bound<'_, PyAny>) -> PyResult<[f64; RESOURCES]> {
    let amount = |name: &str| object.getattr(name)?.extract();
    Ok([amount("cpu")?, amount("mem")?, amount("disk")?, amount("gpu")?])
}

/// Places tasks on offers; `threads` of 1 is the plain loop, `hold` keeps the interpreter.
#[pyfunction]
fn match_tasks_to_offers<'py>(
    tasks: &Bound<'py, PyAny>,
    offers: &Bound<'py, PyAny>,
    weights: [f64; RESOURCES],
    threshold: f64,
    threads: usize,
    hold: bool,
) -> PyResult<Bound<'py, PyDict>> {
    let py = tasks.py();
    let (tasks, offers) = (tasks_of(tasks)?, offers_of(offers)?);
    let run = || {
        if threads == 1 {
            single(&tasks, &offers, &weights, threshold)
        } else {
            multi(&tasks, &offers, &weights, threshold, threads)
        }
    };
    let placed = if hold { run() } else { py.detach(run) };
    let result = PyDict::new(py);
    for (offer, task) in placed {
        result.set_item(&offers[offer].name, &tasks[task].name)?;
    }
    Ok(result)
}

fn single(tasks: &[Task], offers: &[Offer], weights: &[f64; RESOURCES], threshold: f64) -> Vec<(usize, usize)> {
    let mut line: Vec<usize> = (0..offers.len()).collect();
    let mut placed = Vec::new();
    for (index, task) in tasks.iter().enumerate() {
        let (_, place) = task.best(offers, &line, 0, weights, threshold);
        if place != usize::MAX {
            placed.push((line.swap_remove(place), index));
        }
    }
    placed
}

/// Each thread looks at its part of the line; for each task all of them meet twice.
fn multi(
    tasks: &[Task],
    offers: &[Offer],
    weights: &[f64; RESOURCES],
    threshold: f64,
    threads: usize,
) -> Vec<(usize, usize)> {
    let line: Mutex<Vec<usize>> = Mutex::new((0..offers.len()).collect());
    let bests: Mutex<Vec<(f64, usize)>> = Mutex::new(vec![(threshold, usize::MAX); threads]);
    let placed = Mutex::new(Vec::new());
    let (barrier, next) = (Barrier::new(threads), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (line, bests, placed, barrier, next) = (&line, &bests, &placed, &barrier, &next);
            scope.spawn(move || {
                loop {
                    let index = next.load(Ordering::Acquire);
                    let Some(task) = tasks.get(index) else { return };
                    let part: Vec<usize> = {
                        let line = line.lock().expect("no thread panics");
                        let size = line.len().div_ceil(threads);
                        line.iter().skip(thread * size).take(size).copied().collect()
                    };
                    let start = thread * line.lock().expect("no thread panics").len().div_ceil(threads);
                    let best = task.best(offers, &part, start, weights, threshold);
                    bests.lock().expect("no thread panics")[thread] = best;
                    if barrier.wait().is_leader() {
                        let bests = bests.lock().expect("no thread panics");
                        let best = bests
                            .iter()
                            .copied()
                            .min_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
                        if let Some((_, place)) = best.filter(|(_, place)| *place != usize::MAX) {
                            let offer = line.lock().expect("no thread panics").swap_remove(place);
                            placed.lock().expect("no thread panics").push((offer, index));
                        }
                        next.store(index + 1, Ordering::Release);
                    }
                    barrier.wait();
                }
            });
        }
    });
    placed.into_inner().expect("no thread panics")
}

#[pymodule]
mod naive_matcher {
    #[pymodule_export]
    use crate::match_tasks_to_offers;
}
