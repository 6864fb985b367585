//! The picture in SVG, drawn here: nothing else has to be installed.
//!
//! The plan is a tree, so the layout is simple: a column for each step of the way, a line for each branch. Text is measured
//! by its number of characters in a font of even width.

use std::fmt::Write as _;

use super::{Graph, Node, Run};
use crate::lower::RunInfo;
use crate::plan::Plan;

const LETTER: usize = 8;
const SMALL_LETTER: usize = 7;
const PADDING: usize = 14;
const HEIGHT: usize = 66;
const GAP: usize = 36;
const LINE: usize = 110;
const MARGIN: usize = 30;
/// Longer texts are cut; the whole one is in the tooltip.
const LONGEST: usize = 32;

const STYLE: &str = "<style>
  text { font: 13px ui-monospace, 'DejaVu Sans Mono', monospace; fill: #1b1f24 }
  .small { font-size: 11px } .name { font-weight: bold }
  .python { fill: #fff3bf; stroke: #b08900 } .rust { fill: #ffd8c2; stroke: #b7410e } .native { fill: #e7edf3; stroke: #5b6b7b }
  .edge { fill: none; stroke: #5b6b7b; stroke-width: 1.5 } .head { fill: #5b6b7b }
  .run { fill: none; stroke: #5b6b7b; stroke-dasharray: 5 4 } .note { fill: #57606a }
  @media (prefers-color-scheme: dark) { .edge, .run { stroke: #9fb0c0 } .head, .note { fill: #9fb0c0 } }
</style>
";

/// The picture as an SVG document.
pub fn svg(plan: &Plan, runs: &[RunInfo]) -> String {
    let graph = Graph::of(plan, runs);
    let boxes = lay_out(&graph);
    let width = boxes.iter().map(Frame::right).max().unwrap_or(0) + MARGIN;
    let height = boxes.iter().map(|frame| frame.y + HEIGHT).max().unwrap_or(0) + MARGIN;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         style=\"max-width:100%;height:auto\" role=\"img\" aria-label=\"pipeline {}\">\n{STYLE}",
        escape(&plan.source.name)
    );
    for run in &graph.runs {
        text += &draw_run(run, &boxes);
    }
    for edge in &graph.edges {
        if let (Some(from), Some(to)) = (boxes.get(edge.from), boxes.get(edge.to)) {
            text += &draw_edge(*from, *to, &edge.label);
        }
    }
    for (node, frame) in graph.nodes.iter().zip(&boxes) {
        text += &draw_node(node, *frame);
    }
    text + "</svg>\n"
}

/// Where a node is.
#[derive(Clone, Copy, Default)]
struct Frame {
    x: usize,
    y: usize,
    width: usize,
}

impl Frame {
    fn right(&self) -> usize {
        self.x + self.width
    }

    fn middle(&self) -> usize {
        self.y + HEIGHT / 2
    }
}

/// Nodes come in the order of the tree: each after the one that it follows. The first branch stays on the line of its
/// parent, each other one opens a new line below all that are drawn.
fn lay_out(graph: &Graph<'_>) -> Vec<Frame> {
    let mut boxes: Vec<Frame> = Vec::with_capacity(graph.nodes.len());
    let mut followed = vec![false; graph.nodes.len()];
    let mut lowest = MARGIN;
    for (index, node) in graph.nodes.iter().enumerate() {
        let before = graph.edges.iter().find(|edge| edge.to == index);
        let parent = before.and_then(|edge| Some((edge, boxes.get(edge.from)?, followed.get_mut(edge.from)?)));
        let (x, y) = parent.map_or((MARGIN, MARGIN), |(edge, frame, followed)| {
            if std::mem::replace(followed, true) {
                lowest += LINE;
                (frame.right() + gap(graph, edge.from), lowest)
            } else {
                (frame.right() + gap(graph, edge.from), frame.y)
            }
        });
        boxes.push(Frame { x, y, width: width(node) });
    }
    boxes
}

/// The room behind a node, wide enough for the longest label of the edges that leave it.
fn gap(graph: &Graph<'_>, from: usize) -> usize {
    let labels = graph.edges.iter().filter(|edge| edge.from == from).map(|edge| shorten(&edge.label).chars().count());
    let longest = labels.max().unwrap_or(0);
    if longest == 0 { GAP } else { GAP + longest * SMALL_LETTER + PADDING }
}

fn width(node: &Node<'_>) -> usize {
    let small = [node.mark(), shorten(&node.detail)].map(|line| line.chars().count() * SMALL_LETTER);
    let name = shorten(node.name).chars().count() * LETTER;
    small.into_iter().fold(name, usize::max) + 2 * PADDING
}

fn draw_node(node: &Node<'_>, frame: Frame) -> String {
    let Frame { x, y, width } = frame;
    let radius = if matches!(node.kind, "source" | "sink") { HEIGHT / 2 } else { 6 };
    let mut text = format!(
        "<g><title>{}</title>\n  <rect class=\"{}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{HEIGHT}\" rx=\"{radius}\"/>\n",
        escape(&format!("{} ({}) {}", node.name, node.mark(), node.detail)),
        node.language.class(),
    );
    let lines = [("name", shorten(node.name)), ("small", node.mark()), ("small", shorten(&node.detail))];
    for ((class, line), offset) in lines.iter().zip([22, 39, 55]).filter(|((_, line), _)| !line.is_empty()) {
        let (middle, baseline) = (x + width / 2, y + offset);
        let _ = writeln!(
            text,
            "  <text class=\"{class}\" x=\"{middle}\" y=\"{baseline}\" text-anchor=\"middle\">{}</text>",
            escape(line)
        );
    }
    text + "</g>\n"
}

fn draw_edge(from: Frame, to: Frame, label: &str) -> String {
    let (start, top) = (from.right(), from.middle());
    let (end, bottom) = (to.x, to.middle());
    let turn = start + GAP / 2;
    let tip = end.saturating_sub(7);
    let mut text = format!(
        "<path class=\"edge\" d=\"M{start} {top} H{turn} V{bottom} H{tip}\"/>\n\
         <path class=\"head\" d=\"M{end} {bottom} l-8 -4 v8 z\"/>\n"
    );
    if !label.is_empty() {
        let (x, y) = (turn + 6, bottom - 6);
        let _ = writeln!(text, "<text class=\"small note\" x=\"{x}\" y=\"{y}\">{}</text>", escape(&shorten(label)));
    }
    text
}

/// The steps of a run are neighbours on one line.
fn draw_run(run: &Run, boxes: &[Frame]) -> String {
    let frames: Vec<&Frame> = run.nodes.iter().filter_map(|node| boxes.get(*node)).collect();
    let (Some(first), Some(last)) = (frames.first(), frames.last()) else { return String::new() };
    let (x, y) = (first.x - 8, first.y - 8);
    let (width, height) = (last.right() - first.x + 16, HEIGHT + 16);
    format!(
        "<rect class=\"run\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"10\"/>\n\
         <text class=\"small note\" x=\"{}\" y=\"{}\">{} run</text>\n",
        x + 4,
        y - 5,
        run.language.word()
    )
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

fn escape(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    escaped.replace(char::is_control, " ")
}
