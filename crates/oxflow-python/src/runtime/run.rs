//! A run of Python steps: the interpreter is attached once for a batch, and each message goes through all steps.
#![allow(unsafe_code)]

use std::ops::ControlFlow;
use std::sync::Arc;

use oxflow_engine::batch::{Batch, Changed};
use oxflow_engine::fault::FaultKind;
use oxflow_engine::run::{Context, ForeignSpec, Gathering, Loans, Offers, Outcome, Run, RunFailed};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyDict, PyString};

use super::emit::{Emitted, How, encoded, metadata};
use super::fault::Trouble;
use super::payload::prepared;
use super::program::{Program, Step, Work};
use super::spare::Spare;
use super::tally::Tally;
use super::{Encoders, Runtime};
use crate::json::{self, Keys};
use crate::message::{Message, Metadata};
use crate::objects::try_attach;
use crate::walk;

/// Python steps of one lane.
#[derive(Debug)]
pub(super) struct PythonRun {
    runtime: Arc<Runtime>,
    spec: ForeignSpec,
    /// Made for the first batch.
    program: Option<Program>,
    /// What modules borrow from this run's objects.
    loans: Arc<Loans>,
    /// So many batches go by JSON without a try, since one before them had many objects that the module could not read.
    untried: u32,
}

/// How many that are.
const UNTRIED: u32 = 63;

impl PythonRun {
    pub(super) fn new(runtime: Arc<Runtime>, spec: ForeignSpec) -> Self {
        let loans = Loans::new(|give_back| {
            try_attach(|_| give_back());
        });
        Self { runtime, spec, program: None, loans, untried: 0 }
    }

    /// The step that the run begins with; decoding belongs to it.
    fn first_step(&self) -> usize {
        self.spec.operations.first().map_or(self.spec.last_step, |first| first.step)
    }

    /// The outputs, and what functions changed in their metadata.
    fn attached(
        &mut self,
        py: Python<'_>,
        batch: &Batch,
        offers: Option<&mut Offers>,
        context: &mut Context<'_>,
    ) -> PyResult<(Outcome, Vec<Changed>)> {
        let mut program = match self.program.take() {
            Some(program) => program,
            None => Program::new(py, &self.runtime, &self.spec)?,
        };
        let done = self.batch(py, &mut program, batch, offers, context);
        self.program = Some(program);
        Ok(done)
    }

    fn batch(
        &mut self,
        py: Python<'_>,
        program: &mut Program,
        batch: &Batch,
        mut offers: Option<&mut Offers>,
        context: &mut Context<'_>,
    ) -> (Outcome, Vec<Changed>) {
        let Program { reader, parses, steps, serialises, how, written, pace } = program;
        let emitted = self.emitted(*how, batch.len(), written);
        let end = End { step: self.spec.last_step, serialises: serialises.is_some(), encoders: &self.runtime.encoders };
        let tally = Tally::new(&self.spec, *pace);
        let mut flow = Flow { end, emitted, tally, spare: Spare::default(), context };
        for (index, parent) in (0..batch.len()).zip(0u32..) {
            if flow.context.leaves(index) {
                break;
            }
            flow.tally.begin(flow.context);
            if let Some(message) = batch.metadata(index) {
                flow.context.live.at(message.slot(), message.offset());
            }
            flow.context.live.enter(reader.step);
            let read = match &mut offers {
                Some(offers) => reader.offered(py, offers, index),
                None => reader.object(py, batch.payloads(), index),
            };
            if *parses {
                flow.tally.handled(0, usize::from(read.is_ok()), flow.context);
            }
            let went = match read {
                Ok(value) => {
                    let carried = Carried { value, place: (batch, index), changed: None, message: None };
                    flow.steps(py, steps, carried, parent)
                }
                Err(trouble) => flow.fail(trouble, parent),
            };
            if went.is_break() {
                break;
            }
        }
        *pace = flow.tally.finish(flow.context);
        let emitted = flow.emitted;
        if emitted.gave_up() {
            self.untried = UNTRIED;
        }
        emitted.finish(batch)
    }

    fn emitted<'k>(&mut self, how: How, expected: usize, keys: &'k mut Keys) -> Emitted<'k> {
        let tries = self.untried == 0;
        self.untried = self.untried.saturating_sub(1);
        let taken_as = self.spec.taken_as.filter(|_| how == How::Json && tries);
        let gathering = taken_as.and_then(|payload| Gathering::of(payload, expected, &self.loans));
        match gathering {
            Some(gathering) => Emitted::gathering(gathering, expected, keys),
            None => Emitted::new(how, expected, keys),
        }
    }
}

impl Run for PythonRun {
    fn apply(&mut self, batch: Batch, context: &mut Context<'_>) -> Result<Outcome, RunFailed> {
        let batch = prepared(batch, self.spec.input);
        // Dropped when the interpreter isn't held any more: rows are none of its business.
        let mut offers = Offers::taken(batch.payloads());
        let first = self.first_step();
        context.live.enter(first);
        context.live.waits_for_interpreter();
        let attached = try_attach(|py| {
            context.live.works();
            context.count_waiting(first);
            // SAFETY: the interpreter is held.
            unsafe { self.loans.give_back() };
            let done = self.attached(py, &batch, offers.as_mut(), context);
            // Here its objects are released without another turn of the interpreter.
            drop(batch);
            done
        });
        let ended = || RunFailed { text: "the interpreter ended while the pipeline ran".to_owned() };
        let (outcome, changes) = attached.ok_or_else(ended)?.map_err(|error| RunFailed { text: error.to_string() })?;
        if changes.is_empty() {
            return Ok(outcome);
        }
        // Copies keys and headers of the whole batch, so the interpreter must not be held.
        Ok(Outcome { batch: outcome.batch.with_changes(&changes), changed: true, ..outcome })
    }
}

/// A payload between two steps.
struct Carried<'b> {
    value: Py<PyAny>,
    /// The batch that its message came in, and which of them that was.
    place: (&'b Batch, usize),
    /// The metadata that a function gave it.
    changed: Option<Metadata>,
    /// What the step before was given, if it was this very payload.
    message: Option<Py<Message>>,
}

/// Where the steps of a run end.
struct End<'a> {
    /// The step that a failed conversion belongs to.
    step: usize,
    /// Whether that step is a serializer.
    serialises: bool,
    encoders: &'a Encoders,
}

/// A batch on its way through the steps.
struct Flow<'a, 'c> {
    end: End<'a>,
    emitted: Emitted<'a>,
    tally: Tally<'a>,
    spare: Spare,
    context: &'a mut Context<'c>,
}

impl Flow<'_, '_> {
    /// Sends one message through steps. Breaks off if a fault ends the run; one that doesn't costs only itself, not the
    /// other outputs of its message.
    fn steps(&mut self, py: Python<'_>, steps: &mut [Step], mut carried: Carried<'_>, parent: u32) -> ControlFlow<()> {
        let mut steps = steps;
        while let Some((step, rest)) = steps.split_first_mut() {
            self.context.live.enter(step.number);
            let outputs = call(py, step, self.end.encoders, &mut self.spare, carried);
            self.tally.handled(step.operation, outputs.as_ref().map_or(0, Outputs::len), self.context);
            match outputs {
                Err(trouble) => return self.fail(trouble, parent),
                Ok(Outputs::None) => return ControlFlow::Continue(()),
                Ok(Outputs::One(one)) => carried = one,
                Ok(Outputs::Many(all)) => {
                    return all.into_iter().try_for_each(|carried| self.steps(py, rest, carried, parent));
                }
            }
            steps = rest;
        }
        self.give_on(py, carried, parent)
    }

    fn give_on(&mut self, py: Python<'_>, carried: Carried<'_>, parent: u32) -> ControlFlow<()> {
        let Carried { value, changed, message, .. } = carried;
        self.spare.put(message);
        let added = self.emitted.add(py, self.end.step, self.end.encoders, value, parent, changed);
        if self.end.serialises {
            self.tally.serialised(added.is_ok(), self.context);
        } else if matches!(self.emitted.how(), How::Json | How::Gather) {
            self.tally.given_on(self.context);
        }
        added.map_or_else(|trouble| self.fail(trouble, parent), ControlFlow::Continue)
    }

    fn fail(&mut self, trouble: Trouble, parent: u32) -> ControlFlow<()> {
        if trouble.tell(parent, self.context) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

fn call<'b>(
    py: Python<'_>,
    step: &mut Step,
    encoders: &Encoders,
    spare: &mut Spare,
    mut carried: Carried<'b>,
) -> Result<Outputs<'b>, Trouble> {
    let number = step.number;
    let raised = |kind| move |error: PyErr| Trouble::raised(py, number, kind, &error);
    let ask = |function: &Py<PyAny>, carried: &mut Carried<'b>, spare: &mut Spare| {
        let answer = carried.message(py, spare).and_then(|message| walk::call(function.bind(py), message.bind(py)));
        answer.map_err(raised(FaultKind::Raised))
    };
    match &mut step.work {
        Work::Parse(decode) => {
            let value = decode.object(carried.value.bind(py)).map_err(raised(FaultKind::Undecodable))?;
            Ok(Outputs::One(Carried { value, message: None, ..carried }))
        }
        Work::Serialise(codec) => {
            let value = encoded(py, number, encoders.of(*codec), &carried.value)?;
            Ok(Outputs::One(Carried { value: value.into_any(), message: None, ..carried }))
        }
        Work::Map(function) => {
            let answer = ask(function, &mut carried, spare)?;
            let next = carried.with(answer);
            spare.put(carried.message);
            Ok(Outputs::One(next))
        }
        Work::FlatMap(function) => flat_map(py, number, &ask(function, &mut carried, spare)?, &carried),
        Work::Filter(function) => filter(number, &ask(function, &mut carried, spare)?, carried, spare),
    }
}

/// What a step made of a message.
enum Outputs<'b> {
    None,
    One(Carried<'b>),
    Many(Vec<Carried<'b>>),
}

impl Outputs<'_> {
    fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::One(_) => 1,
            Self::Many(all) => all.len(),
        }
    }
}

impl Carried<'_> {
    fn metadata(&self) -> Metadata {
        self.changed.clone().unwrap_or_else(|| metadata(self.place.0, self.place.1))
    }

    fn message(&mut self, py: Python<'_>, spare: &mut Spare) -> PyResult<Py<Message>> {
        if let Some(message) = &self.message {
            return Ok(message.clone_ref(py));
        }
        let message = spare.message(py, self.value.clone_ref(py), self.metadata())?;
        self.message = Some(message.clone_ref(py));
        Ok(message)
    }

    /// What comes after a function's answer: the payload, or a message with new metadata.
    fn with(&self, answer: Bound<'_, PyAny>) -> Self {
        if let Some(message) = json::exactly::<Message>(&answer) {
            let message = message.get();
            let value = message.payload.clone_ref(answer.py());
            let changed = Some(message.metadata.inherit(&self.metadata()));
            return Self { value, changed, message: None, ..*self };
        }
        Self { value: answer.unbind(), changed: self.changed.clone(), message: None, ..*self }
    }
}

fn filter<'b>(
    step: usize,
    answer: &Bound<'_, PyAny>,
    carried: Carried<'b>,
    spare: &mut Spare,
) -> Result<Outputs<'b>, Trouble> {
    match answer.cast::<PyBool>() {
        Ok(keep) if keep.is_true() => Ok(Outputs::One(carried)),
        Ok(_) => {
            spare.put(carried.message);
            Ok(Outputs::None)
        }
        Err(_) => Err(Trouble::wrong_value(step, answer, "a filter returns `True` or `False`")),
    }
}

fn flat_map<'b>(
    py: Python<'_>,
    step: usize,
    answer: &Bound<'_, PyAny>,
    carried: &Carried<'b>,
) -> Result<Outputs<'b>, Trouble> {
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
