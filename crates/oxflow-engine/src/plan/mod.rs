//! The plan: what a pipeline is, as data.
//!
//! The Python builder, YAML and the Rust builder all make this one form, and everything that can be known before the first
//! message is checked on it. A plan is a tree: one source, then steps in order; a route or a broadcast ends its row of steps
//! and opens branches, a sink ends a branch.

mod agree;
mod check;
mod codec;
mod edges;
mod names;
mod routes;
mod spell;
mod structure;

use std::time::Duration;

use oxflow::abi;
use oxflow::shape::Type;
use serde::{Deserialize, Serialize};

pub use self::agree::{Disagreement, agree};
pub use self::check::check;
pub use self::codec::Codec;
pub(crate) use self::routes::python_literal;
pub use self::spell::python_name;

/// A whole pipeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Version of this form; [`VERSION`].
    pub version: u32,
    /// Where messages come from.
    pub source: Source,
    /// What happens to them.
    pub steps: Vec<Step>,
}

/// Version of the plan's form.
pub const VERSION: u32 = 1;

/// The start of a pipeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Name of the step.
    pub name: String,
    /// Logical name of the stream that it reads.
    pub stream: String,
    /// Those of further streams, whose messages go the same way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<String>,
    /// Where the user wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

impl Source {
    /// The streams that it reads.
    pub fn streams(&self) -> impl Iterator<Item = &str> {
        [&self.stream].into_iter().chain(&self.more).map(String::as_str)
    }
}

/// A place in the user's code or configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Path of the file.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// The text of that line, without its indentation; may be empty.
    #[serde(default)]
    pub text: String,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Name, unique in the pipeline.
    pub name: String,
    /// Where the user wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What it does.
    pub operation: Operation,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Operation {
    /// One output for each message.
    Map(Function),
    /// Any number of outputs for each message.
    FlatMap(Function),
    /// Keeps the messages for which the function says true.
    Filter(Function),
    /// Gathers messages into lists.
    Batch(Limits),
    /// Bytes to a value of the type.
    Parser(Parser),
    /// A value to bytes.
    Serializer(Serializer),
    /// Sends each message down the branch whose key the function gives.
    Route(Route),
    /// Sends each message down every branch.
    Broadcast(Vec<Branch>),
    /// Ends a branch: writes to the stream of this logical name.
    Sink(String),
}

/// A parser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parser {
    /// The type that it gives.
    #[serde(rename = "type")]
    pub shape: Type,
    /// What the bytes are.
    #[serde(default, skip_serializing_if = "Codec::is_json")]
    pub codec: Codec,
}

/// A serializer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serializer {
    /// What the bytes are.
    #[serde(default, skip_serializing_if = "Codec::is_json")]
    pub codec: Codec,
}

/// When a batch closes: at the first limit that is reached. At least one of `messages` and `time_ms` is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Number of messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<u64>,
    /// Sum of the payloads' sizes in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Milliseconds since the first message of the batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_ms: Option<u64>,
}

impl Limits {
    /// A batch of so many messages.
    pub fn messages(messages: u32) -> Self {
        Self { messages: Some(messages.into()), ..Self::default() }
    }

    /// A batch of what comes within a time of its first message, in whole milliseconds.
    pub fn time(time: Duration) -> Self {
        Self::default().or_time(time)
    }

    /// And that closes after a time as well, in whole milliseconds.
    #[must_use]
    pub fn or_time(self, time: Duration) -> Self {
        Self { time_ms: Some(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)), ..self }
    }
}

/// A routing step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Gives the key of a branch.
    pub function: Function,
    /// The branches; each has a key.
    pub branches: Vec<Branch>,
}

/// One way on from a route or a broadcast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// Name of the branch, unique among the names of steps and branches.
    pub name: String,
    /// For a route: the key that leads here, as JSON (a string, number or boolean).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<serde_json::Value>,
    /// Where the user wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What happens on it.
    pub steps: Vec<Step>,
}

/// A user's function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Function {
    /// Language that it is written in.
    pub language: Language,
    /// `package.module:name`.
    pub name: String,
    /// Type of the payload that it takes.
    pub input: Type,
    /// Type of what it gives: the payload of a map, the items of a flat map, the answer of a filter, the key of a route.
    pub output: Type,
    /// Of a Rust function the hashes of the field lists that it takes and gives; 0 for a type without fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hashes: Option<Hashes>,
    /// What its errors may want done with the messages that they came from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wishes: Vec<Wish>,
}

/// Hashes of field lists: equal for types of equal fields, in all modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hashes {
    /// Of the type that a function takes.
    pub input: u64,
    /// Of the type that it gives.
    pub output: u64,
}

/// What an error may want done with the message that it came from, in place of what the configuration says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// The pipeline ends.
    Fail,
    /// The message is left out.
    Skip,
    /// The message is written to the dead letters.
    DeadLetter,
    /// The function is called again.
    Retry,
}

impl From<abi::Policy> for Wish {
    fn from(policy: abi::Policy) -> Self {
        match policy {
            abi::Policy::Fail => Self::Fail,
            abi::Policy::Skip => Self::Skip,
            abi::Policy::DeadLetter => Self::DeadLetter,
            abi::Policy::Retry => Self::Retry,
        }
    }
}

/// The language of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Runs in the interpreter.
    Python,
    /// Runs without it, through the C ABI.
    Rust,
}

impl Language {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Rust => "rust",
        }
    }
}

impl Plan {
    /// All steps, those of branches after the step that they come from.
    pub fn all_steps(&self) -> Vec<&Step> {
        let mut steps = Vec::new();
        self.steps.iter().for_each(|step| step.collect(&mut steps));
        steps
    }
}

impl Step {
    /// Whether an error of its function may want this.
    pub fn may_wish(&self, wish: Wish) -> bool {
        self.function().is_some_and(|function| function.wishes.contains(&wish))
    }

    fn collect<'p>(&'p self, steps: &mut Vec<&'p Self>) {
        steps.push(self);
        self.branches().iter().flat_map(|branch| &branch.steps).for_each(|step| step.collect(steps));
    }

    /// The user's function that it calls, if it calls one.
    pub fn function(&self) -> Option<&Function> {
        match &self.operation {
            Operation::Map(function) | Operation::FlatMap(function) | Operation::Filter(function) => Some(function),
            Operation::Route(route) => Some(&route.function),
            Operation::Batch(_)
            | Operation::Parser(_)
            | Operation::Serializer(_)
            | Operation::Broadcast(_)
            | Operation::Sink(_) => None,
        }
    }
}
