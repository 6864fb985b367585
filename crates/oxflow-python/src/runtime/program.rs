//! The steps of a run with their callables, found once.

use std::collections::HashMap;

use oxflow_engine::plan::Codec;
use oxflow_engine::run::{ForeignOperation, ForeignSpec, ForeignStep, Form};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use super::Runtime;
use super::emit::How;
use super::payload::{Decode, Reader};
use super::tally::Pace;
use crate::json::Keys;

/// What a run does with each message: read it, call its steps, and give it on.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) reader: Reader,
    /// Whether the first operation is a parser: the reader does its work.
    pub(super) parses: bool,
    pub(super) steps: Vec<Step>,
    /// Whether the last operation is a serializer: its work is done where the outputs are collected.
    pub(super) serialises: Option<Codec>,
    pub(super) how: How,
    /// Keys that its serializer wrote.
    pub(super) written: Keys,
    pub(super) pace: Pace,
}

/// A step between reading and giving on.
#[derive(Debug)]
pub(super) struct Step {
    /// Its place in the run.
    pub(super) operation: usize,
    /// Its number in the report.
    pub(super) number: usize,
    pub(super) work: Work,
}

/// What a step does.
#[derive(Debug)]
pub(super) enum Work {
    Parse(Decode),
    Serialise(Codec),
    Map(Py<PyAny>),
    FlatMap(Py<PyAny>),
    Filter(Py<PyAny>),
}

impl Program {
    pub(super) fn new(py: Python<'_>, runtime: &Runtime, spec: &ForeignSpec) -> PyResult<Self> {
        let mut operations: Vec<_> = spec.operations.iter().enumerate().collect();
        let does = |operation: Option<&(usize, &ForeignOperation)>| operation.map(|(_, operation)| operation.does);
        let parses = spec.input == Form::Raw && matches!(does(operations.first()), Some(ForeignStep::Parse(_)));
        let first = spec.operations.first();
        let decoder = first.and_then(|first| runtime.decoders.get(&first.name));
        let decoder = decoder.filter(|_| parses || spec.input == Form::Json);
        let reader = Reader { step: spec.first_step, decode: decoder.map(|decoder| Decode::by(decoder.bind(py))) };
        operations.drain(..usize::from(parses));
        let serialises = match does(operations.last()) {
            Some(ForeignStep::Serialise(codec)) if spec.output == Form::Raw => Some(codec),
            _ => None,
        };
        operations.truncate(operations.len() - usize::from(serialises.is_some()));
        let steps = operations.into_iter().map(|(number, operation)| step(py, runtime, number, operation));
        let how = How::of(spec, serialises);
        let (steps, pace) = (steps.collect::<PyResult<_>>()?, Pace::default());
        Ok(Self { reader, parses, steps, serialises, how, written: Keys::default(), pace })
    }
}

fn step(py: Python<'_>, runtime: &Runtime, number: usize, operation: &ForeignOperation) -> PyResult<Step> {
    let function = || known(py, &runtime.functions, &operation.name).map(Bound::unbind);
    let work = match operation.does {
        ForeignStep::Parse(_) => Work::Parse(Decode::by(&known(py, &runtime.decoders, &operation.name)?)),
        ForeignStep::Serialise(codec) => Work::Serialise(codec),
        ForeignStep::Map => Work::Map(function()?),
        ForeignStep::FlatMap => Work::FlatMap(function()?),
        ForeignStep::Filter => Work::Filter(function()?),
    };
    Ok(Step { operation: number, number: operation.step, work })
}

/// The callable of a step.
pub(super) fn known<'py>(
    py: Python<'py>,
    callables: &HashMap<String, Py<PyAny>>,
    name: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let found = callables.get(name).map(|callable| callable.bind(py).clone());
    found.ok_or_else(|| PyRuntimeError::new_err(format!("step `{name}` was handed no callable")))
}
