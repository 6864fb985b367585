//! A pipeline in YAML.
//!
//! ```yaml
//! source: { name: metrics, stream: ingest-metrics }
//! steps:
//!   - parser: { name: parse, type: IngestMetric }
//!   - filter: { name: counters, function: is_counter }
//!   - map: { name: transform, function: transform }
//!   - serializer: { name: serialize }
//!   - sink: { name: out, stream: transformed-metrics }
//! ```
//!
//! The words are those of the [plan](crate::plan), which is made of it: in a binary [here](resolve), against the functions that
//! the crate registered; in Python by way of the package's own builder, since steps may be Python functions there. What can be
//! seen without either is checked when it is loaded.

mod placed;
mod resolve;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::placed::Placed;
pub use self::resolve::{Catalog, Resolved};
pub(crate) use self::resolve::{cannot_be_made, described};
use crate::config::failure::{Document, place_in};
use crate::config::{Bounded, typed, yaml};
use crate::diagnostic::{Code, Diagnostic};
use crate::plan::Codec;

/// A pipeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Pipeline of oxflow")]
pub struct Definition {
    /// The Rust module in which functions and types are that name none: `metrics_steps` for `keep` in place of
    /// `metrics_steps:keep`. In a binary it is the crate itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// Where messages come from.
    pub source: Placed<Source>,
    /// What happens to them, in order. A sink, a route or a broadcast comes last.
    pub steps: Vec<Placed<Step>>,
}

/// Where messages come from: one of `stream` and `streams`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Name of the source, unique in the pipeline.
    pub name: String,
    /// Logical name of the stream; the configuration says what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// Those of several streams, whose messages go the same way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub streams: Vec<String>,
}

impl Source {
    /// The streams that it reads.
    pub fn streams(&self) -> impl Iterator<Item = &str> {
        self.stream.iter().chain(&self.streams).map(String::as_str)
    }

    /// What a schema can't say.
    fn check(&self) -> Option<Diagnostic> {
        let (message, fix) = match (&self.stream, self.streams.is_empty()) {
            (None, true) => ("names no stream", "give it `stream: NAME`, or `streams: [NAME, NAME]`"),
            (Some(_), false) => ("has `stream` and `streams`", "name all of them in `streams`"),
            _ => return None,
        };
        Some(Diagnostic::new(Code::BadDefinition, format!("source `{}` {message}", self.name)).fix(fix))
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// Gives one payload for each message, or none.
    Map(Call),
    /// Gives any number of payloads for each message.
    FlatMap(Call),
    /// Keeps the messages for which the function says true.
    Filter(Call),
    /// Gathers messages into lists.
    Batch(Batch),
    /// Reads bytes into a value of a type.
    Parser(Parser),
    /// Writes a value as bytes.
    Serializer(Serializer),
    /// Sends each message down the branch whose key the function gives.
    Route(Route),
    /// Sends each message down every branch.
    Broadcast(Broadcast),
    /// Ends the row: writes bytes to a stream.
    Sink(Sink),
}

/// A step that calls a function: one of `function` and `python`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// Name of the step, unique in the pipeline.
    pub name: String,
    /// A Rust function: `keep`, or with its module `metrics_steps:keep`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// A Python function: `package.module:name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<String>,
    /// What the Rust function is made of: the arguments of its `new`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<serde_json::Map<String, serde_json::Value>>,
}

/// When a list closes: at the first limit that is reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// Name of the step, unique in the pipeline.
    pub name: String,
    /// Number of messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<Limit>,
    /// Sum of the payloads' sizes in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<Limit>,
    /// Milliseconds since the first message of the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_ms: Option<Limit>,
}

/// A limit of a batch.
pub type Limit = Bounded<1, { u32::MAX }>;

/// What reads bytes: one of `type` and `python`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parser {
    /// Name of the step, unique in the pipeline.
    pub name: String,
    /// A Rust type: `IngestMetric`, or with its module `metrics_steps:IngestMetric`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub rust: Option<String>,
    /// A Python type: `package.module:name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<String>,
    /// What the bytes are. Default: `json`.
    #[serde(default, skip_serializing_if = "Codec::is_json")]
    pub codec: Codec,
}

/// What writes bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Serializer {
    /// Name of the step, unique in the pipeline.
    pub name: String,
    /// What the bytes are. Default: `json`.
    #[serde(default, skip_serializing_if = "Codec::is_json")]
    pub codec: Codec,
}

/// A function that chooses a branch: one of `function` and `python`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Name of the step, unique in the pipeline.
    pub name: String,
    /// A Rust function that gives a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// A Python function that gives a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<String>,
    /// What the Rust function is made of: the arguments of its `new`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<serde_json::Map<String, serde_json::Value>>,
    /// The branches, each with its key.
    pub branches: Vec<Placed<Way>>,
}

/// A branch of a route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Way {
    /// What the function gives for the messages that go this way: a text, a whole number or a boolean.
    #[schemars(with = "Key")]
    pub key: serde_json::Value,
    /// Name of the branch, unique in the pipeline.
    pub name: String,
    /// What happens on it, in order.
    pub steps: Vec<Placed<Step>>,
}

/// A key, to an editor.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
#[expect(dead_code, reason = "the schema is made of it")]
enum Key {
    Text(String),
    Number(i64),
    Truth(bool),
}

/// Every branch gets every message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Broadcast {
    /// Name of the step, unique in the pipeline.
    pub name: String,
    /// The branches.
    pub branches: Vec<Placed<Branch>>,
}

/// A branch of a broadcast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// Name of the branch, unique in the pipeline.
    pub name: String,
    /// What happens on it, in order.
    pub steps: Vec<Placed<Step>>,
}

/// The end of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sink {
    /// Name of the step, unique in the pipeline.
    pub name: String,
    /// Logical name of the stream; the configuration says what it is.
    pub stream: String,
}

impl Definition {
    /// Reads a definition; `file` is the name of `text` in errors.
    pub fn load(text: &str, file: &str) -> Result<Self, Vec<Diagnostic>> {
        let read = yaml::parse(text).and_then(|node| typed::read::<Self>(&node));
        let definition = read.map_err(|failure| vec![failure.of(Document::Pipeline).diagnose(file, text)])?;
        let source = &definition.source;
        let place = |line, column| Some(place_in(file, text, line, Some(column)));
        let mut found: Vec<Diagnostic> =
            source.value.check().map(|wrong| wrong.at(place(source.line, source.column))).into_iter().collect();
        each_step(&definition.steps, &mut |step| {
            found.extend(
                step.value.check().map(|wrong| wrong.at(Some(place_in(file, text, step.line, Some(step.column))))),
            );
        });
        if found.is_empty() { Ok(definition) } else { Err(found) }
    }
}

fn each_step(steps: &[Placed<Step>], look: &mut impl FnMut(&Placed<Step>)) {
    for step in steps {
        look(step);
        match &step.value {
            Step::Route(route) => route.branches.iter().for_each(|way| each_step(&way.value.steps, look)),
            Step::Broadcast(all) => all.branches.iter().for_each(|branch| each_step(&branch.value.steps, look)),
            _ => {}
        }
    }
}

impl Step {
    /// What a schema can't say: a step has one function, or one type.
    fn check(&self) -> Option<Diagnostic> {
        match self {
            Self::Map(call) | Self::FlatMap(call) | Self::Filter(call) => {
                one_of(&call.name, "function", call.function.as_ref(), call.python.as_ref())
                    .or_else(|| arguments_of_python(&call.name, call.with.is_some() && call.python.is_some()))
            }
            Self::Route(route) => one_of(&route.name, "function", route.function.as_ref(), route.python.as_ref())
                .or_else(|| arguments_of_python(&route.name, route.with.is_some() && route.python.is_some())),
            Self::Parser(parser) => one_of(&parser.name, "type", parser.rust.as_ref(), parser.python.as_ref()),
            Self::Batch(_) | Self::Serializer(_) | Self::Broadcast(_) | Self::Sink(_) => None,
        }
    }
}

fn one_of(step: &str, what: &str, rust: Option<&String>, python: Option<&String>) -> Option<Diagnostic> {
    let (message, fix) = match (rust, python) {
        (None, None) => (
            format!("step `{step}` names no {what}"),
            format!("give it `{what}: NAME` for one in Rust, or `python: package.module:name`"),
        ),
        (Some(_), Some(_)) => (format!("step `{step}` names two {what}s"), format!("remove `{what}` or `python`")),
        _ => return None,
    };
    Some(Diagnostic::new(Code::BadDefinition, message).fix(fix))
}

fn arguments_of_python(step: &str, given: bool) -> Option<Diagnostic> {
    let message = format!("step `{step}` has `with`, but its function is in Python");
    let fix = "let a Python function give what the step calls, and name that";
    given.then(|| {
        Diagnostic::new(Code::BadDefinition, message).because("only Rust functions are made of arguments").fix(fix)
    })
}

/// The JSON Schema of a definition, for editors.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Definition).to_value()
}

#[cfg(test)]
mod tests;
