//! Maps that are made of others, or of nothing, answer as they should.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail in the place where it finds a fault"
)]

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use oxflow_sourcemap::{Bias, Builder, Error, Options, Original, Rewrite, Segment, SourceMap};
use proptest::prelude::*;
use serde_json::{Value, json};

fn read(json: &[u8]) -> SourceMap {
    let buffer: oxflow_sourcemap::Buffer = Arc::new(json.to_vec());
    SourceMap::read(&buffer, &Options::default()).unwrap()
}

const SOURCES: u32 = 3;
const LINES: u32 = 6;
const COLUMNS: u32 = 20;

/// Line, column, original with name, whether it stands for a range.
type Piece = (u32, u32, Option<(u32, u32, u32, Option<u32>)>, bool);

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let original = (0..SOURCES, 0..LINES, 0..COLUMNS, prop::option::of(0u32..3));
    let piece = (0..LINES, 0..COLUMNS, prop::option::weighted(0.8, original), prop::bool::weighted(0.2));
    prop::collection::vec(piece, 0..25)
}

fn segment(&(line, column, original, _): &Piece) -> Segment {
    let name = original.and_then(|(.., name)| name);
    let original = original.map(|(source, line, column, _)| Original { source, line, column });
    Segment { line, column, original, name }
}

fn builder() -> Builder {
    let mut builder = Builder::new(None);
    for source in 0..SOURCES {
        builder.source(Some(&format!("{source}.js")));
    }
    for name in ["one", "two", "three"] {
        builder.name(name);
    }
    builder
}

fn built(pieces: &[Piece]) -> SourceMap {
    let mut builder = builder();
    for piece in pieces {
        builder.add(segment(piece)).unwrap();
    }
    builder.build().unwrap()
}

/// The JSON of a map with these segments, of which some stand for ranges.
fn document(pieces: &[Piece]) -> Value {
    let mut sorted = pieces.to_vec();
    sorted.sort_by_key(|piece| (piece.0, piece.1));
    let mut json: Value = serde_json::from_slice(&built(&sorted).to_json().unwrap()).unwrap();
    let mut ranges = String::new();
    for line in 0..LINES {
        let mut last = 0;
        let on_line = sorted.iter().filter(|piece| piece.0 == line);
        for (number, _) in (1u8..).zip(on_line).filter(|(_, piece)| piece.3) {
            // Never more than a digit: 25 segments at most.
            ranges.push(char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"[usize::from(number - last)]));
            last = number;
        }
        ranges.push(';');
    }
    json["rangeMappings"] = ranges.into();
    json
}

fn with_ranges(pieces: &[Piece]) -> SourceMap {
    read(document(pieces).to_string().as_bytes())
}

/// What a lookup gives, by names and not by indices; nothing for what has no source.
type Found = Option<(String, u32, u32, Option<String>)>;

fn found(map: &SourceMap, line: u32, column: u32) -> Found {
    let segment = map.lookup(line.into(), column.into(), Bias::Before).unwrap()?;
    let at = segment.original?;
    let name = segment.name.map(|name| map.name(name as usize).unwrap().unwrap().into_owned());
    Some((map.source(at.source as usize).unwrap().unwrap().into_owned(), at.line, at.column, name))
}

fn positions() -> impl Iterator<Item = (u32, u32)> {
    (0..LINES + 3).flat_map(|line| (0..COLUMNS + 4).map(move |column| (line, column)))
}

fn segments(map: &SourceMap) -> Vec<Segment> {
    map.segments().unwrap()
}

proptest! {
    #[test]
    fn what_is_built_is_decoded(pieces in pieces()) {
        let map = built(&pieces);
        let mut wanted: Vec<_> = pieces.iter().map(segment).collect();
        wanted.sort_by_key(|segment| (segment.line, segment.column));
        prop_assert_eq!(&wanted, &segments(&map));
        let json = map.to_json().unwrap();
        let buffer: oxflow_sourcemap::Buffer = Arc::new(json.clone());
        let again = SourceMap::read(&buffer, &Options { strict: true, ..Options::default() }).unwrap();
        prop_assert_eq!(&wanted, &segments(&again));
        prop_assert_eq!(&json, &again.to_json().unwrap());
    }

    #[test]
    fn a_flat_map_answers_as_its_sections(sections in prop::collection::vec((0..LINES, 0..COLUMNS, pieces()), 0..4)) {
        let sections: Vec<_> = sections.iter().map(|(line, column, pieces)| {
            json!({"offset": {"line": line, "column": column}, "map": document(pieces)})
        }).collect();
        // Not strict: they may overlap.
        let map = read(json!({"version": 3, "sections": sections}).to_string().as_bytes());
        let flat = map.flatten().unwrap();
        let again = read(&map.to_json().unwrap());
        for (line, column) in positions() {
            for bias in [Bias::Before, Bias::After] {
                let wanted = map.lookup(line.into(), column.into(), bias).unwrap();
                prop_assert_eq!(&wanted, &flat.lookup(line.into(), column.into(), bias).unwrap(), "{}:{} {:?}", line, column, bias);
                prop_assert_eq!(&wanted, &again.lookup(line.into(), column.into(), bias).unwrap());
            }
        }
        prop_assert_eq!(map.to_json().unwrap(), flat.to_json().unwrap());
    }

    #[test]
    fn a_composed_map_answers_as_two_lookups(outer in pieces(), inner in pieces(), between in 0..SOURCES) {
        let (outer, inner) = (with_ranges(&outer), with_ranges(&inner));
        let composed = outer.compose(&inner, between).unwrap();
        let name = format!("{between}.js");
        for (line, column) in positions() {
            let wanted = found(&outer, line, column).and_then(|(source, line, column, name_there)| {
                if source != name {
                    return Some((source, line, column, name_there));
                }
                let (source, line, column, name) = found(&inner, line, column)?;
                Some((source, line, column, name.or(name_there)))
            });
            prop_assert_eq!(wanted, found(&composed, line, column), "{}:{}", line, column);
        }
        // What was made is as good as what was read.
        prop_assert_eq!(segments(&composed), segments(&read(&composed.to_json().unwrap())));
    }

    #[test]
    fn an_adjusted_map_is_that_of_the_crate_sourcemap(ours in pieces(), edit in pieces()) {
        // Where two stretches begin at one place, the crate takes any of them first.
        let mut seen = HashSet::new();
        let ours: Vec<_> = ours.into_iter().filter(|piece| seen.insert((piece.0, piece.1)) && piece.2.is_some()).collect();
        let mut seen = HashSet::new();
        let edit: Vec<_> = edit.into_iter().filter(|piece| piece.2.is_some_and(|at| seen.insert((at.1, at.2)))).collect();
        let (ours, edit) = (built(&ours), built(&edit));
        let peer = |map: &SourceMap| sourcemap::SourceMap::from_slice(&map.to_json().unwrap()).unwrap();
        let (mut wanted, with) = (peer(&ours), peer(&edit));
        wanted.adjust_mappings(&with);
        let flat = |map: &sourcemap::SourceMap| {
            let mut tokens: Vec<_> = map.tokens().map(|token| (token.get_dst(), token.get_src_id(), token.get_src(), token.get_name_id())).collect();
            tokens.sort_unstable();
            tokens
        };
        prop_assert_eq!(flat(&wanted), flat(&peer(&ours.adjust(&edit).unwrap())));
    }

    #[test]
    fn other_names_of_sources_change_no_place(pieces in pieces()) {
        let map = with_ranges(&pieces);
        let changes = Rewrite { without_names: true, sources: HashMap::from([("1.js".to_owned(), "new.js".to_owned())]), ..Rewrite::default() };
        let changed = map.rewrite(&changes).unwrap();
        for (line, column) in positions() {
            let wanted = found(&map, line, column).map(|(source, line, column, _)| {
                (if source == "1.js" { "new.js".to_owned() } else { source }, line, column, None)
            });
            prop_assert_eq!(wanted, found(&changed, line, column));
        }
    }
}

fn texts(map: &SourceMap) -> Vec<(Option<String>, Option<String>, bool)> {
    let owned = |text: Option<std::borrow::Cow<'_, str>>| text.map(std::borrow::Cow::into_owned);
    let of = |index| {
        (owned(map.source(index).unwrap()), owned(map.source_content(index).unwrap()), map.is_ignored(index).unwrap())
    };
    (0..map.source_count()).map(of).collect()
}

fn source(name: &str, content: Option<&str>) -> (Option<String>, Option<String>, bool) {
    (Some(name.to_owned()), content.map(str::to_owned), false)
}

#[test]
fn a_builder_knows_each_source_and_name_once() {
    let mut builder = Builder::new(Some("out.js"));
    builder.set_debug_id(Some("d"));
    assert_eq!((0, 1, 0), (builder.source(Some("a.js")), builder.source(None), builder.source(Some("a.js"))));
    assert_eq!((0, 1, 0), (builder.name("f"), builder.name("g"), builder.name("f")));
    builder.set_content(0, Some("let \"é\";\n")).unwrap();
    builder.set_ignored(1, true).unwrap();
    let map = builder.build().unwrap();
    assert_eq!((Some("out.js"), Some("d")), (map.file(), map.debug_id()));
    let wanted = vec![source("a.js", Some("let \"é\";\n")), (None, None, true)];
    assert_eq!(wanted, texts(&map));
    assert_eq!(wanted, texts(&read(&map.to_json().unwrap())));
}

#[test]
fn a_builder_refuses_what_leads_nowhere() {
    let mut builder = builder();
    let original = Some(Original { source: SOURCES, line: 0, column: 0 });
    let dangling = Segment { line: 0, column: 0, original, name: None };
    assert_eq!("source 3 does not exist: there are 3", builder.add(dangling).unwrap_err().to_string());
    let unnamed = Segment { original: None, name: Some(7), ..dangling };
    assert_eq!("name 7 does not exist: there are 3", builder.add(unnamed).unwrap_err().to_string());
    let far = Segment { line: 1 << 31, original: None, ..dangling };
    assert!(matches!(builder.add(far), Err(Error::Limit { what: "a line or column", .. })));
    assert!(builder.set_content(3, None).is_err() && builder.set_ignored(3, true).is_err());
    builder.add(Segment { line: (1 << 31) - 1, ..far }).unwrap();
    assert!(matches!(builder.build(), Err(Error::Limit { what: "the number of lines", .. })));
}

#[test]
fn sources_lose_the_first_prefix_that_they_have() {
    let mut builder = Builder::new(None);
    for name in ["/home/me/app/a.js", "/home/me/app/lib/b.js", "/home/me/appendix.js"] {
        builder.source(Some(name));
    }
    builder.source(None);
    builder.set_content(0, Some("a")).unwrap();
    let map = builder.build().unwrap();
    let changed = |prefixes: &[&str]| {
        let strip_prefixes = prefixes.iter().map(|&prefix| prefix.to_owned()).collect();
        let contents = HashMap::from([("lib/b.js".to_owned(), "b".to_owned())]);
        texts(&map.rewrite(&Rewrite { strip_prefixes, contents, ..Rewrite::default() }).unwrap())
    };
    let wanted = |names: [&str; 3], content| {
        let [a, b, other] = names;
        vec![source(a, Some("a")), source(b, content), source(other, None), (None, None, false)]
    };
    assert_eq!(wanted(["a.js", "lib/b.js", "/home/me/appendix.js"], Some("b")), changed(&["/home/me/app"]));
    assert_eq!(wanted(["a.js", "lib/b.js", "me/appendix.js"], Some("b")), changed(&["", "/home/me/app/", "/home"]));
    assert_eq!(wanted(["app/a.js", "app/lib/b.js", "appendix.js"], None), changed(&["~"]));
    let without = map.rewrite(&Rewrite { without_contents: true, ..Rewrite::default() }).unwrap();
    assert_eq!(None, without.source_content(0).unwrap());
}

#[test]
fn a_composed_map_has_the_sources_of_both() {
    let mut outer = Builder::new(None);
    for name in ["lib.js", "build/app.js"] {
        outer.source(Some(name));
    }
    outer.set_ignored(1, true).unwrap();
    let mut inner = Builder::new(Some("app.js"));
    inner.source(Some("app.ts"));
    inner.set_content(0, Some("let a: number")).unwrap();
    let (outer, inner) = (outer.build().unwrap(), inner.build().unwrap());
    assert_eq!(Some(1), outer.source_described_by(&inner).unwrap());
    assert_eq!(None, outer.source_described_by(&outer).unwrap());
    let composed = outer.compose(&inner, 1).unwrap();
    let ignored = (Some("app.ts".to_owned()), Some("let a: number".to_owned()), true);
    assert_eq!(vec![source("lib.js", None), ignored], texts(&composed));
    assert_eq!("source 2 does not exist: there are 2", outer.compose(&inner, 2).err().unwrap().to_string());
}
