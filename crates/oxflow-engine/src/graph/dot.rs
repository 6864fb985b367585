//! The picture in DOT, which Graphviz draws.

use std::fmt::Write as _;

use super::{Edge, Graph, Node, Side};
use crate::lower::RunInfo;
use crate::plan::Plan;

/// The picture as a DOT graph.
pub fn dot(plan: &Plan, runs: &[RunInfo]) -> String {
    let graph = Graph::of(plan, runs);
    let mut text =
        String::from("digraph pipeline {\n  rankdir=LR\n  node [shape=box style=\"rounded,filled\" fontname=sans]\n");
    for (index, node) in graph.nodes.iter().enumerate() {
        let _ = writeln!(text, "  n{index} [label=\"{}\" fillcolor=\"{}\"]", label(node), colour(node.language));
    }
    for Edge { from, to, label } in &graph.edges {
        let label = if label.is_empty() { String::new() } else { format!(" [label=\"{}\"]", escape(label)) };
        let _ = writeln!(text, "  n{from} -> n{to}{label}");
    }
    for (number, run) in graph.runs.iter().enumerate() {
        let nodes: Vec<_> = run.nodes.iter().map(|node| format!("n{node}")).collect();
        let _ = writeln!(
            text,
            "  subgraph cluster_run{number} {{ label=\"{} run\" style=dashed {} }}",
            run.language.word(),
            nodes.join(" ")
        );
    }
    text + "}\n"
}

fn label(node: &Node<'_>) -> String {
    let lines = [node.name, &node.mark(), &node.detail];
    lines.into_iter().filter(|line| !line.is_empty()).map(escape).collect::<Vec<_>>().join("\\n")
}

fn colour(side: Side) -> &'static str {
    match side {
        Side::Python => "#fff3bf",
        Side::Rust => "#ffd8c2",
        Side::Native => "#e7edf3",
    }
}

/// Inside quotes DOT knows `\"`, and gives a meaning to other letters after a backslash.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace(char::is_control, " ")
}
