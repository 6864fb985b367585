//! What a definition may say, and how it is told what is wrong.

use super::*;

#[track_caller]
fn is_wrong(text: &str, expected: &str) {
    let found = Definition::load(text, "pipeline.yaml").expect_err("a definition that is wrong");
    let told: Vec<String> = found.iter().map(Diagnostic::render).collect();
    assert_eq!(expected, told.join("\n\n").replace("\n  more: oxflow explain OXF0110", ""));
}

const SOURCE: &str = "source: {name: in, stream: words}\n";

#[test]
fn an_unknown_key_is_told_with_line_and_column() {
    is_wrong(
        &format!("{SOURCE}steps:\n  - map: {{name: same, functon: same}}\n"),
        "error[OXF0110]: unknown key `steps.map.functon`\n  \
         --> pipeline.yaml:3:23  - map: {name: same, functon: same}\n  \
         why: `steps.map` takes `name`, `function`, `python` and `with`\n  \
         fix: did you mean `function`?",
    );
}

#[test]
fn an_unknown_step_is_told_with_the_known_ones() {
    is_wrong(
        &format!("{SOURCE}steps:\n  - fliter: {{name: same, function: same}}\n"),
        "error[OXF0110]: `steps` is `fliter`, but must be `map`, `flat_map`, `filter`, `batch`, `parser`, `serializer`, \
         `route`, `broadcast` or `sink`\n  \
         --> pipeline.yaml:3:5  - fliter: {name: same, function: same}\n  \
         fix: did you mean `filter`?",
    );
}

#[test]
fn a_step_has_one_function() {
    is_wrong(
        &format!("{SOURCE}steps:\n  - map: {{name: a}}\n  - filter: {{name: b, function: x, python: \"y:z\"}}\n"),
        "error[OXF0110]: step `a` names no function\n  \
         --> pipeline.yaml:3:5  - map: {name: a}\n  \
         fix: give it `function: NAME` for one in Rust, or `python: package.module:name`\n\n\
         error[OXF0110]: step `b` names two functions\n  \
         --> pipeline.yaml:4:5  - filter: {name: b, function: x, python: \"y:z\"}\n  \
         fix: remove `function` or `python`",
    );
}

#[test]
fn a_limit_is_at_least_one() {
    is_wrong(
        &format!("{SOURCE}steps:\n  - batch: {{name: a, messages: 0}}\n"),
        "error[OXF0110]: `steps.batch.messages` is `0`, but must be a whole number from 1 to 4294967295\n  \
         --> pipeline.yaml:3:32  - batch: {name: a, messages: 0}",
    );
}

#[test]
fn what_is_no_yaml_is_told_where_it_stops_to_be() {
    is_wrong(
        "source: [",
        "error[OXF0110]: the pipeline cannot be read\n  --> pipeline.yaml:1:9  source: [\n  why: unclosed bracket '['",
    );
}

#[test]
fn steps_of_branches_are_looked_at_too() {
    is_wrong(
        &format!(
            "{SOURCE}steps:\n  - broadcast:\n      name: all\n      branches:\n        - name: one\n          steps:\n            - parser: {{name: parse}}\n"
        ),
        "error[OXF0110]: step `parse` names no type\n  \
         --> pipeline.yaml:8:15  - parser: {name: parse}\n  \
         fix: give it `type: NAME` for one in Rust, or `python: package.module:name`",
    );
}

#[test]
fn a_source_names_its_streams_once() {
    let steps = "steps:\n  - sink: {name: out, stream: out}\n";
    is_wrong(
        &format!("source: {{name: in}}\n{steps}"),
        "error[OXF0110]: source `in` names no stream\n  \
         --> pipeline.yaml:1:9  source: {name: in}\n  \
         fix: give it `stream: NAME`, or `streams: [NAME, NAME]`",
    );
    is_wrong(
        &format!("source: {{name: in, stream: a, streams: [b]}}\n{steps}"),
        "error[OXF0110]: source `in` has `stream` and `streams`\n  \
         --> pipeline.yaml:1:9  source: {name: in, stream: a, streams: [b]}\n  \
         fix: name all of them in `streams`",
    );
}
