//! Every way to read segments gives the same ones, and finds the same.

use proptest::prelude::*;

use super::*;
use crate::error::Result;
use crate::simd::Way;

/// Segments as maps have them, sorted, with long and short differences; what is rare in the field is common here.
fn segments() -> impl Strategy<Value = Vec<Segment>> {
    let step = prop_oneof![20 => 0u32..9, 4 => 0u32..2000, 1 => 0u32..200_000];
    let line = prop_oneof![30 => Just(0u32), 6 => Just(1), 1 => 0u32..2000];
    let place = prop_oneof![20 => 0u32..9, 4 => 0u32..2000, 1 => 0u32..20_000_000];
    let one = (line, step, 0u32..SOURCES, place.clone(), place, prop::option::of(0u32..NAMES), 0..10u32);
    prop::collection::vec(one, 0..400).prop_map(|steps| {
        let (mut at_line, mut at_column) = (0, 0);
        let mut segments = Vec::new();
        for (down, right, source, line, column, name, kind) in steps {
            at_line += down;
            at_column = if down > 0 { right } else { at_column + right };
            let original = (kind > 0).then_some(Original { source, line, column });
            segments.push(Segment { line: at_line, column: at_column, original, name: original.and(name) });
        }
        segments
    })
}

const SOURCES: u32 = 7;
const NAMES: u32 = 300;
const TABLES: Tables = Tables { sources: SOURCES as usize, names: NAMES as usize, segments: u64::MAX, bytes: u64::MAX };

fn read(text: Vec<u8>) -> Mappings {
    Mappings::read(text.into(), TABLES, false, &mut |_| ()).unwrap()
}

fn all(mappings: &Mappings) -> Vec<Segment> {
    let mut all = Vec::new();
    mappings.each(|segment| all.push(segment)).unwrap();
    all
}

/// By looking at every segment.
fn expected(segments: &[Segment], line: u32, column: u32, bias: Bias) -> Option<Segment> {
    let mut on_line = segments.iter().filter(|segment| segment.line == line).copied();
    let exact = on_line.clone().find(|segment| segment.column == column);
    exact.or_else(|| match bias {
        Bias::Before => on_line.take_while(|segment| segment.column < column).last(),
        Bias::After => on_line.find(|segment| segment.column > column),
    })
}

fn blocks_of(built: Option<Result<Built>>) -> Vec<(u64, Block)> {
    let built = built.unwrap().unwrap();
    (0..built.blocks.count())
        .map(|block| (built.blocks.key(block).unwrap(), built.blocks.get(block, &[]).unwrap().unwrap()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn what_is_encoded_is_decoded(segments in segments()) {
        let mappings = read(encode(segments.iter().copied(), 0));
        prop_assert_eq!(&segments, &all(&mappings));
        prop_assert_eq!(segments.len() as u64, mappings.segments);
    }

    #[test]
    fn the_blocks_of_every_way_hold_all_segments(segments in segments()) {
        let text = encode(segments.iter().copied(), 0);
        let plain = build_plainly(&text, TABLES);
        prop_assert!(!plain.as_ref().is_ok_and(Built::is_odd));
        let mut ways = vec![blocks_of(Some(plain))];
        for way in Way::all().into_iter().filter(|way| *way != Way::Plain) {
            ways.push(blocks_of(way.build(&text, TABLES)));
        }
        for blocks in ways {
            let mut found = Vec::new();
            for (key, block) in blocks {
                let mut cursor = Cursor::new(text.get(..block.range.end).unwrap(), block.range.start, block.state);
                while let Some(segment) = cursor.next().unwrap() {
                    prop_assert!(segment.key() >= key);
                    found.push(segment);
                }
            }
            prop_assert_eq!(&segments, &found);
        }
    }

    #[test]
    fn a_lookup_finds_what_a_search_of_all_does(segments in segments(), line in 0u32..60, column in 0u32..3000, pick in any::<prop::sample::Index>(), by in -1i64..3) {
        let mappings = read(encode(segments.iter().copied(), 0));
        let mut positions = vec![(line, column), (line, 0), (0, 0)];
        if !segments.is_empty() {
            let near = segments[pick.index(segments.len())];
            positions.push((near.line, u32::try_from(i64::from(near.column) + by).unwrap_or(0)));
        }
        for (line, column) in positions {
            for bias in [Bias::Before, Bias::After] {
                prop_assert_eq!(expected(&segments, line, column, bias), mappings.find(line, column, bias).unwrap());
            }
        }
    }

    #[test]
    fn many_lookups_find_what_single_ones_do(segments in segments(), more in prop::collection::vec((0u32..60, 0u32..3000), 0..100), by in 0u32..2) {
        let mappings = read(encode(segments.iter().copied(), 0));
        let near = segments.iter().step_by(3).map(|segment| (segment.line, segment.column + by));
        let positions: Vec<_> = near.chain(more).rev().collect();
        let mut answers = vec![None; positions.len()];
        mappings.find_sorted(&Sorted::new(positions.iter().copied().map(Some)), |place, segment| answers[place] = segment).unwrap();
        for ((line, column), answer) in positions.into_iter().zip(answers) {
            prop_assert_eq!(expected(&segments, line, column, Bias::Before), answer);
        }
    }

    #[test]
    fn all_ways_say_the_same_of_broken_text(text in "[A-Da-hg+/,;,;!]{0,300}") {
        for way in Way::all().into_iter().filter(|way| *way != Way::Plain) {
            let plain = build_plainly(text.as_bytes(), TABLES);
            if let Some(quick) = way.build(text.as_bytes(), TABLES) {
                let (plain, quick) = (plain.unwrap(), quick.unwrap());
                prop_assert!(!plain.is_odd());
                prop_assert_eq!((plain.segments, plain.lines), (quick.segments, quick.lines));
            } else {
                prop_assert!(plain.is_err() || plain.is_ok_and(|built| built.is_odd()));
            }
        }
    }

    #[test]
    fn all_ways_know_the_same_bytes(bytes in prop::collection::vec(any::<u8>(), 1..3), at in 0usize..64) {
        // A whole chunk of good text, with other bytes in it.
        let mut text = b"AAAA,CAAC,gCAAD;".repeat(8);
        for (place, byte) in text.iter_mut().skip(at).zip(&bytes) {
            *place = *byte;
        }
        let plain = build_plainly(&text, TABLES);
        for way in Way::all().into_iter().filter(|way| *way != Way::Plain) {
            match way.build(&text, TABLES) {
                Some(quick) => prop_assert_eq!(plain.as_ref().unwrap().segments, quick.unwrap().segments),
                None => prop_assert!(plain.is_err() || plain.as_ref().is_ok_and(Built::is_odd)),
            }
        }
    }

    #[test]
    fn unsorted_segments_are_sorted(mut segments in segments()) {
        segments.reverse();
        let lines = segments.iter().map(|segment| segment.line).max().unwrap_or(0);
        for segment in &mut segments {
            segment.line = lines - segment.line;
        }
        let mappings = read(encode(segments.iter().copied(), 0));
        segments.sort_by_key(Segment::key);
        prop_assert_eq!(segments, all(&mappings));
    }
}
