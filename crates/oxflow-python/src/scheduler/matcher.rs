//! The matcher: an engine behind a lock, which is never waited for while the interpreter is held.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Instant;

use oxflow_engine::diagnostic::{Code, Diagnostic};
use oxflow_scheduler::{Formula, Mode, Policy, SchedulerError, Settings, Subject};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use super::amounts::amount;
use super::failure::raise;
use super::matching::Matching;
use super::objects::{Kind, Layout};
use super::score::UserScore;
use super::{columns, objects};
use crate::errors::{ErrorKind, exception};
use crate::large::Large;

/// Offers, and what tasks are placed on them by. `oxflow.scheduler.Matcher` is its face.
#[pyclass(frozen, module = "oxflow._oxflow")]
pub(crate) struct Matcher {
    engine: Large<Mutex<oxflow_scheduler::Matcher>>,
    tasks: Layout,
    offers: Layout,
    score: Option<Py<PyAny>>,
    /// The thread in which a user's score is being asked.
    scoring: Mutex<Option<ThreadId>>,
}

#[pymethods]
impl Matcher {
    #[new]
    #[expect(
        clippy::too_many_arguments,
        clippy::needless_pass_by_value,
        reason = "its face in Python makes one of them"
    )]
    #[pyo3(signature = (*, resources, formula, weights, threshold, good_enough, shared, fair, score, task_fields: "dict[str, str]", offer_fields: "dict[str, str]"))]
    fn new(
        py: Python<'_>,
        resources: Vec<String>,
        formula: &str,
        weights: Vec<f64>,
        threshold: f64,
        good_enough: Option<f64>,
        shared: bool,
        fair: bool,
        score: Option<Py<PyAny>>,
        task_fields: Bound<'_, PyDict>,
        offer_fields: Bound<'_, PyDict>,
    ) -> PyResult<Self> {
        let tasks = Layout::new(Kind::Task, &resources, &task_fields)?;
        let offers = Layout::new(Kind::Offer, &resources, &offer_fields)?;
        let unknown = || SchedulerError::Setting(format!("`{formula}` is no policy"));
        let made = Formula::of(formula).ok_or_else(unknown).and_then(|formula| {
            let policy = Policy::new(formula, weights)?;
            let mode = if shared { Mode::Shared } else { Mode::Exclusive };
            oxflow_scheduler::Matcher::new(Settings { resources, policy, threshold, good_enough, mode, fair })
        });
        let engine = Large::new(Mutex::new(made.map_err(|error| raise(py, &error))?));
        Ok(Self { engine, tasks, offers, score, scoring: Mutex::new(None) })
    }

    /// Adds offers that are objects.
    fn add_offers(&self, offers: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = offers.py();
        let offers = objects::offers(&self.offers, offers).map_err(|failure| failure.raise(py))?;
        self.with(py, |engine| engine.add_offers(&offers))
    }

    /// Adds offers that are columns, each the bytes of 64-bit floats.
    #[pyo3(signature = (names: "list[str]", columns, attributes: "dict[str, list[Any]]"))]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it extracted")]
    fn add_offer_columns(
        &self,
        names: &Bound<'_, PyList>,
        columns: Vec<Bound<'_, PyBytes>>,
        attributes: &Bound<'_, PyDict>,
    ) -> PyResult<()> {
        let py = names.py();
        let offers = columns::offers(names, &columns, attributes).map_err(|failure| failure.raise(py))?;
        self.with(py, |engine| engine.add_offers(&offers))
    }

    /// Changes offers to what these objects say.
    fn update_offers(&self, offers: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = offers.py();
        let offers = objects::offers(&self.offers, offers).map_err(|failure| failure.raise(py))?;
        self.with(py, |engine| engine.update_offers(&offers, true))
    }

    /// Changes what an offer has of some resources.
    #[pyo3(signature = (name, amounts: "dict[str, float | str]"))]
    fn update_offer(&self, name: &str, amounts: &Bound<'_, PyDict>) -> PyResult<()> {
        let py = amounts.py();
        let mut changes = Vec::new();
        for (resource, value) in amounts {
            let resource: String = resource.extract()?;
            let found = amount(&value).map_err(|text| {
                let subject = Subject::Offer(name.to_owned());
                raise(py, &SchedulerError::Quantity { subject, resource: resource.clone(), text: text.0 })
            })?;
            changes.push((resource, found));
        }
        self.with(py, |engine| engine.update_offer(name, &changes))
    }

    /// Takes an offer out of the line.
    fn remove_offer(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        self.with(py, |engine| engine.remove_offer(name))
    }

    /// Names and free amounts of the offers in line.
    fn offers(&self, py: Python<'_>) -> PyResult<Vec<(String, Vec<f64>)>> {
        self.with(py, |engine| Ok(engine.offers().map(|(name, free)| (name.to_string(), free.to_vec())).collect()))
    }

    /// Places tasks that are objects.
    #[pyo3(name = "match")]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it extracted")]
    fn match_(&self, tasks: &Bound<'_, PyAny>, done: HashSet<String>) -> PyResult<Matching> {
        let begun = Instant::now();
        let py = tasks.py();
        let tasks = objects::tasks(&self.tasks, tasks).map_err(|failure| failure.raise(py))?;
        self.run(py, tasks, &done, begun)
    }

    /// Places tasks that are columns, each the bytes of 64-bit floats.
    #[pyo3(signature = (names: "list[str]", columns, fields: "dict[str, list[Any]]", done))]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it extracted")]
    fn match_columns(
        &self,
        names: &Bound<'_, PyList>,
        columns: Vec<Bound<'_, PyBytes>>,
        fields: &Bound<'_, PyDict>,
        done: HashSet<String>,
    ) -> PyResult<Matching> {
        let begun = Instant::now();
        let py = names.py();
        let tasks = columns::tasks(names, &columns, fields).map_err(|failure| failure.raise(py))?;
        self.run(py, tasks, &done, begun)
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        self.with(py, |engine| Ok(engine.len()))
    }

    fn __contains__(&self, py: Python<'_>, name: &str) -> PyResult<bool> {
        self.with(py, |engine| Ok(engine.contains(name)))
    }
}

impl Matcher {
    /// Calls with the engine, without the interpreter.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        call: impl FnOnce(&mut oxflow_scheduler::Matcher) -> Result<T, SchedulerError> + Send,
    ) -> PyResult<T> {
        if *owned(&self.scoring) == Some(thread::current().id()) {
            let text = "a score can't use the matcher that asks it".to_owned();
            return Err(raise(py, &SchedulerError::Setting(text)));
        }
        let called = py.detach(|| catch_unwind(AssertUnwindSafe(|| call(&mut owned(&self.engine)))));
        let Ok(outcome) = called else {
            let diagnostic = Diagnostic::new(Code::Internal, "the matcher panicked".to_owned());
            let fix = "make another matcher, and report this with what is on standard error";
            return Err(exception(py, ErrorKind::Internal, &[diagnostic.fix(fix)]));
        };
        outcome.map_err(|error| raise(py, &error))
    }

    fn run(
        &self,
        py: Python<'_>,
        tasks: oxflow_scheduler::Tasks,
        done: &HashSet<String>,
        begun: Instant,
    ) -> PyResult<Matching> {
        let read_s = begun.elapsed().as_secs_f64();
        let Some(function) = &self.score else {
            let matching = self.with(py, |engine| engine.run(tasks, done, None))?;
            return Ok(Matching::new(matching, read_s, "native"));
        };
        let mut score = UserScore::new(function.bind(py));
        let language = score.language();
        let matched = self.with(py, |engine| {
            *owned(&self.scoring) = Some(thread::current().id());
            let matching = engine.run(tasks, done, Some(&mut score));
            *owned(&self.scoring) = None;
            matching
        });
        let matching = matched.inspect_err(|error| error.set_cause(py, score.raised.take()))?;
        Ok(Matching::new(matching, read_s, language))
    }
}

/// What a thread that panicked left behind is no worse than before: each change is checked before it begins.
fn owned<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
