//! Lowers a plan to stages: neighbours of one language become one run, and every edge gets the form that payloads have
//! there.

mod as_read;
mod codec;
mod offer;
mod program;

pub use program::{Program, RouterSpec, RunInfo, Stage};

use codec::{Home, module_of, no_message};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use oxflow::abi::{self, Kind};
use oxflow::shape::{RecordKind, Type};
use serde_json::Value;

use self::as_read::{is_loose, says_exactly};
use crate::diagnostic::{Code, Diagnostic};
use crate::extension::{Function, PayloadType};
use crate::plan::{Codec, Hashes, Language, Operation, Parser, Plan, Step};
use crate::report::StepInfo;
use crate::run::{Foreign, ForeignOperation, ForeignSpec, ForeignStep, Form, NativeCall, NativeSpec};

/// What the names in a plan stand for.
#[derive(Clone, Default)]
pub struct Bindings {
    /// The Rust function of each step that has one.
    pub functions: HashMap<String, Function>,
    /// The Rust type of each parser that has one.
    pub types: HashMap<String, PayloadType>,
    /// The runtime of the steps in the other language.
    pub foreign: Option<Arc<dyn Foreign>>,
    /// Steps whose functions may be called again: a run begins with each, so that it can be called again alone.
    pub retried: HashSet<String>,
}

/// Lowers a plan that was checked.
pub fn lower(plan: &Plan, bindings: &Bindings) -> Result<Program, Diagnostic> {
    let mut lowering = Lowering { bindings, steps: vec![StepInfo::source(plan)] };
    let mut stages = lowering.chain(&plan.steps, &Lying { form: Form::Raw, home: None })?;
    let mut steps = lowering.steps;
    offer::offer(&mut stages, &steps, bindings);
    program::written(&stages, &steps)?;
    for (language, run) in program::cuts(&stages) {
        for number in run {
            steps.get_mut(number).into_iter().for_each(|step| step.language = language);
        }
    }
    Ok(Program { steps, stages })
}

struct Lowering<'a> {
    bindings: &'a Bindings,
    steps: Vec<StepInfo>,
}

/// How payloads lie at an edge.
#[derive(Clone)]
struct Lying {
    form: Form,
    /// The Rust type whose JSON they are, if it is known.
    home: Option<Home>,
}

/// A row of steps that is being lowered.
struct Chain {
    stages: Vec<Stage>,
    /// How the payloads lie after the last finished stage.
    form: Form,
    /// The Rust type whose JSON they are then, if it is known.
    home: Option<Home>,
    open: Open,
    /// The parser after which the payloads still lie as they were read: what can't be decoded then was its to refuse.
    parsed: Option<usize>,
}

/// The run that the next step may join.
enum Open {
    Nothing,
    /// With the module of its last step.
    Native(NativeSpec, String),
    /// With the type that the first step takes; if it is a parser, the type that it gives.
    Foreign(ForeignSpec, Type),
}

impl Lowering<'_> {
    fn chain(&mut self, steps: &[Step], start: &Lying) -> Result<Vec<Stage>, Diagnostic> {
        let Lying { form, home } = start.clone();
        let mut chain = Chain { stages: Vec::new(), form, home, open: Open::Nothing, parsed: None };
        for (index, step) in steps.iter().enumerate() {
            let rest = steps.get(index + 1..).unwrap_or_default();
            self.step(&mut chain, step, rest)?;
        }
        Ok(chain.stages)
    }

    fn step(&mut self, chain: &mut Chain, step: &Step, rest: &[Step]) -> Result<(), Diagnostic> {
        let number = self.steps.len();
        self.steps.push(StepInfo::of(step));
        if self.bindings.retried.contains(&step.name) {
            chain.close(Form::Objects);
        }
        match &step.operation {
            Operation::Map(function) | Operation::FlatMap(function) | Operation::Filter(function) => {
                match function.language {
                    Language::Rust => self.rust_step(chain, number, step, rest)?,
                    Language::Python => chain.foreign(number, step, foreign_step(&step.operation), &function.input),
                }
            }
            Operation::Parser(parser) => self.parser(chain, number, step, parser, rest)?,
            Operation::Serializer(serializer) => chain.serializer(number, step, serializer.codec)?,
            Operation::Batch(limits) => {
                match limits.bytes {
                    // Of bytes the size is known.
                    Some(_) => chain.close_as(Form::Raw, number),
                    None => chain.close(Form::Objects),
                }
                chain.home = None;
                chain.stages.push(Stage::Gather { step: number, limits: *limits });
            }
            Operation::Route(route) => {
                chain.close(Form::Objects);
                let keys = route.branches.iter().filter_map(|branch| branch.key.clone()).collect();
                let router = self.router(chain, number, step, route.function.language, keys)?;
                let branches = self.branches(&route.branches, &chain.lying())?;
                chain.stages.push(Stage::Route { step: number, router, branches });
            }
            Operation::Broadcast(branches) => {
                chain.close(Form::Objects);
                let branches = self.branches(branches, &chain.lying())?;
                chain.stages.push(Stage::Broadcast { step: number, branches });
            }
            Operation::Sink(stream) => {
                chain.close_as(Form::Raw, number);
                chain.stages.push(Stage::Sink { step: number, stream: stream.clone() });
            }
        }
        Ok(())
    }

    fn branches(&mut self, branches: &[crate::plan::Branch], start: &Lying) -> Result<Vec<Vec<Stage>>, Diagnostic> {
        branches.iter().map(|branch| self.chain(&branch.steps, start)).collect()
    }

    fn rust_step(&self, chain: &mut Chain, number: usize, step: &Step, rest: &[Step]) -> Result<(), Diagnostic> {
        let function = self.function(step)?;
        fits(step, &function)?;
        let select = matches!(step.operation, Operation::Filter(_));
        let call = NativeCall { step: number, function: function.clone(), select };
        if let Some(parser) = self.looked_at(chain, &function) {
            if select && parser.alone && self.goes_on_as_read(rest, &parser) {
                let parser_takes = parser.loose.then(|| parser.gives.clone());
                let ask = NativeSpec {
                    parser: Some(parser.step),
                    parser_takes,
                    ..asked(NativeCall { select: false, ..call })
                };
                (chain.open, chain.form) = (Open::Nothing, Form::Json);
                chain.parsed = Some(parser.step).filter(|_| !parser.loose);
                chain.stages.push(Stage::NativeFilter { ask, encode: None });
                return Ok(());
            }
            if let (Open::Foreign(spec, _), false) = (&mut chain.open, select || parser.alone) {
                spec.selects = true;
                // What a loose parser took, and the function does not, is the function's to refuse.
                chain.parsed = Some(parser.step).filter(|_| !parser.loose);
            }
        }
        if select && !self.selects_in_place(chain, &function, rest) {
            let (ask, encode) = question(chain, call);
            chain.stages.push(Stage::NativeFilter { ask, encode });
            return Ok(());
        }
        self.hand_over(chain, function.input());
        chain.native(call, step);
        Ok(())
    }

    /// Lets the module of the run that comes next read what the open run gives. What is read so can't be put together again, which
    /// a run whose first step may be called again needs.
    fn hand_over(&self, chain: &mut Chain, taken_as: PayloadType) {
        if let Open::Foreign(spec, _) = &mut chain.open {
            let again = spec.operations.first().is_some_and(|first| self.bindings.retried.contains(&first.name));
            spec.taken_as = Some(taken_as).filter(|_| !again);
        }
    }

    fn parser(
        &self,
        chain: &mut Chain,
        number: usize,
        step: &Step,
        parser: &Parser,
        rest: &[Step],
    ) -> Result<(), Diagnostic> {
        let parsed = &parser.shape;
        let native = self.bindings.types.get(&step.name).copied();
        let input = match parsed {
            Type::Record(record) if record.kind == RecordKind::Rust => {
                Some(native.ok_or_else(|| unbound(step, "type"))?)
            }
            _ if native.is_none() => {
                let loose = parser.codec == Codec::Json && is_loose(parsed) && !self.is_retried_next(rest);
                let fits = |taken: &PayloadType| !taken.is_bytes() && (loose || says_exactly(parsed, *taken));
                let taken = self.native_consumer(rest).filter(fits);
                taken.filter(|taken| parser.codec != Codec::MsgPack || taken.has(abi::Codec::MsgPack))
            }
            _ => native,
        };
        match input {
            Some(payload) => {
                let module = if let Type::Record(record) = parsed { module_of(&record.module) } else { String::new() };
                let home = Home { payload, module };
                let from = home.codec(parser.codec, step)?;
                chain.close_as(Form::Raw, number);
                let parser_takes = (native.is_none() && is_loose(parsed)).then(|| parsed.clone());
                chain.open = Open::Native(
                    NativeSpec { from, parser: Some(number), parser_takes, ..NativeSpec::of(payload) },
                    home.module,
                );
            }
            None => chain.foreign(number, step, ForeignStep::Parse(parser.codec), parsed),
        }
        Ok(())
    }

    fn router(
        &self,
        chain: &Chain,
        number: usize,
        step: &Step,
        language: Language,
        keys: Vec<Value>,
    ) -> Result<RouterSpec, Diagnostic> {
        Ok(match language {
            Language::Python => RouterSpec::Foreign { name: step.name.clone(), input: chain.form, keys },
            Language::Rust => {
                let function = self.function(step)?;
                fits(step, &function)?;
                let call = NativeCall { step: number, function, select: false };
                RouterSpec::Native { ask: asked(call), encode: encoder(chain.form, number), keys }
            }
        })
    }

    fn function(&self, step: &Step) -> Result<Function, Diagnostic> {
        let function = self.bindings.functions.get(&step.name).cloned().ok_or_else(|| unbound(step, "function"))?;
        let planned = step.function().and_then(|function| function.hashes);
        let built = Hashes { input: function.input().hash(), output: function.output().hash() };
        if planned.is_some_and(|planned| planned != built) {
            return Err(outdated(step, &function));
        }
        Ok(function)
    }
}

impl Chain {
    fn lying(&self) -> Lying {
        Lying { form: self.form, home: self.home.clone() }
    }

    /// Ends the open run; objects stay objects unless they are bytes already, native rows become JSON.
    fn close(&mut self, objects: Form) {
        match std::mem::replace(&mut self.open, Open::Nothing) {
            Open::Nothing => {}
            Open::Native(spec, module) => {
                let raw = spec.serializer.is_some() || spec.output().is_bytes();
                (self.form, self.parsed) = (if raw { Form::Raw } else { Form::Json }, None);
                self.home = (!raw).then(|| Home { payload: spec.output(), module });
                self.stages.push(Stage::Native(spec));
            }
            Open::Foreign(mut spec, _) => {
                let last = spec.operations.last().map(|last| last.does);
                let serialised = matches!(last, Some(ForeignStep::Serialise(_)));
                spec.selects |= only_looks(&spec);
                spec.output = match (spec.selects, serialised) {
                    (true, _) => Form::Json,
                    (false, true) => Form::Raw,
                    (false, false) => objects,
                };
                self.form = spec.output;
                self.parsed = self.parsed.filter(|_| spec.selects);
                self.home = self.home.take().filter(|_| spec.selects);
                self.stages.push(Stage::Foreign(spec));
            }
        }
    }

    /// Ends the open run so that the payloads are bytes of the given form.
    fn close_as(&mut self, form: Form, step: usize) {
        self.close(form);
        if self.form == Form::Objects {
            self.stages.push(Stage::Foreign(conversion(form, step)));
            self.form = form;
        }
    }

    fn native(&mut self, call: NativeCall, step: &Step) {
        let input = call.function.input();
        let home = step.function().map_or_else(String::new, |function| module_of(&function.name));
        match &mut self.open {
            Open::Native(spec, module) if spec.output().is_same(&input) => {
                spec.calls.push(call);
                *module = home;
            }
            _ => {
                self.close_as(if input.is_bytes() { Form::Raw } else { Form::Json }, call.step);
                self.open = Open::Native(NativeSpec { parsed: self.parsed, ..asked(call) }, home);
            }
        }
    }

    fn foreign(&mut self, number: usize, step: &Step, does: ForeignStep, takes: &Type) {
        let operation = ForeignOperation { step: number, name: step.name.clone(), does };
        match &mut self.open {
            // Filters see JSON as the type that they name, which may know less than what passes them.
            Open::Foreign(spec, seen) if !only_looks(spec) || seen == takes => {
                spec.last_step = number;
                spec.operations.push(operation);
            }
            _ => {
                self.close(Form::Objects);
                let (operations, input) = (vec![operation], self.form);
                let first_step = self.parsed.unwrap_or(number);
                let spec = ForeignSpec { operations, input, first_step, ..conversion(Form::Objects, number) };
                self.open = Open::Foreign(spec, takes.clone());
            }
        }
    }

    fn serializer(&mut self, number: usize, step: &Step, codec: Codec) -> Result<(), Diagnostic> {
        if let Open::Native(spec, module) = &mut self.open {
            let home = Home { payload: spec.output(), module: module.clone() };
            (spec.serializer, spec.to) = (Some(number), Some(home.codec(codec, step)?));
            self.close(Form::Raw);
            return Ok(());
        }
        if matches!(&self.open, Open::Foreign(spec, _) if only_looks(spec)) {
            self.close(Form::Json);
        }
        let is_json = matches!(self.open, Open::Nothing) && self.form == Form::Json;
        match (codec, self.home.take().filter(|_| is_json)) {
            (Codec::Json, _) if is_json => self.stages.push(Stage::Serialise(number)),
            (Codec::MsgPack | Codec::Protobuf, Some(home)) => {
                let to = Some(home.codec(codec, step)?);
                self.stages.push(Stage::Native(NativeSpec {
                    serializer: Some(number),
                    to,
                    ..NativeSpec::of(home.payload)
                }));
            }
            (Codec::Protobuf, None) => return Err(no_message(step)),
            _ => {
                self.foreign(number, step, ForeignStep::Serialise(codec), &Type::Any);
                return Ok(());
            }
        }
        self.form = Form::Raw;
        Ok(())
    }
}

/// Ends the open run and gives what a Rust function needs to be asked about the payloads without touching them.
fn question(chain: &mut Chain, call: NativeCall) -> (NativeSpec, Option<ForeignSpec>) {
    chain.close(Form::Objects);
    let ask = NativeSpec { parsed: chain.parsed, ..asked(NativeCall { select: false, ..call }) };
    (ask, encoder(chain.form, call.step))
}

fn asked(call: NativeCall) -> NativeSpec {
    let input = call.function.input();
    NativeSpec { calls: vec![call], ..NativeSpec::of(input) }
}

fn encoder(form: Form, step: usize) -> Option<ForeignSpec> {
    (form == Form::Objects).then(|| conversion(Form::Json, step))
}

fn conversion(output: Form, step: usize) -> ForeignSpec {
    ForeignSpec {
        operations: Vec::new(),
        input: Form::Objects,
        output,
        taken_as: None,
        selects: false,
        first_step: step,
        last_step: step,
    }
}

/// Whether a run only looks at JSON and lets it pass or not.
fn only_looks(spec: &ForeignSpec) -> bool {
    let filters = spec.operations.iter().all(|operation| operation.does == ForeignStep::Filter);
    spec.input == Form::Json && filters && !spec.operations.is_empty()
}

fn foreign_step(operation: &Operation) -> ForeignStep {
    match operation {
        Operation::FlatMap(_) => ForeignStep::FlatMap,
        Operation::Filter(_) => ForeignStep::Filter,
        _ => ForeignStep::Map,
    }
}

/// Refuses a function whose number of outputs is not the step's.
pub(crate) fn fits(step: &Step, function: &Function) -> Result<(), Diagnostic> {
    let kind = function.kind();
    let (wants, good) = match step.operation {
        Operation::Map(_) => ("one value, or none", matches!(kind, Some(Kind::Map | Kind::FilterMap))),
        Operation::FlatMap(_) => ("a list of values", matches!(kind, Some(Kind::FlatMap | Kind::FilterMap))),
        Operation::Filter(_) => ("true or false", kind == Some(Kind::Filter)),
        _ => ("one key", matches!(kind, Some(Kind::Map | Kind::Filter))),
    };
    if good {
        return Ok(());
    }
    let gives = match kind {
        Some(Kind::Map) => "one value",
        Some(Kind::Filter) => "true or false",
        Some(Kind::FilterMap) => "one value or none",
        Some(Kind::FlatMap) => "a list of values",
        None => "something that this version of oxflow does not know",
    };
    Err(Diagnostic::new(Code::WrongKind, format!("step `{}` cannot call `{}`", step.name, function.name()))
        .at(step.place.clone())
        .because(format!("the step takes a function that gives {wants}; this one gives {gives}"))
        .fix("use the step that fits: Map for `T` and `Option<T>`, FlatMap for `Vec<T>`, Filter for `bool`"))
}

fn outdated(step: &Step, function: &Function) -> Diagnostic {
    let message = format!("the plan has other types for `{}` of step `{}` than its module", function.name(), step.name);
    Diagnostic::new(Code::OutdatedPlan, message)
        .at(step.place.clone())
        .because("the module was built anew with other fields since the plan was made")
        .fix("make the plan again from the pipeline")
}

fn unbound(step: &Step, what: &str) -> Diagnostic {
    Diagnostic::new(Code::Internal, format!("the {what} of step `{}` was not handed to the engine", step.name))
        .at(step.place.clone())
}
