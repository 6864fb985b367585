//! A damaged index file gives the answers of the whole one, or an error; any bytes give an error or answers.

#![no_main]

use std::sync::{Arc, OnceLock};

use libfuzzer_sys::fuzz_target;
use oxflow_sourcemap::index::{Content, Opening, write};
use oxflow_sourcemap::{Buffer, SourceMap};

#[allow(dead_code, reason = "other targets use what this one does not")]
mod maps;

const MAP: &[u8] = br#"{"version":3,"file":"f","sources":["a",null,"c"],"sourcesContent":["let a;\n\n\n\n\n\n\n\n\n\n\n\n",null,"c"],
    "names":["one","two","three"],"ignoreList":[2],"rangeMappings":"B","x_facebook_offsets":[1,null],
    "scopes":"BFAAA,DE,BFFCC,CEC,CGA,A,A,EGAA,GC,EHBAC,FI,FBA","mappings":"AAAAA,CAAAC,CCAC;;A,GCAEC;AAEA,IACA;;;EACAD"}"#;

fn open(bytes: Vec<u8>) -> Option<Vec<String>> {
    let buffer: Buffer = Arc::new(bytes);
    let map = SourceMap::open(&buffer, Opening::default()).ok()?;
    maps::answer(&map).ok()
}

/// The file and its answers.
fn whole() -> &'static (Vec<u8>, Vec<String>) {
    static WHOLE: OnceLock<(Vec<u8>, Vec<String>)> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let path = std::env::temp_dir().join(format!("oxflow-fuzz-{}", std::process::id()));
        let map = maps::read(MAP.to_vec(), false).expect("a map");
        write(&map, &path, Content::Zstd, false).expect("a file");
        let bytes = std::fs::read(&path).expect("the file");
        std::fs::remove_file(path).expect("the file");
        let answers = open(bytes.clone()).expect("an index");
        (bytes, answers)
    })
}

/// Where, and with what a byte is changed.
type Changes = Vec<(u16, u8)>;

fuzz_target!(|input: (Changes, Vec<u8>)| {
    let (bytes, answers) = whole();
    let mut damaged = bytes.clone();
    for (at, change) in &input.0 {
        let at = usize::from(*at) % damaged.len();
        damaged[at] ^= change;
    }
    if let Some(found) = open(damaged) {
        assert_eq!(*answers, found);
    }
    open(input.1);
});
