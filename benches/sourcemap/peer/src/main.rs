//! Reads a map with one implementation in Rust and looks places up; prints what it cost, in processor time.
//!
//! `sourcemap-peer oxflow|sourcemap|oxc MAP PLACES`, and `index` for the index file of oxflow. `choose MAP PLACES` chooses what all
//! contestants look up, and writes it: as many lines as columns, numbers of 32 bits.

use std::env;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use oxflow_sourcemap::index::{Content, Opening, mapped, write};
use oxflow_sourcemap::{Bias, Buffer, Options, SourceMap};

/// Places that are chosen.
const PLACES: usize = 1_000_000;
/// Lookups of a measurement.
const LOOKUPS: usize = 200_000;

fn main() {
    let arguments: Vec<_> = env::args().collect();
    let [_, implementation, map, places] = arguments.as_slice() else { panic!("see the head of main.rs") };
    let data = fs::read(map).expect("the map is there");
    if implementation == "choose" {
        return fs::write(places, chosen(&data)).expect("a file");
    }
    let places = read(places);
    let (parse, lookup) = match implementation.as_str() {
        "oxflow" => oxflow(data, &places),
        "sourcemap" => peer(&data, &places),
        "oxc" => oxc(&data, &places),
        "index" => index(data),
        other => panic!("no implementation is called {other}"),
    };
    println!("{parse} {lookup}");
}

/// Processor time of this process so far, in nanoseconds.
fn cpu() -> u64 {
    // The system counts it when a thread stops, and else only some hundred times a second.
    std::thread::sleep(Duration::from_nanos(1));
    let text = fs::read_to_string("/proc/self/schedstat").expect("Linux tells");
    text.split(' ').next().and_then(|time| time.parse().ok()).expect("the first number")
}

/// What a call took, in microseconds.
fn timed<T>(call: impl FnOnce() -> T) -> (T, u64) {
    let start = cpu();
    let value = call();
    (value, (cpu() - start) / 1000)
}

/// Segments by chance, and of each a column at which it begins or up to two further on.
fn chosen(data: &[u8]) -> Vec<u8> {
    let map = sourcemap::SourceMap::from_slice(data).expect("a map");
    let all: Vec<_> = map.tokens().map(|token| token.get_dst()).collect();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let places: Vec<_> = (0..PLACES)
        .map(|_| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let (line, column) = all[(seed >> 8) as usize % all.len()];
            (line, column + (seed & 255) as u32 % 3)
        })
        .collect();
    let (lines, columns): (Vec<u32>, Vec<u32>) = places.into_iter().unzip();
    lines.into_iter().chain(columns).flat_map(u32::to_le_bytes).collect()
}

/// The first places of a file that `chosen` made.
fn read(path: &str) -> Vec<(u32, u32)> {
    let bytes = fs::read(path).expect("places are there");
    let numbers =
        |bytes: &[u8]| bytes.chunks_exact(4).map(|four| u32::from_le_bytes(four.try_into().unwrap())).collect();
    let (lines, columns): (Vec<u32>, Vec<u32>) = (numbers(&bytes[..4 * PLACES]), numbers(&bytes[4 * PLACES..]));
    lines.into_iter().zip(columns).take(LOOKUPS).collect()
}

/// Nanoseconds of a lookup.
fn each(places: &[(u32, u32)], mut look: impl FnMut(u32, u32)) -> u64 {
    let ((), took) = timed(|| places.iter().for_each(|(line, column)| look(*line, *column)));
    took * 1000 / places.len() as u64
}

fn oxflow(data: Vec<u8>, places: &[(u32, u32)]) -> (u64, u64) {
    let buffer: Buffer = Arc::new(data);
    let (map, parse) = timed(|| SourceMap::read(&buffer, &Options::default()).expect("a map"));
    let lookup = each(places, |line, column| {
        let _ = black_box(map.lookup(line.into(), column.into(), Bias::Before));
    });
    (parse, lookup)
}

fn peer(data: &[u8], places: &[(u32, u32)]) -> (u64, u64) {
    let (map, parse) = timed(|| sourcemap::SourceMap::from_slice(data).expect("a map"));
    let lookup = each(places, |line, column| {
        black_box(map.lookup_token(line, column));
    });
    (parse, lookup)
}

fn oxc(data: &[u8], places: &[(u32, u32)]) -> (u64, u64) {
    let text = std::str::from_utf8(data).expect("UTF-8");
    let ((map, table), parse) = timed(|| {
        let map = oxc_sourcemap::SourceMap::from_json_string(text).expect("a map");
        let table = map.generate_lookup_table().len();
        (map, table)
    });
    black_box(table);
    let table = map.generate_lookup_table();
    let lookup = each(places, |line, column| {
        black_box(map.lookup_token(&table, line, column));
    });
    (parse, lookup)
}

fn index(data: Vec<u8>) -> (u64, u64) {
    let path = env::temp_dir().join(format!("sourcemap-peer-{}", std::process::id()));
    let path: &Path = &path;
    let buffer: Buffer = Arc::new(data);
    let ((), build) = timed(|| {
        let map = SourceMap::read(&buffer, &Options::default()).expect("a map");
        write(&map, path, Content::Zstd, false).expect("a file");
    });
    eprintln!("{} bytes", fs::metadata(path).map_or(0, |file| file.len()));
    let ((), opened) = timed(|| {
        let map = SourceMap::open(&mapped(path).expect("a file"), Opening::default()).expect("an index");
        let _ = black_box(map.lookup(3, 5, Bias::Before));
    });
    let _ = fs::remove_file(path);
    (build, opened)
}
