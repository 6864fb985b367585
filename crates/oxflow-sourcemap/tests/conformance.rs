//! The official tests of ECMA-426: every invalid map is refused by `strict`, every valid one answers as they say.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail in the place where it finds a fault"
)]

use std::sync::Arc;

use oxflow_sourcemap::{Bias, Buffer, Error, Options, Segment, SourceMap};
use serde_json::Value;

fn buffer(bytes: Vec<u8>) -> Buffer {
    Arc::new(bytes)
}

fn cases() -> Vec<Value> {
    serde_json::from_str(include_str!("ecma426/cases.json")).unwrap()
}

fn read(text: &str, strict: bool) -> Result<SourceMap, Error> {
    SourceMap::read(&buffer(text.to_owned().into_bytes()), &Options { strict, ..Options::default() })
}

fn number(action: &Value, key: &str) -> i64 {
    action[key].as_i64().unwrap_or_else(|| panic!("{key} of {action}"))
}

fn found(map: &SourceMap, line: i64, column: i64) -> Segment {
    map.lookup(line, column, Bias::Before).unwrap().unwrap()
}

/// Source, line, column and name of a segment.
fn described(map: &SourceMap, segment: &Segment) -> (Value, Value, Value, Value) {
    let original = segment.original;
    let source = original.and_then(|original| map.source(original.source as usize).unwrap()).map(Into::into);
    let name = segment.name.and_then(|name| map.name(name as usize).unwrap()).map(|name| name.into_owned().into());
    (
        source.unwrap_or(Value::Null),
        original.map_or(Value::Null, |original| original.line.into()),
        original.map_or(Value::Null, |original| original.column.into()),
        name.unwrap_or(Value::Null),
    )
}

fn check_mapping(name: &str, map: &SourceMap, action: &Value) {
    let segment = found(map, number(action, "generatedLine"), number(action, "generatedColumn"));
    let (source, line, column, mapped) = described(map, &segment);
    let wanted = ["originalSource", "originalLine", "originalColumn", "mappedName"].map(|key| action[key].clone());
    assert_eq!(wanted, [source, line, column, mapped], "{name}: {action}");
}

/// Through all maps, to the source that was there first.
fn check_transitive(case: &Value, map: &SourceMap, action: &Value) {
    let mut segment = found(map, number(action, "generatedLine"), number(action, "generatedColumn"));
    let mut last = map.clone();
    for inner in action["intermediateMaps"].as_array().unwrap() {
        let original = segment.original.unwrap();
        last = read(case["intermediate"][inner.as_str().unwrap()].as_str().unwrap(), true).unwrap();
        segment = found(&last, original.line.into(), original.column.into());
    }
    let (_, line, column, _) = described(&last, &segment);
    assert_eq!((&action["originalLine"], &action["originalColumn"]), (&line, &column), "{action}");
}

fn check_ignored(name: &str, map: &SourceMap, action: &Value) {
    let wanted: Vec<_> = action["present"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let ignored = (0..map.source_count()).filter(|index| map.is_ignored(*index).unwrap());
    let ignored: Vec<_> = ignored.filter_map(|index| map.source(index).unwrap()).collect();
    assert_eq!(wanted, ignored, "{name}");
}

#[test]
fn every_invalid_map_is_refused_and_every_valid_one_is_not() {
    for case in cases() {
        let read = read(case["map"].as_str().unwrap(), true);
        assert_eq!(case["valid"], read.is_ok(), "{}: {:?}", case["name"], read.err());
    }
}

#[test]
fn every_valid_map_answers_as_the_standard_says() {
    for case in cases().iter().filter(|case| case["valid"] == true) {
        let name = case["name"].as_str().unwrap();
        for strict in [true, false] {
            let map = read(case["map"].as_str().unwrap(), strict).unwrap();
            assert!(map.warnings().is_empty(), "{name}: {:?}", map.warnings());
            for action in case["actions"].as_array().into_iter().flatten() {
                match action["actionType"].as_str().unwrap() {
                    "checkMapping" => check_mapping(name, &map, action),
                    "checkMappingTransitive" => check_transitive(case, &map, action),
                    "checkIgnoreList" => check_ignored(name, &map, action),
                    other => panic!("{name}: {other}"),
                }
            }
        }
    }
}

#[test]
fn what_is_mended_is_told() {
    for case in cases().iter().filter(|case| case["valid"] == false) {
        if let Ok(map) = read(case["map"].as_str().unwrap(), false) {
            assert!(!map.warnings().is_empty(), "{}", case["name"]);
        }
    }
}
