//! What the crate `sourcemap` finds in a valid map is found here.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail in the place where it finds a fault")]

use std::sync::Arc;

use oxflow_sourcemap::{Bias, Buffer, Options, SourceMap};
use proptest::prelude::*;

fn buffer(bytes: Vec<u8>) -> Buffer {
    Arc::new(bytes)
}

/// Lines of segments: column step, source, line, column, name.
type Steps = Vec<Vec<(u32, u32, u32, u32, Option<u32>)>>;

fn map_of(steps: &Steps) -> Vec<u8> {
    let mut builder = sourcemap::SourceMapBuilder::new(None);
    for source in 0..4 {
        builder.add_source(&format!("src/{source}.js"));
    }
    for name in 0..9 {
        builder.add_name(&format!("name{name}"));
    }
    for (line, segments) in (0u32..).zip(steps) {
        let mut at = 0;
        for (step, source, source_line, source_column, name) in segments {
            at += step + 1;
            builder.add_raw(line, at, *source_line, *source_column, Some(*source), *name, false);
        }
    }
    let mut json = Vec::new();
    builder.into_sourcemap().to_writer(&mut json).unwrap();
    json
}

fn steps() -> impl Strategy<Value = Steps> {
    let segment = (0u32..30, 0u32..4, 0u32..100, 0u32..90, prop::option::of(0u32..9));
    prop::collection::vec(prop::collection::vec(segment, 0..40), 0..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn the_crate_sourcemap_finds_the_same(steps in steps()) {
        let json = map_of(&steps);
        let peer = sourcemap::SourceMap::from_slice(&json).unwrap();
        let ours = SourceMap::read(&buffer(json), &Options { strict: true, ..Options::default() }).unwrap();
        for line in (0u32..).take(steps.len() + 1) {
            for column in (0..200).step_by(3) {
                let found = ours.lookup(line.into(), column.into(), Bias::Before).unwrap();
                // It crosses lines, which the standard does not.
                let wanted = peer.lookup_token(line, column).filter(|token| token.get_dst_line() == line);
                let wanted = wanted.map(|token| (token.get_src_line(), token.get_src_col(), token.get_source(), token.get_name()));
                let source = found.and_then(|segment| ours.source(segment.original?.source as usize).unwrap());
                let name = found.and_then(|segment| ours.name(segment.name? as usize).unwrap());
                let found = found.and_then(|segment| segment.original).map(|at| (at.line, at.column, source.as_deref(), name.as_deref()));
                prop_assert_eq!(wanted, found, "{}:{}", line, column);
            }
        }
    }

    #[test]
    fn what_is_written_is_read_by_the_crate_sourcemap(steps in steps()) {
        let ours = SourceMap::read(&buffer(map_of(&steps)), &Options::default()).unwrap();
        let peer = sourcemap::SourceMap::from_slice(&ours.to_json().unwrap()).unwrap();
        let mut tokens = peer.tokens();
        ours.each(|segment| {
            let token = tokens.next().unwrap();
            assert_eq!((token.get_dst_line(), token.get_dst_col()), (segment.line, segment.column));
        }).unwrap();
        prop_assert!(tokens.next().is_none());
    }
}
