//! A definition against what a binary has: names become functions and types, and all that is wrong is told at once.

use serde_json::{Map, Value};

use super::{Call, Definition, Placed, Step};
use crate::config::failure::place_in;
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::extension::{Function, Module, NotMade, PayloadType};
use crate::lower::{self, Bindings};
use crate::plan::{self, Operation, Plan};
use oxflow::shape::Type;

/// The functions and types that a binary has.
#[derive(Clone, Copy, Debug)]
pub struct Catalog<'c> {
    /// What is registered.
    pub module: Module,
    /// What users call it: the name of the crate.
    pub name: &'c str,
}

/// A plan, and what its names stand for.
#[derive(Clone)]
pub struct Resolved {
    /// The plan.
    pub plan: Plan,
    /// Its functions and types.
    pub bindings: Bindings,
}

impl Definition {
    /// Makes the plan; `text` and `file` are those that it was loaded from.
    pub fn resolve(&self, text: &str, file: &str, catalog: Catalog<'_>) -> Result<Resolved, Vec<Diagnostic>> {
        let mut resolving = Resolving {
            text,
            file,
            catalog,
            home: self.module.as_deref().unwrap_or(catalog.name),
            bindings: Bindings::default(),
            found: Vec::new(),
        };
        let mut streams = self.source.value.streams();
        let source = plan::Source {
            name: self.source.value.name.clone(),
            stream: streams.next().unwrap_or_default().to_owned(),
            more: streams.map(str::to_owned).collect(),
            place: Some(resolving.place(&self.source)),
        };
        let steps = resolving.steps(&self.steps);
        if !resolving.found.is_empty() {
            return Err(resolving.found);
        }
        Ok(Resolved { plan: Plan { version: plan::VERSION, source, steps }, bindings: resolving.bindings })
    }
}

struct Resolving<'d> {
    text: &'d str,
    file: &'d str,
    catalog: Catalog<'d>,
    /// The module of names without one.
    home: &'d str,
    bindings: Bindings,
    found: Vec<Diagnostic>,
}

/// A function that a step calls, as its definition says it.
struct Named<'d> {
    step: &'d str,
    function: Option<&'d str>,
    with: Option<&'d Map<String, Value>>,
}

impl<'d> Named<'d> {
    fn of(call: &'d Call) -> Self {
        Self { step: &call.name, function: call.function.as_deref(), with: call.with.as_ref() }
    }
}

impl Resolving<'_> {
    fn steps(&mut self, steps: &[Placed<Step>]) -> Vec<plan::Step> {
        steps.iter().filter_map(|step| self.step(step)).collect()
    }

    /// None of a step that has something wrong, which is noted.
    fn step(&mut self, step: &Placed<Step>) -> Option<plan::Step> {
        let place = self.place(step);
        let (name, operation) = match self.operation(&step.value) {
            Ok(made) => made,
            Err(wrong) => {
                self.found.push(wrong.at(Some(place)));
                return None;
            }
        };
        let made = plan::Step { name, place: Some(place), operation };
        let fits = self.bindings.functions.get(&made.name).map_or(Ok(()), |function| lower::fits(&made, function));
        match fits {
            Ok(()) => Some(made),
            Err(wrong) => {
                self.found.push(wrong);
                None
            }
        }
    }

    fn operation(&mut self, step: &Step) -> Result<(String, Operation), Diagnostic> {
        Ok(match step {
            Step::Map(call) => (call.name.clone(), Operation::Map(self.function(&Named::of(call))?)),
            Step::FlatMap(call) => (call.name.clone(), Operation::FlatMap(self.function(&Named::of(call))?)),
            Step::Filter(call) => (call.name.clone(), Operation::Filter(self.function(&Named::of(call))?)),
            Step::Batch(batch) => {
                let number = |limit: Option<super::Limit>| limit.map(|limit| u64::from(limit.get()));
                let limits = plan::Limits {
                    messages: number(batch.messages),
                    bytes: number(batch.bytes),
                    time_ms: number(batch.time_ms),
                };
                (batch.name.clone(), Operation::Batch(limits))
            }
            Step::Parser(parser) => {
                let shape = self.payload(&parser.name, parser.rust.as_deref())?;
                (parser.name.clone(), Operation::Parser(plan::Parser { shape, codec: parser.codec }))
            }
            Step::Serializer(serializer) => {
                let codec = plan::Serializer { codec: serializer.codec };
                (serializer.name.clone(), Operation::Serializer(codec))
            }
            Step::Route(route) => {
                let named = Named { step: &route.name, function: route.function.as_deref(), with: route.with.as_ref() };
                let function = self.function(&named);
                // What is wrong in the branches is told even where the function is wrong.
                let branches = route.branches.iter().map(|way| {
                    let Placed { value, .. } = way;
                    self.branch(way, &value.name, Some(value.key.clone()), &value.steps)
                });
                let branches = branches.collect();
                (route.name.clone(), Operation::Route(plan::Route { function: function?, branches }))
            }
            Step::Broadcast(all) => {
                let branches = all
                    .branches
                    .iter()
                    .map(|branch| self.branch(branch, &branch.value.name, None, &branch.value.steps));
                (all.name.clone(), Operation::Broadcast(branches.collect()))
            }
            Step::Sink(sink) => (sink.name.clone(), Operation::Sink(sink.stream.clone())),
        })
    }

    fn branch<T>(&mut self, at: &Placed<T>, name: &str, key: Option<Value>, steps: &[Placed<Step>]) -> plan::Branch {
        let place = Some(self.place(at));
        plan::Branch { name: name.to_owned(), key, place, steps: self.steps(steps) }
    }

    fn function(&mut self, named: &Named<'_>) -> Result<plan::Function, Diagnostic> {
        let reference = named.function.ok_or_else(|| no_python(named.step))?;
        let functions = self.catalog.module.functions();
        let name = self.name_in_module(named.step, reference, functions.iter().map(Function::name))?;
        let found = functions.into_iter().find(|function| function.name() == name);
        let function = found.ok_or_else(|| unknown(named.step, reference, self.catalog.name, name, None))?;
        let function = made(named, function)?;
        let described = described(&format!("{}:{name}", self.catalog.name), &function);
        self.bindings.functions.insert(named.step.to_owned(), function);
        Ok(described)
    }

    fn payload(&mut self, step: &str, reference: Option<&str>) -> Result<Type, Diagnostic> {
        let reference = reference.ok_or_else(|| no_python(step))?;
        let types: Vec<PayloadType> = self.catalog.module.types().into_iter().filter(PayloadType::is_public).collect();
        let name = self.name_in_module(step, reference, types.iter().map(PayloadType::name))?;
        let found = types.into_iter().find(|payload| payload.name() == name);
        let payload = found.ok_or_else(|| unknown(step, reference, self.catalog.name, name, None))?;
        self.bindings.types.insert(step.to_owned(), payload);
        Ok(payload.shape_in(self.catalog.name))
    }

    /// The name in a reference, which is one of the crate's.
    fn name_in_module<'r>(
        &self,
        step: &str,
        reference: &'r str,
        known: impl Iterator<Item = &'static str> + Clone,
    ) -> Result<&'r str, Diagnostic> {
        let (module, name) = reference.split_once(':').unwrap_or((self.home, reference));
        let reference = format!("{module}:{name}");
        if module != self.catalog.name {
            let message = format!("step `{step}`: `{reference}` cannot be imported: there is no module `{module}`");
            let fix = did_you_mean(module, [self.catalog.name]).map_or_else(
                || format!("name a function of `{}`", self.catalog.name),
                |near| format!("did you mean `{near}`?"),
            );
            let why = format!("this binary has what is registered in `{}`", self.catalog.name);
            return Err(Diagnostic::new(Code::BadReference, message).because(why).fix(fix));
        }
        if known.clone().any(|candidate| candidate == name) {
            return Ok(name);
        }
        Err(unknown(step, &reference, module, name, did_you_mean(name, known)))
    }

    fn place<T>(&self, at: &Placed<T>) -> plan::Place {
        place_in(self.file, self.text, at.line, Some(at.column))
    }
}

/// The function, made of its arguments if it is made of any.
fn made(named: &Named<'_>, function: Function) -> Result<Function, Diagnostic> {
    let arguments = match (named.with, function.is_ready()) {
        (None, true) => return Ok(function),
        (given, _) => Value::Object(given.cloned().unwrap_or_default()),
    };
    function.made_of(arguments.to_string().as_bytes()).map_err(|error| {
        let fix = match error {
            NotMade::TakesNone => "remove `with`",
            _ => "give it under `with` the arguments that its `new` takes",
        };
        cannot_be_made(named.step, &function, &error).fix(fix)
    })
}

pub(crate) fn cannot_be_made(step: &str, function: &Function, error: &NotMade) -> Diagnostic {
    let message = format!("step `{step}`: `{}` can't be made", function.name());
    Diagnostic::new(Code::NotMade, message).because(error.to_string())
}

/// A Rust function as a plan has it.
pub(crate) fn described(name: &str, function: &Function) -> plan::Function {
    plan::Function {
        language: plan::Language::Rust,
        name: name.to_owned(),
        input: function.input().shape(),
        output: function.output().shape(),
        hashes: Some(plan::Hashes { input: function.input().hash(), output: function.output().hash() }),
        wishes: function.wishes().map(plan::Wish::from).collect(),
    }
}

fn unknown(step: &str, reference: &str, module: &str, name: &str, near: Option<&str>) -> Diagnostic {
    let message = format!("step `{step}`: `{reference}` cannot be imported: `{module}` has no `{name}`");
    let wrong = Diagnostic::new(Code::BadReference, message);
    match near {
        Some(near) => wrong.fix(format!("did you mean `{near}`?")),
        None => wrong,
    }
}

fn no_python(step: &str) -> Diagnostic {
    Diagnostic::new(Code::NoPython, format!("step `{step}` is in Python"))
        .because("this binary has no Python in it")
        .fix("write it in Rust and name it by `function` or `type`, or run the file with `oxflow run`")
}
