//! What strangers give takes no more time and memory than its size allows.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail in the place where it finds a fault")]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use oxflow_sourcemap::index::{Content, Opening, write};
use oxflow_sourcemap::{Buffer, Error, Limits, Options, Result, SourceMap};

fn read(json: String, limits: Limits) -> Result<SourceMap> {
    let buffer: Buffer = Arc::new(json.into_bytes());
    SourceMap::read(&buffer, &Options { strict: false, limits })
}

fn plain(json: String) -> SourceMap {
    read(json, Limits::default()).unwrap()
}

fn index_of(map: &SourceMap, name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    write(map, &path, Content::Zstd, false).unwrap();
    fs::read(path).unwrap()
}

fn open(bytes: Vec<u8>) -> Result<SourceMap> {
    let buffer: Buffer = Arc::new(bytes);
    SourceMap::open(&buffer, Opening { verify: true })
}

fn put(bytes: &mut [u8], at: usize, number: u32) {
    bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
}

/// Changes a section of an index file, and makes all sums right again.
fn change(bytes: &mut [u8], kind: u8, how: impl FnOnce(&mut [u8])) {
    let directory = 64..64 + 32 * usize::from(bytes[12]);
    let entry = directory.clone().step_by(32).find(|entry| bytes[*entry] == kind).unwrap();
    let number = |at: usize| usize::try_from(u64::from_le_bytes(*bytes[at..].first_chunk().unwrap())).unwrap();
    let section = number(entry + 8)..number(entry + 8) + number(entry + 16);
    how(&mut bytes[section.clone()]);
    put(bytes, entry + 4, crc32fast::hash(&bytes[section]));
    put(bytes, 24, crc32fast::hash(&bytes[directory]));
    put(bytes, 60, crc32fast::hash(&bytes[..60]));
}

const SMALL: &str = r#"{"version":3,"sources":["a"],"sourcesContent":["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"],"names":["b"],"mappings":"A"}"#;

#[test]
fn an_index_has_no_more_strings_than_it_has_room_for() {
    let good = index_of(&plain(SMALL.to_owned()), "counts");
    for at in [8, 16] {
        for count in [1_u64 << 20, u64::MAX] {
            let mut bytes = good.clone();
            change(&mut bytes, 1, |facts| facts[at..at + 8].copy_from_slice(&count.to_le_bytes()));
            assert_eq!(Some(Error::IndexCorrupt { what: "the facts" }), open(bytes).err(), "{count} at {at}");
        }
    }
}

/// Bytes that the process had reserved at most.
#[cfg(target_os = "linux")]
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmPeak:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

#[test]
#[cfg(target_os = "linux")]
fn memory_is_made_for_what_is_there_and_not_for_what_is_claimed() {
    let before = peak();
    let mut bytes = index_of(&plain(SMALL.to_owned()), "frames");
    change(&mut bytes, 9, |frames| {
        put(frames, 12, u32::MAX);
        frames[16..20].fill(0);
    });
    // The frame's own sum covers its number, its entry, and its data.
    let mut data = Vec::new();
    change(&mut bytes, 10, |section| data = section.to_vec());
    change(&mut bytes, 9, |frames| {
        let sum = crc32fast::hash(&[&[0; 8], &frames[..16], &data].concat());
        put(frames, 16, sum);
    });
    assert_eq!(Some(Error::IndexCorrupt { what: "a frame of contents" }), open(bytes).unwrap().source_content(0).err());
    let ranges = ";".repeat(20 << 20) + "B";
    let map = plain(format!(r#"{{"version":3,"sources":[],"names":[],"mappings":"A","rangeMappings":"{ranges}"}}"#));
    assert_eq!(1, map.warnings().len());
    assert!(peak() - before < 512 << 20, "{} MiB", (peak() - before) >> 20);
}

#[test]
fn sections_that_lie_far_below_are_looked_up_but_not_put_together() {
    let far = |line: u32| {
        let section = r#"{"version":3,"sources":["a"],"names":[],"mappings":"AAAA"}"#;
        plain(format!(r#"{{"version":3,"sections":[{{"offset":{{"line":{line},"column":0}},"map":{section}}}]}}"#))
    };
    let map = far(i32::MAX.unsigned_abs() - 1);
    assert!(map.lookup(2_147_483_646, 0, oxflow_sourcemap::Bias::Before).unwrap().is_some());
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("far");
    for error in [map.to_json().err(), write(&map, &path, Content::Zstd, false).err()] {
        assert!(matches!(error, Some(Error::Limit { limit: 67_108_864, .. })), "{error:?}");
    }
    assert!(far(1000).to_json().is_ok());
}

#[test]
fn mended_mappings_stay_below_the_limit_of_bytes() {
    // Even columns with one line, then odd ones with another: in order, each step is a long one.
    let steps = ",EAAA".repeat(2000);
    let back = ",/5HAggggggCA";
    let json = format!(r#"{{"version":3,"sources":["a"],"names":[],"mappings":"AAAA{steps}{back}{steps}"}}"#);
    let bytes = json.len() as u64;
    let within = |bytes: u64| read(json.clone(), Limits { bytes, ..Limits::default() });
    assert_eq!(4002, within(4 * bytes).unwrap().segment_count());
    assert!(matches!(within(bytes).err(), Some(Error::Limit { limit, .. }) if limit == bytes));
}

#[test]
fn many_faults_take_time_in_proportion() {
    // Each fault has its line and column; to find them for all of these took minutes.
    let started = Instant::now();
    let map =
        plain(format!(r#"{{"version":3,{}"sources":[],"names":[],"mappings":""}}"#, r#""file":1,"#.repeat(60_000)));
    assert_eq!(100, map.warnings().len());
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
}
