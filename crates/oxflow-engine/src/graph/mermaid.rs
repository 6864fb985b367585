//! The picture in Mermaid, which GitHub and notebooks draw.

use std::fmt::Write as _;

use super::{Edge, Graph, Node};
use crate::lower::RunInfo;
use crate::plan::Plan;

const STYLES: &str = "  classDef python fill:#fff3bf,stroke:#b08900,color:#222
  classDef rust fill:#ffd8c2,stroke:#b7410e,color:#222
  classDef native fill:#e7edf3,stroke:#5b6b7b,color:#222
";

/// The picture as a Mermaid flowchart.
pub fn mermaid(plan: &Plan, runs: &[RunInfo]) -> String {
    let graph = Graph::of(plan, runs);
    let mut text = String::from("flowchart LR\n");
    for (index, node) in graph.nodes.iter().enumerate() {
        text += &draw(index, node);
    }
    for Edge { from, to, label } in &graph.edges {
        let label = if label.is_empty() { String::new() } else { format!("|\"{}\"|", escape(label)) };
        let _ = writeln!(text, "  n{from} -->{label} n{to}");
    }
    for (number, run) in graph.runs.iter().enumerate() {
        let _ = writeln!(text, "  subgraph run{number} [\"{} run\"]", run.language.word());
        for node in &run.nodes {
            let _ = writeln!(text, "    n{node}");
        }
        text += "  end\n";
    }
    text + STYLES
}

fn draw(index: usize, node: &Node<'_>) -> String {
    let lines = [node.name, &node.mark(), &node.detail].map(escape);
    let label = lines.iter().filter(|line| !line.is_empty()).cloned().collect::<Vec<_>>().join("<br/>");
    let (open, close) = match node.kind {
        "source" | "sink" => ("([", "])"),
        "route" | "broadcast" => ("{{", "}}"),
        _ => ("[", "]"),
    };
    format!("  n{index}{open}\"{label}\"{close}:::{}\n", node.language.class())
}

/// Mermaid's own escapes are decimal character codes between `#` and `;`. All but plain characters are written so, since
/// Mermaid reads HTML and Markdown in labels.
fn escape(text: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || " _-.,:".contains(letter);
    text.chars().fold(String::new(), |mut escaped, letter| {
        match letter {
            letter if letter.is_control() => escaped.push(' '),
            letter if plain(letter) => escaped.push(letter),
            letter => escaped.extend(["#", &u32::from(letter).to_string(), ";"]),
        }
        escaped
    })
}
