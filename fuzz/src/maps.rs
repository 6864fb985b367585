//! What a map that was read must keep to, shared by the targets.

use std::sync::Arc;

use oxflow_sourcemap::{Bias, Buffer, Error, Limits, Options, SourceMap};

/// Limits under which no input takes long.
pub fn read(text: Vec<u8>, strict: bool) -> Result<SourceMap, Error> {
    let limits = Limits { bytes: 1 << 20, segments: 1 << 16, depth: 64, ..Limits::default() };
    let buffer: Buffer = Arc::new(text);
    SourceMap::read(&buffer, &Options { strict, limits })
}

/// Reads bytes as a map; what is read answers, and comes back from its JSON.
pub fn check(text: &[u8]) {
    let strict = read(text.to_vec(), true);
    let Ok(map) = read(text.to_vec(), false) else {
        assert!(strict.is_err(), "strict takes what lenient refuses");
        return;
    };
    if let Ok(strict) = strict {
        // What the standard doesn't know is mended either way.
        assert_eq!(strict.warnings(), map.warnings(), "strict takes what lenient mends");
        assert_eq!(strict.segment_count(), map.segment_count());
    }
    answer(&map).expect("a map in memory has no damage");
    let json = map.to_json().expect("a map in memory has no damage");
    let again = read(json.clone(), false).expect("what is written is read");
    assert_eq!(json, again.to_json().expect("as above"));
}

/// Looks up what is there, and beside it.
pub fn answer(map: &SourceMap) -> Result<Vec<String>, Error> {
    let mut answers = vec![format!("{:?} {:?} {}", map.file(), map.debug_id(), map.line_count())];
    let mut positions = vec![(0, 0), (1, 1), (i64::MAX, 0), (-1, 0)];
    map.each(|segment| positions.push((segment.line.into(), segment.column.into())))?;
    for (line, column) in positions.into_iter().take(200) {
        for bias in [Bias::Before, Bias::After] {
            let found = map.lookup(line, column, bias)?;
            assert!(found.is_none_or(|segment| i64::from(segment.line) <= line));
            answers.push(format!("{found:?}"));
        }
    }
    answers.push(format!("{:?} {:?} {:?}", map.scopes()?, map.module_lines()?, map.function_offsets()?));
    for column in 0..20 {
        answers.push(format!("{:?}", map.function_at(column / 9, column)?));
    }
    for index in 0..map.source_count().min(50) {
        answers.push(format!("{:?} {:?} {}", map.source(index)?, map.source_content(index)?, map.is_ignored(index)?));
    }
    for index in 0..map.name_count().min(50) {
        answers.push(format!("{:?}", map.name(index)?));
    }
    Ok(answers)
}
