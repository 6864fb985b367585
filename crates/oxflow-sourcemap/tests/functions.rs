//! Names of functions, out of scopes, of what Metro writes, and of scripts: the same from a map and from its index.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail in the place where it finds a fault"
)]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use oxflow_sourcemap::index::{Content, Opening, write, write_with};
use oxflow_sourcemap::{
    Binding, Buffer, CallSite, Error, Functions, Limits, Options, Position, ReferenceKind, SourceMap,
};
use serde_json::{Value, json};

fn buffer(bytes: Vec<u8>) -> Buffer {
    Arc::new(bytes)
}

fn read_as(map: &Value, strict: bool) -> Result<SourceMap, Error> {
    SourceMap::read(&buffer(map.to_string().into_bytes()), &Options { strict, ..Options::default() })
}

fn read(map: &Value) -> SourceMap {
    let map = read_as(map, true).unwrap();
    assert!(map.warnings().is_empty());
    map
}

/// The map as an index file gives it.
fn indexed(map: &SourceMap, functions: Option<&Functions>, name: &str) -> SourceMap {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    match functions {
        Some(functions) => write_with(map, Some(functions), &path, Content::Zstd, false).unwrap(),
        None => write(map, &path, Content::Zstd, false).unwrap(),
    }
    SourceMap::open(&buffer(fs::read(path).unwrap()), Opening::default()).unwrap()
}

/// The functions at places, from the map and from its index.
#[track_caller]
fn check(map: &Value, name: &str, wanted: &[(i64, i64, Option<&str>)]) {
    let map = read(map);
    let index = indexed(&map, None, name);
    assert_eq!(map.to_json(), index.to_json());
    assert_eq!(map.scopes(), index.scopes());
    for (line, column, wanted) in wanted {
        for (which, map) in [("map", &map), ("index", &index)] {
            let found = map.function_at(*line, *column).unwrap();
            assert_eq!(*wanted, found.as_deref(), "{which} {line}:{column}");
        }
    }
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Items of numbers without signs, as `scopes` has them; `signed` makes one of those that have.
fn items(all: &[&[u64]]) -> String {
    let mut texts = Vec::new();
    for item in all {
        let mut text = String::new();
        for number in *item {
            let mut rest = *number;
            loop {
                let digit = (rest & 31) | u64::from(rest > 31) << 5;
                text.push(char::from(DIGITS[usize::try_from(digit).unwrap()]));
                rest >>= 5;
                if rest == 0 {
                    break;
                }
            }
        }
        texts.push(text);
    }
    texts.join(",")
}

fn signed(number: i64) -> u64 {
    number.unsigned_abs() << 1 | u64::from(number < 0)
}

/// `outer` on lines 0 to 6 of the generated code, in it `inner` on 1 to 3 with a block on line 2, and on line 4 `inner` once
/// more in the place of its call.
fn with_ranges() -> Value {
    let scopes = items(&[
        &[1, 5, 0, 0, signed(0)],
        &[3, signed(3), signed(0)],
        &[1, 5, 5, 2, signed(1)],
        &[1, 2, 1, 4, signed(2)],
        &[2, 1, 4],
        &[2, 3, 2],
        &[2, 10, 0],
        &[0],
        &[4, 6, 0, signed(0)],
        &[6, 5, 0],
        &[7, 0, 1, 0, 0, 1, 3, 5],
        &[4, 7, 1, 0, signed(1)],
        &[4, 3, 1, 2, signed(1)],
        &[5, 5],
        &[5, 1, 1],
        &[4, 3, 1, 4, signed(-1)],
        &[8, 0, 12, 3],
        &[5, 8],
        &[5, 2, 0],
    ]);
    let names = ["outer", "inner", "block", "x", "x1"];
    json!({"version": 3, "sources": ["a.js", null], "names": names, "mappings": "AAAA", "scopes": scopes})
}

#[test]
fn functions_are_those_of_the_ranges() {
    let wanted = [
        (-1, 0, None),
        (0, 0, Some("outer")),
        (0, 99, Some("outer")),
        (1, 0, Some("inner")),
        (2, 3, Some("inner")),
        (3, 0, Some("inner")),
        (3, 1, Some("outer")),
        (4, 5, Some("inner")),
        (4, 12, Some("outer")),
        (6, 0, None),
        (i64::MAX, 0, None),
    ];
    check(&with_ranges(), "ranges", &wanted);
    let scopes = read(&with_ranges()).scopes().unwrap().unwrap();
    let at = |line, column| Position { line, column };
    let ends: Vec<_> = scopes.ranges.iter().map(|range| (range.start, range.end, range.parent)).collect();
    assert_eq!((at(0, 0), at(6, 0), None), ends[0]);
    assert_eq!((at(2, 2), at(2, 7), Some(1)), ends[2]);
    let [outer, .., last] = scopes.ranges.as_slice() else { panic!("{scopes:?}") };
    assert_eq!(Some(CallSite { source: 0, at: at(12, 3) }), last.call_site);
    let binding = Binding { expression: Some(4), from: vec![(at(1, 0), None), (at(2, 3), Some(4))] };
    assert_eq!(vec![binding, Binding::default()], outer.bindings);
    assert_eq!((vec![3, 3], Some(0)), (scopes.originals[0].variables.clone(), scopes.originals[0].name));
    assert_eq!(
        (Some(1), Some(2), false),
        (scopes.originals[2].parent, scopes.originals[2].kind, scopes.originals[2].is_stack_frame)
    );
}

#[test]
fn functions_are_those_of_the_scopes_where_there_are_no_ranges() {
    // The second source: outer in lines 1 to 9, inner in lines 3 to 5.
    let scopes = items(&[&[0], &[1, 5, 1, 0, signed(0)], &[1, 5, 2, 0, signed(1)], &[2, 2, 0], &[2, 4, 0]]);
    let map = json!({
        "version": 3, "sources": ["none.js", "a.js"], "names": ["outer", "inner"], "scopes": scopes,
        // Columns 0 to 9 are lines 0 to 9 of the second source, column 10 is line 0 of the first.
        "mappings": "ACAA,CACA,CACA,CACA,CACA,CACA,CACA,CACA,CACA,CACA,CDTA",
    });
    let mut wanted: Vec<_> = [None, Some("outer"), Some("outer"), Some("inner"), Some("inner"), Some("outer")].into();
    wanted.extend([Some("outer"), Some("outer"), Some("outer"), None, None]);
    let wanted: Vec<_> = (0..).zip(wanted).map(|(column, name)| (0, column, name)).chain([(1, 0, None)]).collect();
    check(&map, "originals", &wanted);
}

#[test]
fn functions_of_sections_lie_where_their_code_does() {
    let mut second = with_ranges();
    second["names"] = json!(["second", "within", "block", "x", "x1"]);
    let map = json!({"version": 3, "sections": [
        {"offset": {"line": 0, "column": 0}, "map": with_ranges()},
        {"offset": {"line": 20, "column": 7}, "map": second},
    ]});
    let wanted =
        [(0, 0, Some("outer")), (1, 0, Some("inner")), (20, 6, None), (20, 7, Some("second")), (21, 0, Some("within"))];
    check(&map, "sections", &wanted);
    let map = read(&map);
    let one =
        SourceMap::read(&buffer(map.to_json().unwrap()), &Options { strict: true, ..Options::default() }).unwrap();
    assert_eq!(map.scopes(), one.scopes());
}

/// As Metro writes them: functions by line from 1 and column.
fn of_metro() -> Value {
    json!({
        "version": 3, "sources": ["a.js", "b.js"], "names": [],
        "mappings": "AAAA,UACA,UACE,UCFF",
        "x_facebook_sources": [[{"names": ["<global>", "f", "g"], "mappings": "AAA;YCC,AC;"}, null], null],
        "x_facebook_offsets": [null, 7, 0],
        "x_hermes_function_offsets": {"0": [0, 10, 300], "1": [5]},
    })
}

#[test]
fn functions_are_those_that_metro_wrote() {
    let wanted = [(0, 0, Some("<global>")), (0, 10, Some("<global>")), (0, 20, Some("g")), (0, 30, None)];
    let map = json!({
        "version": 3, "sources": ["a.js", "b.js"], "names": [],
        "mappings": "AAAA,UACA,UACE,UCFF",
        "x_facebook_sources": [[{"names": ["<global>", "f", "g"], "mappings": "AAA,AEE"}, null], null],
    });
    check(&map, "hermes", &wanted);
    for map in [read(&of_metro()), indexed(&read(&of_metro()), None, "metro")] {
        assert_eq!(vec![None, Some(7), Some(0)], map.module_lines().unwrap());
        assert_eq!(vec![(0, vec![0, 10, 300]), (1, vec![5])], map.function_offsets().unwrap());
    }
}

#[test]
fn what_metro_wrote_of_sections_becomes_one_list() {
    let section = |line: u32| json!({"offset": {"line": line, "column": 0}, "map": of_metro()});
    let map = read(&json!({"version": 3, "sections": [section(0), section(3)]}));
    let index = indexed(&map, None, "metro-sections");
    for map in [&map, &index] {
        assert_eq!(Some("<global>"), map.function_at(3, 0).unwrap().as_deref());
        let json: Value = serde_json::from_slice(&map.to_json().unwrap()).unwrap();
        let one = &of_metro()["x_facebook_sources"];
        assert_eq!(json!([one[0], null, one[0], null]), json["x_facebook_sources"]);
    }
}

#[test]
fn faults_have_their_field_and_place() {
    let scopes = |text: &str| json!({"version": 3, "sources": ["a"], "names": ["n"], "mappings": "", "scopes": text});
    let hermes = |value: Value| json!({"version": 3, "sources": ["a"], "names": [], "mappings": "", "x_facebook_sources": value});
    let field = |field, offset, reason| Error::Field { field, offset, reason };
    let reference = |kind, index, limit| Error::Reference { kind, index, limit };
    let base = "a number is missing";
    let faults = [
        (scopes("BAA"), field("scopes", 3, base)),
        (scopes("BAAA"), field("scopes", 4, "a scope or range has no end")),
        (scopes("CAA"), field("scopes", 1, "a scope ends that did not begin")),
        (scopes("BAAA,CA!"), field("scopes", 7, "is no base64")),
        (scopes("DA"), field("scopes", 1, "variables stand outside of a scope")),
        (scopes("GB"), field("scopes", 1, "expressions stand outside of a range")),
        (scopes("HAAAA"), field("scopes", 2, "expressions stand outside of a range")),
        (scopes("IAAA"), field("scopes", 1, "the place of a call stands outside of a range")),
        (scopes("FA"), field("scopes", 1, "a range ends that did not begin")),
        (scopes("EIA"), field("scopes", 2, "a range is hidden that is no function")),
        (scopes("EAA,GB,FA"), field("scopes", 5, "expressions stand in a range that is of no scope")),
        (scopes("BAAA,A,CAA"), field("scopes", 6, "an empty item stands in a scope")),
        (scopes("BAAA;CAA"), field("scopes", 4, "an item is expected behind a comma")),
        (scopes("BAAA,CAA,"), field("scopes", 9, "an item is expected behind a comma")),
        (scopes("BAAA,EAA,FA,CAA"), field("scopes", 5, "no item of scopes stands in a scope")),
        (scopes("EAA,BAAA,CAA,FA"), field("scopes", 4, "a scope stands behind a range")),
        (scopes("BBAAC,CAA"), reference(ReferenceKind::ScopeName, 1, 1)),
        (scopes("BBAAD,CAA"), reference(ReferenceKind::ScopeName, -1, 1)),
        (scopes("ECAA,FA"), reference(ReferenceKind::Definition, 0, 0)),
        (scopes("A,A"), reference(ReferenceKind::ScopeSource, 1, 1)),
        (scopes("EAA,IBAA,FA"), reference(ReferenceKind::ScopeSource, 1, 1)),
        (hermes(json!(1)), field("x_facebook_sources", 0, "must be a list")),
        (hermes(json!([1])), field("x_facebook_sources", 1, "a source must be a list or null")),
        (hermes(json!([[1]])), field("x_facebook_sources", 2, "the functions of a source must be an object or null")),
        (hermes(json!([[{"mappings": "!", "names": []}]])), field("x_facebook_sources", 15, "is no base64")),
        (
            hermes(json!([[{"mappings": "AAAA", "names": ["f"]}]])),
            field("x_facebook_sources", 18, "a segment has at most 3 numbers"),
        ),
        (
            hermes(json!([[{"mappings": "D", "names": ["f"]}]])),
            field("x_facebook_sources", 15, "a number becomes negative or 2^31"),
        ),
        (hermes(json!([[{"mappings": "A", "names": []}]])), reference(ReferenceKind::ScopeName, 0, 0)),
        (hermes(json!([null, null])), reference(ReferenceKind::ScopeSource, 1, 1)),
    ];
    for (map, fault) in faults {
        // The standard knows no `x_facebook_sources`, and refuses no map for what it doesn't know.
        let is_standard = map.get("scopes").is_some();
        let strict = read_as(&map, true);
        assert_eq!(is_standard.then_some(&fault), strict.as_ref().err(), "{map}");
        let mended = read_as(&map, false).unwrap();
        let [warning] = mended.warnings() else { panic!("{map}: {:?}", mended.warnings()) };
        assert!(warning.starts_with(&fault.to_string()), "{warning}");
        assert_eq!(Ok(None), mended.function_at(0, 0));
    }
}

#[test]
fn deep_scopes_have_a_limit() {
    let deep = |depth: usize| {
        let text = [vec!["BAAA"; depth], vec!["CAA"; depth]].concat().join(",");
        json!({"version": 3, "sources": ["a"], "names": [], "mappings": "", "scopes": text})
    };
    assert!(read_as(&deep(4096), true).is_ok());
    assert!(matches!(read_as(&deep(4097), true), Err(Error::Limit { limit: 4096, .. })));
}

#[test]
fn functions_of_a_script_have_the_names_of_the_map() {
    let script = "function t(){n()}var e={o:()=>1};\nclass r{#s(){}};\n/\u{1f600}/;i=()=>{}";
    // `t` is `start`, `e` is `exports`, `o` has no name of its own, `#s` is `#secret`; the last one lies behind a character
    // of two units.
    let mapped = |column: usize, line: usize| SegmentPlace { line, column };
    let [t, e] = [mapped(9, 0), mapped(21, 0)];
    let [s, i] = [mapped(8, 1), mapped(5, 2)];
    assert_eq!(("t", "e"), (&script[9..10], &script[21..22]));
    let map = json!({
        "version": 3, "sources": ["a.js"], "names": ["start", "exports", "secret", "last"],
        "mappings": mappings(&[t, e, s, i]),
    });
    let map = read(&map);
    let functions = Functions::of_script(&map, script.as_bytes(), &Limits::default()).unwrap();
    let index = indexed(&map, Some(&functions), "script");
    let wanted = [
        (0, 12, Some("start")),
        (0, 27, Some("exports.o")),
        (0, 31, None),
        (1, 3, Some("new r")),
        (1, 13, Some("r.#secret")),
        (2, 5, None),
        (2, 7, Some("last")),
    ];
    for (line, column, name) in wanted {
        assert_eq!(name, functions.at(&map, line, column).unwrap().as_deref(), "{line}:{column}");
        assert_eq!(name, index.function_at(line, column).unwrap().as_deref(), "{line}:{column}");
        assert_eq!(None, map.function_at(line, column).unwrap());
    }
}

/// A place of the generated code.
#[derive(Clone, Copy)]
struct SegmentPlace {
    line: usize,
    column: usize,
}

/// Segments at places, each with the next name.
fn mappings(places: &[SegmentPlace]) -> String {
    let mut lines: Vec<Vec<String>> = Vec::new();
    let mut last = SegmentPlace { line: 0, column: 0 };
    for (index, place) in places.iter().enumerate() {
        lines.resize(lines.len().max(place.line + 1), Vec::new());
        let column = if place.line == last.line { place.column - last.column } else { place.column };
        let name = signed(i64::from(index > 0));
        lines[place.line].push(items(&[&[signed(i64::try_from(column).unwrap()), 0, 0, 0, name]]));
        last = *place;
    }
    lines.iter().map(|line| line.join(",")).collect::<Vec<_>>().join(";")
}

#[test]
fn names_of_functions_have_a_length() {
    let long = "n".repeat(1 << 20);
    let map = read(&json!({"version": 3, "sources": [], "names": [], "mappings": ""}));
    let script = format!("{long}={{{}}}", "f(){},".repeat(20_000));
    let functions = Functions::of_script(&map, script.as_bytes(), &Limits::default()).unwrap();
    let name = functions.at(&map, 0, (1 << 20) + 5).unwrap().unwrap();
    assert_eq!(1024, name.len());
    let small = Limits { bytes: 10, ..Limits::default() };
    assert!(matches!(Functions::of_script(&map, script.as_bytes(), &small), Err(Error::Limit { .. })));
}

#[test]
fn every_damage_to_functions_is_noticed() {
    for (name, map) in [("damaged-ranges", with_ranges()), ("damaged-metro", of_metro())] {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        write(&read(&map), &path, Content::Zstd, false).unwrap();
        let bytes = fs::read(path).unwrap();
        let answers = |bytes: Vec<u8>| {
            let map = SourceMap::open(&buffer(bytes), Opening::default())?;
            let names: Result<Vec<_>, _> = (0..12).map(|at| map.function_at(at % 4, 4 * at)).collect();
            Ok::<_, Error>((names?, map.scopes()?, map.to_json()?))
        };
        let wanted = answers(bytes.clone()).unwrap();
        assert!(wanted.0.iter().any(Option::is_some));
        for at in 0..bytes.len() {
            for bit in [1, 4, 0x80] {
                let mut damaged = bytes.clone();
                damaged[at] ^= bit;
                match answers(damaged) {
                    Ok(found) => assert_eq!(wanted, found, "{name}, byte {at}"),
                    Err(Error::IndexCorrupt { .. } | Error::IndexVersion { .. }) => {}
                    Err(other) => panic!("{name}, byte {at}: {other}"),
                }
            }
        }
    }
}

/// What the proposal's own tests have, and what they say of it.
#[test]
fn the_proposals_own_scopes_are_read() {
    let read = |scopes: &str, sources: usize| {
        let names = ["originalFunctionFoo", "innerOriginalFunction", "block"];
        let sources: Vec<_> = (0..sources).map(|index| format!("original_{index}.js")).collect();
        let map = json!({"version": 3, "sources": sources, "mappings": "", "names": names, "scopes": scopes});
        let scopes = read(&map).scopes().unwrap().unwrap();
        let place = |at: Position| (at.line, at.column);
        let seen =
            scopes.originals.iter().map(|scope| (scope.source, scope.parent, place(scope.start), place(scope.end)));
        (seen.collect::<Vec<_>>(), scopes.originals.iter().map(|scope| scope.name).collect::<Vec<_>>())
    };
    // decoding/scopes of tc39/source-map-tests: close-start-end-position-scopes, multiple-root-original-scopes-with-nil, nested-scopes.
    let close = vec![
        (0, None, (0, 0), (1, 0)),
        (0, Some(0), (0, 0), (0, 1)),
        (0, Some(0), (0, 1), (0, 2)),
        (0, Some(0), (0, 3), (0, 5)),
    ];
    assert_eq!(close, read("BAAA,BAAA,CAB,BAAA,CAB,BAAB,CAC,CBA", 1).0);
    let roots = vec![(0, None, (0, 0), (10, 0)), (2, None, (0, 0), (10, 0))];
    assert_eq!(roots, read("BCAAA,CKA,A,BCAAA,CKA", 3).0);
    let (nested, names) = read("BAAA,BFKAA,BFFCC,BCFEE,CFE,CBC,CBA,CBA", 1);
    let places = [((0, 0), (28, 0)), ((10, 0), (27, 0)), ((15, 2), (26, 2)), ((20, 4), (25, 4))];
    assert_eq!(places.to_vec(), nested.iter().map(|scope| (scope.2, scope.3)).collect::<Vec<_>>());
    assert_eq!(vec![None, Some(0), Some(1), None], names);
}
