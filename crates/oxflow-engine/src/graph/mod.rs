//! A plan as a picture.
//!
//! The plan is first laid out as boxes and arrows, then written in one of four forms. Names are the user's and may hold
//! anything, so each form escapes them. The language of a step shows as a colour and as a word: a reader may not see
//! colours.

mod dot;
mod mermaid;
mod svg;

use serde::Serialize;

use crate::lower::{Bindings, RunInfo, lower};
use crate::plan::{
    self, Codec, Function, Language, Operation, Parser, Plan, Serializer, Step, python_literal, python_name,
};

pub use self::dot::dot;
pub use self::mermaid::mermaid;
pub use self::svg::svg;

/// The forms that a picture has; `plan` is the plan itself, as JSON.
pub const FORMATS: [&str; 5] = ["mermaid", "svg", "dot", "json", "plan"];

/// The picture in one of the [`FORMATS`], none in another; a plan that can't run has no runs to show.
pub fn draw(plan: &Plan, bindings: &Bindings, format: &str) -> Option<String> {
    let drawn = match format {
        "mermaid" => mermaid,
        "dot" => dot,
        "svg" => svg,
        "json" => json,
        "plan" => return Some(format!("{:#}", serde_json::json!(plan))),
        _ => return None,
    };
    let program = plan::check(plan).is_empty().then(|| lower(plan, bindings).ok()).flatten();
    Some(drawn(plan, &program.map(|program| program.runs()).unwrap_or_default()))
}

/// The picture as JSON: `nodes`, `edges` and `runs`.
pub fn json(plan: &Plan, runs: &[RunInfo]) -> String {
    // The alternate form of a JSON value is the indented one; unlike the functions of serde_json it cannot fail.
    format!("{:#}", serde_json::json!(Graph::of(plan, runs)))
}

/// Boxes and arrows.
#[derive(Debug, Serialize)]
struct Graph<'p> {
    nodes: Vec<Node<'p>>,
    edges: Vec<Edge>,
    runs: Vec<Run>,
}

/// A source or step.
#[derive(Debug, Serialize)]
struct Node<'p> {
    name: &'p str,
    /// `source`, `map`, `sink` and so on.
    kind: &'static str,
    /// Function, type or stream.
    detail: String,
    language: Side,
}

/// Who does the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Side {
    /// A user's Python function.
    Python,
    /// A user's Rust function.
    Rust,
    /// oxflow itself.
    Native,
}

/// An arrow between two nodes, by their indices.
#[derive(Debug, Serialize)]
struct Edge {
    from: usize,
    to: usize,
    /// Key or name of a branch; empty inside a row of steps.
    label: String,
}

/// Steps that are called together: messages pass between them without conversion.
#[derive(Debug, Serialize)]
struct Run {
    language: Side,
    nodes: Vec<usize>,
}

impl Side {
    fn word(self) -> &'static str {
        match self {
            Self::Python => "Python",
            Self::Rust => "Rust",
            Self::Native => "oxflow",
        }
    }

    /// The name of its style.
    fn class(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Rust => "rust",
            Self::Native => "native",
        }
    }
}

impl<'p> Graph<'p> {
    /// `runs`: how the engine cuts the plan, as far as it can.
    fn of(plan: &'p Plan, runs: &[RunInfo]) -> Self {
        let mut graph = Self { nodes: Vec::new(), edges: Vec::new(), runs: Vec::new() };
        let source = &plan.source;
        graph.nodes.push(Node {
            name: &source.name,
            kind: "source",
            detail: source.streams().collect::<Vec<_>>().join(", "),
            language: Side::Native,
        });
        graph.row(&plan.steps, 0, "");
        graph.frame(runs);
        graph
    }

    /// Adds a row of steps behind a node.
    fn row(&mut self, steps: &'p [Step], start: usize, label: &str) {
        let first = self.nodes.len();
        for (step, from) in steps.iter().zip(std::iter::once(start).chain(first..)) {
            let label = if from == start { label.to_owned() } else { String::new() };
            self.edges.push(Edge { from, to: self.nodes.len(), label });
            self.nodes.push(node(step));
        }
        for (step, index) in steps.iter().zip(first..) {
            for branch in step.branches() {
                let label = branch.key.as_ref().map_or_else(|| branch.name.clone(), python_literal);
                self.row(&branch.steps, index, &label);
            }
        }
    }

    /// Adds the runs that the engine cuts the steps into. A single step needs no frame.
    fn frame(&mut self, runs: &[RunInfo]) {
        let index = |name: &String| self.nodes.iter().position(|node| node.name == name);
        let several = runs.iter().filter(|run| run.steps.len() > 1);
        self.runs = several
            .filter_map(|run| {
                Some(Run { language: side(run.language?), nodes: run.steps.iter().filter_map(index).collect() })
            })
            .collect();
    }
}

fn node(step: &Step) -> Node<'_> {
    let called = |kind, function: &Function| (kind, function.name.clone(), side(function.language));
    let native = |kind, detail| (kind, detail, Side::Native);
    let (kind, detail, language) = match &step.operation {
        Operation::Map(function) => called("map", function),
        Operation::FlatMap(function) => called("flat map", function),
        Operation::Filter(function) => called("filter", function),
        Operation::Route(route) => called("route", &route.function),
        Operation::Batch(_) => native("batch", String::new()),
        Operation::Parser(parser) => native("parser", parsed(parser)),
        Operation::Serializer(Serializer { codec: Codec::Json }) => native("serializer", String::new()),
        Operation::Serializer(Serializer { codec }) => native("serializer", codec.word().to_owned()),
        Operation::Broadcast(_) => native("broadcast", String::new()),
        Operation::Sink(stream) => native("sink", stream.clone()),
    };
    Node { name: &step.name, kind, detail, language }
}

/// The type that a parser gives, and what it reads if that isn't JSON.
fn parsed(parser: &Parser) -> String {
    let shape = python_name(&parser.shape);
    if parser.codec.is_json() { shape } else { format!("{shape} of {}", parser.codec.word()) }
}

fn side(language: Language) -> Side {
    match language {
        Language::Python => Side::Python,
        Language::Rust => Side::Rust,
    }
}

impl Node<'_> {
    /// The second line of a box: "map, Rust".
    fn mark(&self) -> String {
        format!("{}, {}", self.kind, self.language.word())
    }
}

#[cfg(test)]
mod tests;
