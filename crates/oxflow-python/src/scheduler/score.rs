//! Scores of a user's own: a function of Rust in an extension, which is asked about all offers of a task in one call, or one of
//! Python, which is slow, since it is called for every task and offer.

use oxflow::score::{ask, told};
use oxflow_engine::extension::Function;
use oxflow_scheduler::Score;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::call::{failed, of_bytes};
use crate::extension::NativeFunction;
use crate::records::deliver;
use crate::turns::Turns;

/// A score, and what it raised.
pub(super) struct UserScore {
    function: UserFunction,
    pub(super) raised: Option<PyErr>,
}

enum UserFunction {
    Python(Py<PyAny>),
    Rust(Function),
}

impl UserScore {
    /// A function of an extension is known by its attribute `native`.
    pub(super) fn new(function: &Bound<'_, PyAny>) -> Self {
        let native = function.getattr_opt("native").ok().flatten();
        let native =
            native.and_then(|native| native.cast::<NativeFunction>().ok().map(|native| native.get().function.clone()));
        let function = native.map_or_else(|| UserFunction::Python(function.clone().unbind()), UserFunction::Rust);
        Self { function, raised: None }
    }

    /// What statistics call it.
    pub(super) fn language(&self) -> &'static str {
        match self.function {
            UserFunction::Python(_) => "python",
            UserFunction::Rust(_) => "rust",
        }
    }
}

impl Score for UserScore {
    fn score(&mut self, task: &[f64], offers: &[&[f64]], scores: &mut Vec<f64>) -> Result<(), usize> {
        if offers.is_empty() {
            return Ok(());
        }
        let (index, error) = match &self.function {
            UserFunction::Python(function) => match in_python(function, task, offers, scores) {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            },
            UserFunction::Rust(function) => match in_rust(function, task, offers, scores) {
                Ok(()) => return Ok(()),
                // All were asked about at once: which one it failed on is known when each is asked about alone.
                Err(error) => {
                    let fails = |offer: &&[f64]| in_rust(function, task, &[offer], &mut Vec::new()).is_err();
                    (offers.iter().position(fails).unwrap_or(0), error)
                }
            },
        };
        self.raised = Some(error);
        Err(index)
    }
}

fn in_rust(function: &Function, task: &[f64], offers: &[&[f64]], scores: &mut Vec<f64>) -> PyResult<()> {
    let asked = ask(task, offers.iter().copied());
    let mut given = Vec::new();
    let (outcome, records) = of_bytes(function, &asked, |bytes| given = told(bytes));
    if !records.is_empty() {
        Python::attach(|py| deliver(py, &records))?;
    }
    outcome.map_err(|fault| Python::attach(|py| failed(py, function, &fault)))?;
    if given.len() != offers.len() {
        let text = format!("`{}` gave {} scores for {} offers", function.name(), given.len(), offers.len());
        return Err(pyo3::exceptions::PyValueError::new_err(text));
    }
    scores.append(&mut given);
    Ok(())
}

fn in_python(
    function: &Py<PyAny>,
    task: &[f64],
    offers: &[&[f64]],
    scores: &mut Vec<f64>,
) -> Result<(), (usize, PyErr)> {
    Python::attach(|py| {
        let function = function.bind(py);
        let mut turns = Turns::new(py).map_err(|error| (0, error))?;
        for (index, offer) in offers.iter().enumerate() {
            scores.push(one(function, task, offer).map_err(|error| (index, error))?);
            turns.next().map_err(|error| (index, error))?;
        }
        Ok(())
    })
}

fn one(function: &Bound<'_, PyAny>, task: &[f64], offer: &[f64]) -> PyResult<f64> {
    let py = function.py();
    function.call1((PyTuple::new(py, task)?, PyTuple::new(py, offer)?))?.extract()
}
