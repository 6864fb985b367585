//! Steps in a row, while they are put together.

use std::any::{TypeId, type_name};

use oxflow::closure::Tables;
use oxflow::function::Described;
use oxflow::step::{Make, Step};
use oxflow::{Payload, abi};
use serde_json::Value;

use super::Branch;
use crate::plan::{Codec, Limits};

/// Where a row of steps begins: at a source or in a branch.
pub trait Origin: Sealed<Ended = Self::End> {
    /// What the row is, with its end.
    type End;
}

/// What an origin does; nobody else has one.
pub trait Sealed {
    type Ended;

    fn end(self, row: Row) -> Self::Ended;

    fn rename(&mut self, name: &str);
}

/// Steps, and the tables of their functions, which stand there in the order of the steps.
#[derive(Debug, Default)]
pub struct Row {
    pub(super) steps: Vec<Drafted>,
    pub(super) tables: Tables,
}

/// A step.
#[derive(Debug)]
pub(super) struct Drafted {
    pub(super) name: Name,
    pub(super) does: Does,
}

/// What a step is called.
#[derive(Debug)]
pub(super) enum Name {
    /// As the user says.
    Given(String),
    /// After its function or what it does; with a number, if another step has that name.
    Own(String),
}

/// What a step does, with what its function is called.
#[derive(Debug)]
pub(super) enum Does {
    Parse { payload: TypeId, module: &'static str, codec: Codec },
    Serialize(Codec),
    Map(String),
    FlatMap(String),
    Filter(String),
    Batch(Limits),
    Route(String, Vec<Way>),
    Broadcast(Vec<Way>),
    Sink(String),
}

/// A branch.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) name: String,
    pub(super) key: Option<Value>,
    pub(super) steps: Vec<Drafted>,
}

impl Row {
    /// A step that is named by a word.
    pub(super) fn push(&mut self, word: &str, does: Does) {
        self.steps.push(Drafted { name: Name::Own(word.to_owned()), does });
    }

    /// A step whose name the user gives.
    pub(super) fn push_named(&mut self, name: &str, does: Does) {
        self.steps.push(Drafted { name: Name::Given(name.to_owned()), does });
    }

    /// A step that calls a closure or function `C`, and is named after it or by a word.
    pub(super) fn push_closure<C>(&mut self, word: &str, does: impl FnOnce(String) -> Does) {
        let reference = closure::<C>();
        let function = reference.rsplit(':').next().unwrap_or_default();
        let is_name = function.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
        let name = if is_name { function } else { word }.to_owned();
        self.steps.push(Drafted { name: Name::Own(name), does: does(reference) });
    }

    /// A step that calls a registered function.
    pub(super) fn push_registered<F: Described, N: Step<F>, M: Make<F, N>>(
        &mut self,
        make: M,
        does: impl FnOnce(String) -> Does,
    ) {
        self.tables.registered::<F, N, M>(make);
        self.push(F::NAME, does(registered::<F>()));
    }

    /// A step that reads bytes into a payload of the tables.
    pub(super) fn parse<T>(&mut self, payload: TypeId, codec: Codec) {
        self.push("parse", Does::Parse { payload, module: segments(type_name::<T>()).0, codec });
    }

    /// The branches of a route, each with what its key is as JSON.
    pub(super) fn ways<T, K: Payload>(&mut self, ways: impl IntoIterator<Item = (K, Branch<T>)>) -> Vec<Way> {
        ways.into_iter().map(|(key, branch)| self.way(Some(json(&key)), branch)).collect()
    }

    pub(super) fn branches<T>(&mut self, branches: impl IntoIterator<Item = Branch<T>>) -> Vec<Way> {
        branches.into_iter().map(|branch| self.way(None, branch)).collect()
    }

    fn way<T>(&mut self, key: Option<Value>, Branch { name, row, .. }: Branch<T>) -> Way {
        self.tables.append(row.tables);
        Way { name, key, steps: row.steps }
    }

    /// Gives the last step another name; false if there is none.
    pub(super) fn rename(&mut self, name: &str) -> bool {
        self.steps.last_mut().map(|last| last.name = Name::Given(name.to_owned())).is_some()
    }
}

/// What a closure or function is called in a plan.
pub(super) fn closure<C>() -> String {
    let (module, function) = segments(type_name::<C>());
    format!("{module}:{function}")
}

/// What a registered function is called in a plan.
pub(super) fn registered<F: Described>() -> String {
    format!("{}:{}", segments(type_name::<F>()).0, F::NAME)
}

/// Whether the payload makes its own bytes.
pub(super) const fn is_bytes<T: Payload>() -> bool {
    matches!(T::CODEC, abi::Codec::Bytes)
}

/// A key as JSON; null, which no key is, if it has none.
fn json<K: Payload>(key: &K) -> Value {
    let mut bytes = Vec::new();
    key.encode(&mut bytes).ok().and_then(|()| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// The crate, and the last part of a path.
fn segments(path: &'static str) -> (&'static str, &'static str) {
    let bare = path.split('<').next().unwrap_or_default();
    let module = bare.split("::").next().unwrap_or_default();
    (module, bare.rsplit("::").next().unwrap_or_default())
}
