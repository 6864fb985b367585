//! What strangers give takes no more time and memory than its size allows.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail in the place where it finds a fault")]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

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
fn strings_are_limited_in_number_wherever_they_stand() {
    let within = |json: &str, strings| read(json.to_owned(), Limits { strings, ..Limits::default() }).err();
    let over = |limit| Some(Error::Limit { what: "the number of sources, contents and names", limit });
    let plain = r#"{"version":3,"sources":["a","b"],"sourcesContent":[null],"names":["c",0],"mappings":""}"#;
    assert_eq!((None, over(4)), (within(plain, 5), within(plain, 4)));
    let section = |line| format!(r#"{{"offset":{{"line":{line},"column":0}},"map":{plain}}}"#);
    let sections = format!(r#"{{"version":3,"sections":[{},{}]}}"#, section(0), section(1));
    assert_eq!((None, over(8)), (within(&sections, 9), within(&sections, 8)));
    // Three bytes each, of which a map made hundreds of millions of bytes.
    let many = format!(r#"{{"version":3,"sources":[{}0],"names":[],"mappings":""}}"#, "0,".repeat(1 << 24));
    assert_eq!(over(1 << 24), read(many, Limits::default()).err());
}

#[test]
fn a_root_in_front_of_each_source_counts_each_time() {
    let root = "r".repeat(1 << 20);
    let sources = r#""a","#.repeat(1000);
    let json = format!(r#"{{"version":3,"sourceRoot":"{root}","sources":[{sources}"a"],"names":["n"],"mappings":""}}"#);
    let what = "the size of all sources and names in bytes";
    assert_eq!(Some(Error::Limit { what, limit: 256 << 20 }), read(json.clone(), Limits::default()).err());
    let needed = 1001 * ((1 << 20) + 1) + 1;
    let within = |string_bytes| read(json.clone(), Limits { string_bytes, ..Limits::default() }).err();
    assert_eq!((None, Some(Error::Limit { what, limit: needed - 1 })), (within(needed), within(needed - 1)));
}

#[test]
fn ranges_stay_with_their_segments_when_these_are_sorted() {
    // The second segment stands for a range, and lies before the first.
    let mended =
        plain(r#"{"version":3,"sources":["a"],"names":[],"mappings":"UAAA,LACA","rangeMappings":"C"}"#.to_owned());
    let sorted =
        plain(r#"{"version":3,"sources":["a"],"names":[],"mappings":"KACA,KADA","rangeMappings":"B"}"#.to_owned());
    let original =
        |map: &SourceMap, column| map.lookup(0, column, oxflow_sourcemap::Bias::Before).unwrap().unwrap().original;
    for column in [5, 7, 10, 12] {
        assert_eq!(original(&sorted, column), original(&mended, column), "column {column}");
    }
    assert_eq!(Some(2), original(&mended, 7).map(|at| at.column));
}

/// Seconds that this thread had a processor for: whoever else uses the machine doesn't count.
#[cfg(target_os = "linux")]
fn spent() -> u64 {
    // The system counts it when a thread stops, and else only some hundred times a second.
    std::thread::yield_now();
    let times = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    times.split(' ').next().unwrap().parse::<u64>().unwrap() / 1_000_000_000
}

#[test]
#[cfg(target_os = "linux")]
fn many_faults_take_time_in_proportion() {
    // Each fault has its line and column; to find them for all of these took minutes.
    let started = spent();
    let map =
        plain(format!(r#"{{"version":3,{}"sources":[],"names":[],"mappings":""}}"#, r#""file":1,"#.repeat(60_000)));
    assert_eq!(100, map.warnings().len());
    assert!(spent() - started < 30, "{} s", spent() - started);
}
