//! What was built becomes a plan.

use std::any::TypeId;
use std::collections::HashSet;
use std::iter::Zip;
use std::vec::IntoIter;

use oxflow::closure::{Finished, Maker};

use super::Pipeline;
use super::row::{Does, Drafted, Name, Way};
use crate::definition::{Resolved, cannot_be_made, described};
use crate::diagnostic::Diagnostic;
use crate::extension::{Function, Module, PayloadType};
use crate::lower::Bindings;
use crate::plan::{self, Operation, Plan};

impl Pipeline {
    /// The plan, and the functions that are in it. That names can be names is checked when it runs, as in every pipeline.
    pub fn resolve(self) -> Result<Resolved, Vec<Diagnostic>> {
        let Self { source, row } = self;
        let mut taken = HashSet::from([source.name.clone()]);
        given(&row.steps, &mut taken);
        let Finished { module, makers, types } = row.tables.finish();
        let module = Module::of_closures(module).map_err(|error| vec![error.diagnostic(None)])?;
        let mut resolving = Resolving {
            types: types.into_iter().zip(module.types()).collect(),
            functions: module.functions().into_iter().zip(makers),
            taken,
            bindings: Bindings::default(),
            found: Vec::new(),
        };
        let steps = resolving.steps(row.steps);
        if !resolving.found.is_empty() {
            return Err(resolving.found);
        }
        Ok(Resolved { plan: Plan { version: plan::VERSION, source, steps }, bindings: resolving.bindings })
    }
}

/// The names that the user gave.
fn given(steps: &[Drafted], taken: &mut HashSet<String>) {
    for step in steps {
        if let Name::Given(name) = &step.name {
            taken.insert(name.clone());
        }
        if let Does::Route(_, ways) | Does::Broadcast(ways) = &step.does {
            for way in ways {
                taken.insert(way.name.clone());
                given(&way.steps, taken);
            }
        }
    }
}

struct Resolving {
    types: Vec<(TypeId, PayloadType)>,
    /// In the order of the steps.
    functions: Zip<IntoIter<Function>, IntoIter<Maker>>,
    taken: HashSet<String>,
    bindings: Bindings,
    found: Vec<Diagnostic>,
}

impl Resolving {
    fn steps(&mut self, steps: Vec<Drafted>) -> Vec<plan::Step> {
        steps.into_iter().filter_map(|step| self.step(step)).collect()
    }

    /// None of a step whose function can't be made, which is noted.
    fn step(&mut self, Drafted { name, does }: Drafted) -> Option<plan::Step> {
        let name = match name {
            Name::Given(name) => name,
            Name::Own(name) => self.unused(&name),
        };
        let operation = match does {
            Does::Map(reference) => Operation::Map(self.function(&name, &reference)?),
            Does::FlatMap(reference) => Operation::FlatMap(self.function(&name, &reference)?),
            Does::Filter(reference) => Operation::Filter(self.function(&name, &reference)?),
            Does::Parse { payload, module, codec } => {
                let (_, payload) = self.types.iter().find(|(id, _)| *id == payload)?;
                self.bindings.types.insert(name.clone(), *payload);
                Operation::Parser(plan::Parser { shape: payload.shape_in(module), codec })
            }
            Does::Serialize(codec) => Operation::Serializer(plan::Serializer { codec }),
            Does::Batch(limits) => Operation::Batch(limits),
            Does::Route(reference, ways) => {
                // What is wrong in the branches is told even where the function can't be made.
                let function = self.function(&name, &reference);
                let branches = self.branches(ways);
                Operation::Route(plan::Route { function: function?, branches })
            }
            Does::Broadcast(ways) => Operation::Broadcast(self.branches(ways)),
            Does::Sink(stream) => Operation::Sink(stream),
        };
        Some(plan::Step { name, place: None, operation })
    }

    fn branches(&mut self, ways: Vec<Way>) -> Vec<plan::Branch> {
        let branch = |Way { name, key, steps }| plan::Branch { name, key, place: None, steps: self.steps(steps) };
        ways.into_iter().map(branch).collect()
    }

    fn function(&mut self, step: &str, reference: &str) -> Option<plan::Function> {
        let (function, maker) = self.functions.next()?;
        match function.made_by(&maker) {
            Ok(function) => {
                let described = described(reference, &function);
                self.bindings.functions.insert(step.to_owned(), function);
                Some(described)
            }
            Err(error) => {
                let fix = "give its `new` other arguments";
                self.found.push(cannot_be_made(step, &function, &error).fix(fix));
                None
            }
        }
    }

    /// The name, with a number if another step has it.
    fn unused(&mut self, name: &str) -> String {
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        names.find(|name| self.taken.insert(name.clone())).unwrap_or_default()
    }
}
