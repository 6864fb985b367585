//! An index file answers as the map does, and no damage to it goes unnoticed.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail in the place where it finds a fault"
)]

use std::borrow::Cow;
use std::fs;
use std::path::PathBuf;
use std::process;
use std::sync::Arc;

use oxflow_sourcemap::index::{Content, Opening, mapped, write};
use oxflow_sourcemap::{Bias, Buffer, Error, Options, Segment, SourceMap};
use proptest::prelude::*;

fn buffer(bytes: Vec<u8>) -> Buffer {
    Arc::new(bytes)
}

fn read(json: &str) -> SourceMap {
    SourceMap::read(&buffer(json.to_owned().into_bytes()), &Options::default()).unwrap()
}

fn place(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn written(map: &SourceMap, name: &str, content: Content) -> Vec<u8> {
    let path = place(name);
    write(map, &path, content, false).unwrap();
    fs::read(path).unwrap()
}

fn open(bytes: Vec<u8>) -> Result<SourceMap, Error> {
    SourceMap::open(&buffer(bytes), Opening::default())
}

/// A map with everything that an index holds.
fn map_of(mappings: &str) -> SourceMap {
    let ranges = if mappings.contains(';') { "B" } else { "" };
    read(&format!(
        r#"{{"version":3,"file":"out.js","debugId":"d","sourceRoot":"r","sources":["a.js",null,"c\u00e9.js"],
        "sourcesContent":["let a;\n\"\u00e9\"",null,"ccc"],"names":["one","two","three"],"ignoreList":[2],
        "mappings":"{mappings}","rangeMappings":"{ranges}"}}"#
    ))
}

const MAPPINGS: &str = "AAAAA,CAAAC,CCAC;;A,GCAEC;AAEA,IACA;;;EACAD";

/// All that a map answers.
fn answers(map: &SourceMap) -> Result<Vec<String>, Error> {
    let mut all = vec![format!("{:?} {:?} {:?}", map.file(), map.debug_id(), map.warnings())];
    for index in 0..map.source_count().min(10) {
        all.push(format!("{:?} {:?} {}", map.source(index)?, map.source_content(index)?, map.is_ignored(index)?));
    }
    for index in 0..map.name_count().min(10) {
        all.push(format!("{:?}", map.name(index)?));
    }
    for line in 0..9 {
        for column in 0..9 {
            all.push(format!("{:?}", map.lookup(line, column, Bias::Before)?));
            all.push(format!("{:?}", map.lookup(line, column, Bias::After)?));
        }
    }
    let mut segments = Vec::new();
    map.each(|segment| segments.push(segment))?;
    all.push(format!("{segments:?} {} {}", map.segment_count(), map.line_count()));
    all.push(String::from_utf8(map.to_json()?).unwrap());
    Ok(all)
}

#[test]
fn an_index_answers_as_its_map() {
    let map = map_of(MAPPINGS);
    for content in [Content::Zstd, Content::Raw] {
        let bytes = written(&map, "whole", content);
        assert_eq!(answers(&map), answers(&open(bytes.clone()).unwrap()));
        let verified = SourceMap::open(&buffer(bytes), Opening { verify: true }).unwrap();
        assert_eq!(answers(&map), answers(&verified));
        let mapped = mapped(&place("whole")).unwrap();
        assert_eq!(answers(&map), answers(&SourceMap::open(&mapped, Opening::default()).unwrap()));
    }
    let bare = open(written(&map, "bare", Content::None)).unwrap();
    assert_eq!(None, bare.source_content(0).unwrap());
}

#[test]
fn empty_contents_are_contents() {
    // A frame is closed at 256 KiB: what comes behind it, and is all empty, has no frame.
    let long = "x".repeat(256 << 10);
    for (sources, contents, last) in
        [(r#""a""#, String::from(r#""""#), 0), (r#""a","b""#, format!(r#""{long}","""#), 1)]
    {
        let map = read(&format!(
            r#"{{"version":3,"sources":[{sources}],"sourcesContent":[{contents}],"names":[],"mappings":""}}"#
        ));
        for content in [Content::Zstd, Content::Raw] {
            let index = open(written(&map, "empty", content)).unwrap();
            assert_eq!(Ok(Some("")), index.source_content(last).as_ref().map(Option::as_deref));
            assert_eq!(answers(&map), answers(&index));
        }
    }
}

#[test]
fn no_text_lies_in_a_file_that_others_may_change() {
    let index = open(written(&map_of(MAPPINGS), "copied", Content::Zstd)).unwrap();
    assert!(matches!(index.name(0), Ok(Some(Cow::Owned(_)))));
    assert!(matches!(index.source(0), Ok(Some(Cow::Owned(_)))));
}

#[test]
fn files_that_others_write_beside_the_index_stay() {
    // Those of another container that shares the folder, where processes have the same numbers.
    let path = place("shared");
    let others: Vec<_> = (0..300).map(|number| place(&format!("shared.{}-{number}.tmp", process::id()))).collect();
    for other in &others {
        fs::write(other, "theirs").unwrap();
    }
    write(&map_of(MAPPINGS), &path, Content::Zstd, true).unwrap();
    assert!(SourceMap::open(&mapped(&path).unwrap(), Opening::default()).is_ok());
    for other in &others {
        assert_eq!("theirs", fs::read_to_string(other).unwrap());
        fs::remove_file(other).unwrap();
    }
}

#[test]
fn sections_become_one_map() {
    let one = r#"{"version":3,"sources":["a"],"names":[],"mappings":"AAAA,EACA;A"}"#;
    let section = |line: u32| format!(r#"{{"offset":{{"line":{line},"column":2}},"map":{one}}}"#);
    let map = read(&format!(r#"{{"version":3,"sections":[{},{}]}}"#, section(0), section(4)));
    assert_eq!(answers(&map), answers(&open(written(&map, "sections", Content::Zstd)).unwrap()));
}

#[test]
fn every_byte_that_is_flipped_is_an_error_or_changes_nothing() {
    let map = map_of(MAPPINGS);
    let wanted = answers(&map).unwrap();
    let bytes = written(&map, "flipped", Content::Zstd);
    let mut noticed = 0;
    for at in 0..bytes.len() {
        for bit in [1, 0x80] {
            let mut damaged = bytes.clone();
            damaged[at] ^= bit;
            match open(damaged).and_then(|map| answers(&map)) {
                Ok(found) => assert_eq!(wanted, found, "byte {at}"),
                Err(Error::IndexCorrupt { .. } | Error::IndexVersion { .. }) => noticed += 1,
                Err(other) => panic!("byte {at}: {other}"),
            }
        }
    }
    assert!(noticed > bytes.len(), "{noticed} of {} flips are noticed", 2 * bytes.len());
}

#[test]
fn every_shorter_file_is_an_error() {
    let bytes = written(&map_of(MAPPINGS), "short", Content::Zstd);
    for length in 0..bytes.len() {
        let found = open(bytes[..length].to_vec());
        assert!(matches!(found, Err(Error::IndexCorrupt { .. })), "{length} bytes");
    }
    let longer = [&*bytes, &[0]].concat();
    assert!(matches!(open(longer), Err(Error::IndexCorrupt { .. })));
}

#[test]
fn a_file_of_another_version_says_so() {
    let mut bytes = written(&map_of(MAPPINGS), "version", Content::Zstd);
    bytes[8] = 2;
    let sum = crc32fast::hash(&bytes[..60]);
    bytes[60..64].copy_from_slice(&sum.to_le_bytes());
    assert_eq!(Some(Error::IndexVersion { found: 2 }), open(bytes).err());
}

#[test]
fn an_index_is_replaced_as_a_whole() {
    let path = place("replaced");
    write(&map_of("AAAA"), &path, Content::Zstd, true).unwrap();
    let old = SourceMap::open(&mapped(&path).unwrap(), Opening::default()).unwrap();
    write(&map_of(MAPPINGS), &path, Content::Zstd, true).unwrap();
    let new = SourceMap::open(&mapped(&path).unwrap(), Opening::default()).unwrap();
    assert_eq!(answers(&map_of("AAAA")), answers(&old));
    assert_eq!(answers(&map_of(MAPPINGS)), answers(&new));
    let folder = fs::read_dir(path.parent().unwrap()).unwrap();
    assert!(folder.filter_map(Result::ok).all(|file| !file.file_name().to_string_lossy().starts_with("replaced.")));
    assert!(write(&map_of(MAPPINGS), &place("no/such/folder"), Content::Zstd, true).is_err());
}

/// Lines of segments: column step, source, line, column, name.
type Steps = Vec<Vec<(u32, u32, u32, u32, Option<u32>)>>;

fn random(steps: &Steps) -> SourceMap {
    let mut builder = sourcemap::SourceMapBuilder::new(None);
    for source in 0..200 {
        builder.add_source(&format!("src/{source}.js"));
    }
    for name in 0..300 {
        builder.add_name(&format!("name{name}"));
    }
    for (line, segments) in (0u32..).zip(steps) {
        let mut at = 0;
        for (step, source, source_line, source_column, name) in segments {
            at += step;
            builder.add_raw(line, at, *source_line, *source_column, Some(*source), *name, false);
        }
    }
    let mut json = Vec::new();
    builder.into_sourcemap().to_writer(&mut json).unwrap();
    read(&String::from_utf8(json).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_segment_is_found_in_the_index(steps in prop::collection::vec(prop::collection::vec((0u32..90, 0u32..200, 0u32..100, 0u32..90, prop::option::of(0u32..300)), 0..150), 0..9)) {
        let map = random(&steps);
        let index = open(written(&map, "random", Content::Zstd)).unwrap();
        let mut segments: Vec<Segment> = Vec::new();
        map.each(|segment| segments.push(segment)).unwrap();
        for segment in &segments {
            for column in [segment.column, segment.column + 1, segment.column.saturating_sub(1)] {
                for bias in [Bias::Before, Bias::After] {
                    let (line, column) = (segment.line.into(), column.into());
                    prop_assert_eq!(map.lookup(line, column, bias).unwrap(), index.lookup(line, column, bias).unwrap());
                }
            }
            let name = segment.name.map_or(0, |name| name as usize);
            prop_assert_eq!(map.name(name).unwrap(), index.name(name).unwrap());
        }
        let positions = || segments.iter().map(|segment| Some((segment.line, segment.column + 1)));
        let mut answers = vec![Vec::new(), Vec::new()];
        for (map, answers) in [&map, &index].into_iter().zip(&mut answers) {
            map.lookup_many(positions(), |place, segment| answers.push((place, segment))).unwrap();
        }
        prop_assert_eq!(&answers[0], &answers[1]);
    }
}
