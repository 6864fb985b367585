//! The pictures of one small plan, whole.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]

use serde_json::json;

use super::*;

fn small() -> Plan {
    let function =
        |language: &str, name: &str| json!({"language": language, "name": name, "input": "any", "output": "any"});
    let sink = |name: &str| json!({"name": name, "operation": {"sink": format!("{name}-stream")}});
    let plan = json!({"version": 1, "source": {"name": "metrics", "stream": "ingest"}, "steps": [
        {"name": "parse", "operation": {"parser": {"type": {"dict": ["str", "any"]}}}},
        {"name": "keep", "operation": {"filter": function("rust", "steps:keep")}},
        {"name": "transform", "operation": {"map": function("rust", "steps:Transform")}},
        {"name": "route", "operation": {"route": {"function": function("python", "app:kind"), "branches": [
            {"name": "counters", "key": "c", "steps": [sink("a")]},
            {"name": "others", "key": "\"<d>", "steps": [sink("b")]},
        ]}}},
    ]});
    serde_json::from_value(plan).unwrap()
}

/// How the engine cuts it: the parser and the route are runs of their own.
fn runs() -> Vec<RunInfo> {
    let run = |language, steps: &[&str]| RunInfo { language, steps: steps.iter().map(ToString::to_string).collect() };
    vec![
        run(Some(Language::Python), &["parse"]),
        run(Some(Language::Rust), &["keep", "transform"]),
        run(Some(Language::Python), &["route"]),
        run(None, &["a"]),
        run(None, &["b"]),
    ]
}

/// A plan whose every text is an attack.
fn hostile() -> Plan {
    let name = "\"]\n<script>alert('x')</script>&\\";
    serde_json::from_value(json!({"version": 1, "source": {"name": name, "stream": name}, "steps": [
        {"name": name, "operation": {"sink": name}},
    ]}))
    .unwrap()
}

#[test]
fn mermaid_shows_languages_keys_and_runs() {
    let expected = r##"flowchart LR
  n0(["metrics<br/>source, oxflow<br/>ingest"]):::native
  n1["parse<br/>parser, oxflow<br/>dict#91;str, Any#93;"]:::native
  n2["keep<br/>filter, Rust<br/>steps:keep"]:::rust
  n3["transform<br/>map, Rust<br/>steps:Transform"]:::rust
  n4{{"route<br/>route, Python<br/>app:kind"}}:::python
  n5(["a<br/>sink, oxflow<br/>a-stream"]):::native
  n6(["b<br/>sink, oxflow<br/>b-stream"]):::native
  n0 --> n1
  n1 --> n2
  n2 --> n3
  n3 --> n4
  n4 -->|"#34;c#34;"| n5
  n4 -->|"#34;#92;#34;#60;d#62;#34;"| n6
  subgraph run0 ["Rust run"]
    n2
    n3
  end
  classDef python fill:#fff3bf,stroke:#b08900,color:#222
  classDef rust fill:#ffd8c2,stroke:#b7410e,color:#222
  classDef native fill:#e7edf3,stroke:#5b6b7b,color:#222
"##;
    assert_eq!(expected, mermaid(&small(), &runs()));
}

#[test]
fn dot_shows_languages_keys_and_runs() {
    let expected = r##"digraph pipeline {
  rankdir=LR
  node [shape=box style="rounded,filled" fontname=sans]
  n0 [label="metrics\nsource, oxflow\ningest" fillcolor="#e7edf3"]
  n1 [label="parse\nparser, oxflow\ndict[str, Any]" fillcolor="#e7edf3"]
  n2 [label="keep\nfilter, Rust\nsteps:keep" fillcolor="#ffd8c2"]
  n3 [label="transform\nmap, Rust\nsteps:Transform" fillcolor="#ffd8c2"]
  n4 [label="route\nroute, Python\napp:kind" fillcolor="#fff3bf"]
  n5 [label="a\nsink, oxflow\na-stream" fillcolor="#e7edf3"]
  n6 [label="b\nsink, oxflow\nb-stream" fillcolor="#e7edf3"]
  n0 -> n1
  n1 -> n2
  n2 -> n3
  n3 -> n4
  n4 -> n5 [label="\"c\""]
  n4 -> n6 [label="\"\\\"<d>\""]
  subgraph cluster_run0 { label="Rust run" style=dashed n2 n3 }
}
"##;
    assert_eq!(expected, dot(&small(), &runs()));
}

#[test]
fn json_is_the_graph_itself() {
    let graph: serde_json::Value = serde_json::from_str(&json(&small(), &runs())).unwrap();
    assert_eq!(json!([{"language": "rust", "nodes": [2, 3]}]), graph["runs"]);
    assert_eq!(json!({"from": 4, "to": 5, "label": "\"c\""}), graph["edges"][4]);
    assert_eq!(
        json!({"name": "keep", "kind": "filter", "detail": "steps:keep", "language": "rust"}),
        graph["nodes"][2]
    );
}

#[test]
fn svg_has_a_box_for_each_step_and_a_frame_for_each_run() {
    let picture = svg(&small(), &runs());
    assert_eq!(7, picture.matches("<title>").count());
    assert_eq!(6, picture.matches("class=\"edge\"").count());
    assert_eq!(1, picture.matches("class=\"run\"").count());
    assert!(picture.contains(">filter, Rust</text>"), "the language is a word, not only a colour");
    assert!(picture.contains(">&quot;\\&quot;&lt;d&gt;&quot;</text>"), "{picture}");
}

#[test]
fn hostile_names_stay_text() {
    assert!(!svg(&hostile(), &[]).contains("<script"));
    assert_eq!(Some(&b'<'), svg(&hostile(), &[]).as_bytes().first());
    assert!(!mermaid(&hostile(), &[]).contains("script>"));
    assert!(mermaid(&hostile(), &[]).lines().all(|line| !line.starts_with('<')));
    assert!(dot(&hostile(), &[]).contains(r#"label="\"] <script>"#));
    assert!(dot(&hostile(), &[]).contains(r"&\\\n"));
}

#[test]
fn long_names_are_cut_in_the_picture_and_whole_in_the_tooltip() {
    let mut plan = small();
    plan.source.name = "n".repeat(40);
    let picture = svg(&plan, &[]);
    assert!(picture.contains(&format!("<title>{} (", "n".repeat(40))));
    assert!(picture.contains(&format!(">{}…</text>", "n".repeat(31))));
}

#[test]
fn a_picture_ends_below_its_lowest_box() {
    let picture = svg(&small(), &[]);
    let lowest =
        picture.split(" y=\"").filter(|part| part.contains("height=\"66\"")).filter_map(|part| part.split('"').next());
    let lowest = lowest.filter_map(|y| y.parse::<usize>().ok()).max().unwrap();
    assert!(picture.contains(&format!("height=\"{}\"", lowest + 66 + 30)), "{picture}");
}
