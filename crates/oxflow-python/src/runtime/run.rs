//! A run of Python steps: the interpreter is attached once for a batch, and each message goes through all steps.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use oxflow_engine::batch::{Batch, Changed};
use oxflow_engine::fault::FaultKind;
use oxflow_engine::run::{Context, ForeignSpec, ForeignStep, Outcome, Run, RunFailed};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyDict, PyString};

use super::Runtime;
use super::emit::{Emitted, encoded, metadata};
use super::fault::Trouble;
use super::payload::{Reader, prepared};
use crate::message::{Message, Metadata};
use crate::objects::try_attach;

/// Python steps of one lane.
#[derive(Debug)]
pub(super) struct PythonRun {
    runtime: Arc<Runtime>,
    spec: ForeignSpec,
}

impl PythonRun {
    pub(super) fn new(runtime: Arc<Runtime>, spec: ForeignSpec) -> Self {
        Self { runtime, spec }
    }

    /// The step that the run begins with; decoding belongs to it.
    fn first_step(&self) -> usize {
        self.spec.operations.first().map_or(self.spec.last_step, |first| first.step)
    }

    fn reader(&self, py: Python<'_>) -> Reader {
        let first = self.spec.operations.first();
        let decode = first.and_then(|first| self.runtime.decoders.get(&first.name));
        Reader { step: self.first_step(), form: self.spec.input, decode: decode.map(|decode| decode.clone_ref(py)) }
    }

    /// The outputs, and what functions changed in their metadata.
    fn attached(&self, py: Python<'_>, batch: &Batch, context: &mut Context<'_>) -> (Outcome, Vec<Changed>) {
        let reader = self.reader(py);
        let mut flow = Flow { run: self, emitted: Emitted::new(&self.spec, batch.len()), context };
        for (index, parent) in (0..batch.len()).zip(0u32..) {
            if flow.context.leaves(index) {
                break;
            }
            let carried = reader.object(py, batch.payloads(), index).map(|value| Carried {
                value,
                metadata: metadata(batch, index),
                changed: false,
            });
            let went = match carried {
                Ok(carried) => flow.steps(py, 0, carried, parent),
                Err(trouble) => flow.fail(trouble, parent),
            };
            if went.is_break() {
                break;
            }
        }
        flow.emitted.finish(batch)
    }
}

impl Run for PythonRun {
    fn apply(&mut self, batch: Batch, context: &mut Context<'_>) -> Result<Outcome, RunFailed> {
        let batch = prepared(batch, self.spec.input);
        let first = self.first_step();
        context.live.enter(first);
        let attached = try_attach(|py| {
            context.count_waiting(first);
            let done = self.attached(py, &batch, context);
            // Here its objects are released without another turn of the interpreter.
            drop(batch);
            done
        });
        let (outcome, changes) =
            attached.ok_or_else(|| RunFailed { text: "the interpreter ended while the pipeline ran".to_owned() })?;
        if changes.is_empty() {
            return Ok(outcome);
        }
        // Copies keys and headers of the whole batch, so the interpreter must not be held.
        Ok(Outcome { batch: outcome.batch.with_changes(&changes), changed: true, ..outcome })
    }
}

/// A payload between two steps.
struct Carried {
    value: Py<PyAny>,
    metadata: Metadata,
    /// True if a function gave new metadata.
    changed: bool,
}

/// A batch on its way through the steps.
struct Flow<'a, 'c> {
    run: &'a PythonRun,
    emitted: Emitted,
    context: &'a mut Context<'c>,
}

impl Flow<'_, '_> {
    /// Sends one message through the steps from number `next` on. Breaks off if a fault ends the run; one that doesn't
    /// costs only itself, not the other outputs of its message.
    fn steps(&mut self, py: Python<'_>, next: usize, carried: Carried, parent: u32) -> ControlFlow<()> {
        let Some(operation) = self.run.spec.operations.get(next) else {
            let step = self.run.spec.last_step;
            let changed = carried.changed.then_some(carried.metadata);
            let added = self.emitted.add(py, step, &self.run.runtime.encode, carried.value, parent, changed);
            return added.map_or_else(|trouble| self.fail(trouble, parent), ControlFlow::Continue);
        };
        let (step, does, name) = (operation.step, operation.does, operation.name.as_str());
        self.context.live.enter(step);
        let started = Instant::now();
        let outputs = self.call(py, step, does, name, carried);
        let count = outputs.as_ref().map_or(0, Outputs::len);
        self.context.count(step, 1, count, started);
        match outputs {
            Err(trouble) => self.fail(trouble, parent),
            Ok(Outputs::None) => ControlFlow::Continue(()),
            Ok(Outputs::One(carried)) => self.steps(py, next + 1, carried, parent),
            Ok(Outputs::Many(all)) => all.into_iter().try_for_each(|carried| self.steps(py, next + 1, carried, parent)),
        }
    }

    fn fail(&mut self, trouble: Trouble, parent: u32) -> ControlFlow<()> {
        if trouble.tell(parent, self.context) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn call(
        &self,
        py: Python<'_>,
        step: usize,
        does: ForeignStep,
        name: &str,
        carried: Carried,
    ) -> Result<Outputs, Trouble> {
        let raised = |kind| move |error: PyErr| Trouble::raised(py, step, kind, &error);
        let runtime = &self.run.runtime;
        match does {
            ForeignStep::Parse => {
                let decode = known(py, &runtime.decoders, name).map_err(raised(FaultKind::Raised))?;
                let value = decode.call1((&carried.value,)).map_err(raised(FaultKind::Undecodable))?;
                Ok(Outputs::One(Carried { value: value.unbind(), ..carried }))
            }
            ForeignStep::Serialise => {
                let value = encoded(py, step, &runtime.encode, &carried.value)?;
                Ok(Outputs::One(Carried { value: value.into_any(), ..carried }))
            }
            ForeignStep::Map | ForeignStep::FlatMap | ForeignStep::Filter => {
                let function = known(py, &runtime.functions, name).map_err(raised(FaultKind::Raised))?;
                let message = carried.message(py).map_err(raised(FaultKind::Raised))?;
                let answer = function.call1((message,)).map_err(raised(FaultKind::Raised))?;
                match does {
                    ForeignStep::Filter => filter(step, &answer, carried),
                    ForeignStep::FlatMap => flat_map(py, step, &answer, &carried),
                    _ => Ok(Outputs::One(carried.with(answer))),
                }
            }
        }
    }
}

/// What a step made of a message.
enum Outputs {
    None,
    One(Carried),
    Many(Vec<Carried>),
}

impl Outputs {
    fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::One(_) => 1,
            Self::Many(all) => all.len(),
        }
    }
}

impl Carried {
    fn message(&self, py: Python<'_>) -> PyResult<Py<Message>> {
        Py::new(py, Message { payload: self.value.clone_ref(py), metadata: self.metadata.clone() })
    }

    /// What comes after a function's answer: the payload, or a message with new metadata.
    fn with(&self, answer: Bound<'_, PyAny>) -> Self {
        match answer.cast::<Message>() {
            Ok(message) => {
                let message = message.get();
                let value = message.payload.clone_ref(answer.py());
                Self { value, metadata: message.metadata.inherit(&self.metadata), changed: true }
            }
            Err(_) => Self { value: answer.unbind(), metadata: self.metadata.clone(), changed: self.changed },
        }
    }
}

fn filter(step: usize, answer: &Bound<'_, PyAny>, carried: Carried) -> Result<Outputs, Trouble> {
    match answer.cast::<PyBool>() {
        Ok(keep) if keep.is_true() => Ok(Outputs::One(carried)),
        Ok(_) => Ok(Outputs::None),
        Err(_) => Err(Trouble::wrong_value(step, answer, "a filter returns `True` or `False`")),
    }
}

fn flat_map(py: Python<'_>, step: usize, answer: &Bound<'_, PyAny>, carried: &Carried) -> Result<Outputs, Trouble> {
    let single = answer.is_instance_of::<PyString>()
        || answer.is_instance_of::<PyBytes>()
        || answer.is_instance_of::<PyByteArray>()
        || answer.is_instance_of::<PyDict>();
    let items = if single { None } else { answer.try_iter().ok() };
    let Some(items) = items else {
        return Err(Trouble::wrong_value(step, answer, "a flat map returns a list of payloads"));
    };
    let each = items.map(|item| item.map(|item| carried.with(item)));
    let all = each.collect::<PyResult<Vec<_>>>();
    all.map(Outputs::Many).map_err(|error| Trouble::raised(py, step, FaultKind::Raised, &error))
}

/// The callable of a step.
pub(super) fn known<'py>(
    py: Python<'py>,
    callables: &std::collections::HashMap<String, Py<PyAny>>,
    name: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let found = callables.get(name).map(|callable| callable.bind(py).clone());
    found.ok_or_else(|| pyo3::exceptions::PyRuntimeError::new_err(format!("step `{name}` was handed no callable")))
}
