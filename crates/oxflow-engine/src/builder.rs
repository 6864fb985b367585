//! Pipelines that are built in Rust, with types that the compiler checks.
//!
//! ```
//! use oxflow_engine::{Message, Pipeline};
//!
//! let pipeline = Pipeline::source("numbers", "in")
//!     .parse::<u64>()
//!     .filter(|message: &Message<u64>| *message.payload() > 3)
//!     .map(|message: Message<u64>| message.payload() * 2)
//!     .serialize()
//!     .sink("out", "doubled");
//! assert_eq!(5, pipeline.resolve().unwrap().plan.steps.len());
//! ```
//!
//! A step is a closure or a function of a message. What one gives the next takes as it is, so a type between two steps needs no
//! trait of oxflow's at all; what is parsed and serialized is a [`Payload`]. A step is named after its function, or by what it
//! does; `named` gives it another name.

use std::any::type_name;
use std::fmt::Display;
use std::marker::PhantomData;

use oxflow::closure::{Own, Tables};
use oxflow::{Message, Payload};

use crate::definition::{Resolved, described};
use crate::diagnostic::Diagnostic;
use crate::extension::{Function, Module};
use crate::lower::Bindings;
use crate::plan::{self, Codec, Operation, Plan};

/// A pipeline that ends in a sink.
#[derive(Debug)]
pub struct Pipeline(Draft);

/// A pipeline on its way, in which messages carry bytes.
#[derive(Debug)]
pub struct Raw(Draft);

/// A pipeline on its way, in which messages carry a `T`.
#[derive(Debug)]
pub struct Chain<T> {
    draft: Draft,
    payload: PhantomData<fn() -> T>,
}

#[derive(Debug)]
struct Draft {
    source: plan::Source,
    steps: Vec<(String, Does)>,
    tables: Tables,
}

/// What a step does. Functions stand in the tables in the order of their steps; here is what they are called.
#[derive(Debug)]
enum Does {
    Parse { number: usize, module: &'static str, codec: Codec },
    Serialize(Codec),
    Map(String),
    FlatMap(String),
    Filter(String),
    Sink(String),
}

impl Pipeline {
    /// Begins a pipeline: `name` is that of the source, `stream` the logical name of what it reads.
    #[must_use]
    pub fn source(name: &str, stream: &str) -> Raw {
        let source = plan::Source { name: name.to_owned(), stream: stream.to_owned(), place: None };
        Raw(Draft { source, steps: Vec::new(), tables: Tables::default() })
    }

    /// The plan, and the functions that are in it. That names can be names is checked when it runs, as in every pipeline.
    pub fn resolve(self) -> Result<Resolved, Vec<Diagnostic>> {
        let Draft { source, steps, tables } = self.0;
        let (module, functions) = Module::of_closures(tables).map_err(|error| vec![error.diagnostic(None)])?;
        let mut resolving = Resolving { module, functions: functions.into_iter(), bindings: Bindings::default() };
        let steps = steps.into_iter().filter_map(|(name, does)| resolving.step(name, &does)).collect();
        Ok(Resolved { plan: Plan { version: plan::VERSION, source, steps }, bindings: resolving.bindings })
    }
}

struct Resolving {
    module: Module,
    functions: std::vec::IntoIter<Function>,
    bindings: Bindings,
}

impl Resolving {
    /// Some, since the tables have what the steps were given.
    fn step(&mut self, name: String, does: &Does) -> Option<plan::Step> {
        let operation = match does {
            Does::Map(reference) => Operation::Map(self.function(&name, reference)?),
            Does::FlatMap(reference) => Operation::FlatMap(self.function(&name, reference)?),
            Does::Filter(reference) => Operation::Filter(self.function(&name, reference)?),
            Does::Parse { number, module, codec } => {
                let payload = self.module.types().get(*number).copied()?;
                self.bindings.types.insert(name.clone(), payload);
                Operation::Parser(plan::Parser { shape: payload.shape_in(module), codec: *codec })
            }
            Does::Serialize(codec) => Operation::Serializer(plan::Serializer { codec: *codec }),
            Does::Sink(stream) => Operation::Sink(stream.clone()),
        };
        Some(plan::Step { name, place: None, operation })
    }

    fn function(&mut self, step: &str, reference: &str) -> Option<plan::Function> {
        let function = self.functions.next()?;
        let described = described(reference, &function);
        self.bindings.functions.insert(step.to_owned(), function);
        Some(described)
    }
}

impl Raw {
    /// Reads JSON into a `T`.
    #[must_use]
    pub fn parse<T>(self) -> Chain<T>
    where
        T: Own,
        for<'a> T: Payload<Borrowed<'a> = T>,
    {
        self.parse_as(Codec::Json)
    }

    /// Reads bytes of a codec into a `T`.
    #[must_use]
    pub fn parse_as<T>(mut self, codec: Codec) -> Chain<T>
    where
        T: Own,
        for<'a> T: Payload<Borrowed<'a> = T>,
    {
        let number = self.0.tables.payload::<T>();
        let does = Does::Parse { number, module: segments(type_name::<T>()).0, codec };
        Chain { draft: self.0.then("parse", does), payload: PhantomData }
    }

    /// Writes to the stream of this logical name, and ends the pipeline.
    #[must_use]
    pub fn sink(self, name: &str, stream: &str) -> Pipeline {
        Pipeline(self.0.then(name, Does::Sink(stream.to_owned())))
    }

    /// Gives the last step another name.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        Self(self.0.named(name))
    }
}

impl<T: Own> Chain<T> {
    /// Gives one payload for each message, with its key, headers and time.
    #[must_use]
    pub fn map<U: Own, C: Fn(Message<T>) -> U + Send + Sync + 'static>(mut self, call: C) -> Chain<U> {
        self.draft.tables.map("map", call);
        self.then::<U, C>("map", Does::Map)
    }

    /// Gives one payload for each message, or an error that fails this message and no other.
    #[must_use]
    pub fn try_map<U: Own, E: Display + 'static, C>(mut self, call: C) -> Chain<U>
    where
        C: Fn(Message<T>) -> Result<U, E> + Send + Sync + 'static,
    {
        self.draft.tables.try_map("try_map", call);
        self.then::<U, C>("map", Does::Map)
    }

    /// Gives one payload for a message, or none.
    #[must_use]
    pub fn filter_map<U: Own, C>(mut self, call: C) -> Chain<U>
    where
        C: Fn(Message<T>) -> Option<U> + Send + Sync + 'static,
    {
        self.draft.tables.filter_map("filter_map", call);
        self.then::<U, C>("map", Does::Map)
    }

    /// Gives any number of payloads for each message.
    #[must_use]
    pub fn flat_map<U: Own, I: IntoIterator<Item = U> + 'static, C>(mut self, call: C) -> Chain<U>
    where
        C: Fn(Message<T>) -> I + Send + Sync + 'static,
    {
        self.draft.tables.flat_map("flat_map", call);
        self.then::<U, C>("flat_map", Does::FlatMap)
    }

    /// Keeps the messages for which the function says true.
    #[must_use]
    pub fn filter<C: Fn(&Message<T>) -> bool + Send + Sync + 'static>(mut self, call: C) -> Self {
        self.draft.tables.filter("filter", call);
        self.then::<T, C>("filter", Does::Filter)
    }

    /// Gives the last step another name.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        Self { draft: self.draft.named(name), ..self }
    }

    fn then<U, C>(self, word: &str, does: impl FnOnce(String) -> Does) -> Chain<U> {
        let (module, function) = segments(type_name::<C>());
        let name =
            if function.chars().all(|letter| letter.is_alphanumeric() || letter == '_') { function } else { word };
        Chain { draft: self.draft.then(name, does(format!("{module}:{function}"))), payload: PhantomData }
    }
}

impl<T: Own + Payload> Chain<T>
where
    for<'a> T: Payload<Borrowed<'a> = T>,
{
    /// Writes the payload as JSON.
    #[must_use]
    pub fn serialize(self) -> Raw {
        self.serialize_as(Codec::Json)
    }

    /// Writes the payload in a codec.
    #[must_use]
    pub fn serialize_as(mut self, codec: Codec) -> Raw {
        self.draft.tables.payload::<T>();
        Raw(self.draft.then("serialize", Does::Serialize(codec)))
    }
}

impl Draft {
    fn then(mut self, name: &str, does: Does) -> Self {
        let name = self.unused(name);
        self.steps.push((name, does));
        self
    }

    fn named(mut self, name: &str) -> Self {
        if let Some(last) = self.steps.last_mut() {
            name.clone_into(&mut last.0);
        }
        self
    }

    /// The name, with a number if another step has it.
    fn unused(&self, name: &str) -> String {
        let taken = |name: &String| self.source.name == *name || self.steps.iter().any(|(other, _)| other == name);
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_default()
    }
}

/// The crate, and the last part of a path.
fn segments(path: &'static str) -> (&'static str, &'static str) {
    let bare = path.split('<').next().unwrap_or_default();
    let module = bare.split("::").next().unwrap_or_default();
    (module, bare.rsplit("::").next().unwrap_or_default())
}

#[cfg(test)]
mod tests;
