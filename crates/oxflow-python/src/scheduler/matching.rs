//! What came of a round, made into Python's objects when it is asked for.

use oxflow_scheduler::{Cause, Explanation, Method};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};
use serde_json::{Value, json};

use super::failure::raise;
use crate::large::Large;
use crate::turns::Turns;

/// What came of a round. `oxflow.scheduler.Matching` is its face.
#[pyclass(frozen, module = "oxflow._oxflow")]
pub(crate) struct Matching {
    inner: Large<oxflow_scheduler::Matching>,
    read_s: f64,
    score: &'static str,
}

impl Matching {
    pub(super) fn new(matching: oxflow_scheduler::Matching, read_s: f64, score: &'static str) -> Self {
        Self { inner: Large::new(matching), read_s, score }
    }
}

#[pymethods]
impl Matching {
    /// Return offer name -> task name, in the order of placement; of an offer with several tasks the last.
    #[pyo3(signature = () -> "dict[str, str]")]
    fn as_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let all = PyDict::new(py);
        let mut turns = Turns::new(py)?;
        for (task, offer) in self.inner.pairs() {
            all.set_item(PyString::new(py, offer), PyString::new(py, task))?;
            turns.next()?;
        }
        Ok(all)
    }

    /// Return (task name, offer name) in the order of placement.
    #[pyo3(signature = () -> "list[tuple[str, str]]")]
    fn pairs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let all = PyList::empty(py);
        let mut turns = Turns::new(py)?;
        for (task, offer) in self.inner.pairs() {
            all.append(PyTuple::new(py, [task, offer])?)?;
            turns.next()?;
        }
        Ok(all)
    }

    /// Return the place of each placed task among the tasks.
    fn placed(&self) -> Vec<usize> {
        self.inner.placed().map(|(task, _)| task).collect()
    }

    /// Return (task name, cause, what the cause names) of each task left over, in the order of their turns.
    #[pyo3(signature = () -> "list[tuple[str, str, str | None]]")]
    fn left_over(&self) -> Vec<(String, &'static str, Option<String>)> {
        let refusals = self.inner.refusals().iter();
        let one = |refusal: &oxflow_scheduler::Refusal| {
            let (cause, named) = cause(&self.inner, &refusal.cause);
            (self.inner.task(refusal.task).to_owned(), cause, named)
        };
        refusals.map(one).collect()
    }

    /// Return why a task was left over, as JSON.
    fn explain(&self, py: Python<'_>, task: &str) -> PyResult<String> {
        let explanation = py.detach(|| self.inner.explain(task)).map_err(|error| raise(py, &error))?;
        Ok(shown(&self.inner, &explanation).to_string())
    }

    /// Whether an offer may take several tasks.
    #[getter]
    fn shared(&self) -> bool {
        self.inner.is_shared()
    }

    /// Return what the round did, as JSON.
    fn stats(&self) -> String {
        let stats = self.inner.stats();
        let method = match stats.method {
            Method::Tree => "tree",
            Method::Scan => "scan",
        };
        let placed = self.inner.pairs().len();
        let unplaced = self.inner.refusals().len();
        json!({
            "tasks": placed + unplaced, "offers": stats.offers, "placed": placed, "unplaced": unplaced,
            "method": method, "score": self.score, "groups": stats.groups, "pairs": stats.pairs,
            "read_s": self.read_s, "prepare_s": stats.prepare_s, "search_s": stats.search_s,
        })
        .to_string()
    }

    fn __len__(&self) -> usize {
        self.inner.pairs().len()
    }
}

fn cause(matching: &oxflow_scheduler::Matching, cause: &Cause) -> (&'static str, Option<String>) {
    match cause {
        Cause::NoOffer => ("no offer", None),
        Cause::Dependency(task) => ("dependency", Some(task.clone())),
        Cause::Gang(member) => ("gang", Some(matching.task(*member).to_owned())),
    }
}

fn shown(matching: &oxflow_scheduler::Matching, explanation: &Explanation) -> Value {
    let (cause, named) = cause(matching, &explanation.cause);
    let nearest = explanation.nearest.as_ref().map(|nearest| {
        json!({"offer": nearest.offer, "lacks": nearest.lacks, "breaks": nearest.breaks, "score": nearest.score})
    });
    json!({
        "task": explanation.task, "cause": cause, "named": named, "offers": explanation.offers,
        "too_small": explanation.too_small, "forbidden": explanation.forbidden,
        "above_threshold": explanation.above_threshold, "nearest": nearest,
    })
}
