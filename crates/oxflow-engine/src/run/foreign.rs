//! Steps in another language, which the engine knows only by these traits.

use super::{Router, Run};
use crate::extension::PayloadType;
use crate::plan::Codec;

/// How a payload lies at an edge of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Bytes that are the payload itself.
    Raw,
    /// A value, as JSON.
    Json,
    /// Objects of the other language.
    Objects,
}

/// A run of steps in the other language.
#[derive(Clone, Debug)]
pub struct ForeignSpec {
    /// The steps in order; none for a run that only converts.
    pub operations: Vec<ForeignOperation>,
    /// How the payloads arrive. JSON is decoded for the first step.
    pub input: Form,
    /// How the payloads are wanted.
    pub output: Form,
    /// The type of the native run that takes the payloads next. They may be given to its module as they are, in place of JSON.
    pub taken_as: Option<PayloadType>,
    /// The steps are filters, and the messages that they keep go on as they came: what the filters saw is thrown away.
    pub selects: bool,
    /// Number of the step that a failed conversion at the start belongs to.
    pub first_step: usize,
    /// Number of the step that a failed conversion at the end belongs to.
    pub last_step: usize,
}

/// One step of a run.
#[derive(Clone, Debug)]
pub struct ForeignOperation {
    /// Number of the step in the report.
    pub step: usize,
    /// Its name, under which the other language finds the function.
    pub name: String,
    /// What it does.
    pub does: ForeignStep,
}

/// What a step in the other language does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignStep {
    /// One output for each message.
    Map,
    /// Any number of outputs.
    FlatMap,
    /// Keeps the messages for which the function says true.
    Filter,
    /// Bytes of this codec to an object.
    Parse(Codec),
    /// An object to bytes of this codec.
    Serialise(Codec),
}

/// The other language's runtime.
pub trait Foreign: Send + Sync {
    /// Calls `body`, the whole life of lane number `lane`, with what the runtime keeps for each of its threads.
    fn around(&self, lane: usize, body: &mut (dyn FnMut() + Send));
    /// The calls that a lane is in, the innermost first, also while the runtime is held by somebody; none where it has none.
    fn stack(&self, lane: usize) -> Option<String>;
    /// A run of its own for one lane.
    fn run(&self, spec: &ForeignSpec) -> Box<dyn Run>;
    /// Whether a step that takes JSON as well takes the objects that are in it.
    fn takes_objects(&self, name: &str) -> bool;
    /// Chooses branches by a function of the step `name`; `keys` lead to the branches in their order.
    fn router(&self, step: usize, name: &str, input: Form, keys: &[serde_json::Value]) -> Box<dyn Router>;
}
