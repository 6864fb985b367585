//! Stack traces are written over where they come from minified code, and nothing else is.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail in the place where it finds a fault"
)]

use std::fs::{self, FileTimes};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use oxflow_sourcemap::index::{Content, Opening, write};
use oxflow_sourcemap::{
    Buffer, Error, MapFolder, Maps, Options, Script, SourceMap, SymbolCache, symbolicate_json, symbolicate_text,
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// `pay` is called at 1:21 of the script, line 3 of `shop.js`; it fails at 1:5, line 2.
const MAP: &str = r#"{"version":3,"sources":["shop.js"],"names":["pay","charge"],"mappings":"IACOC,gBAEPD","debugId":"AB-1",
    "sourcesContent":["function pay(card) {\n  card.charge();\n}\npay(null);\n"]}"#;
const URL: &str = "https://example.com/static/app.js?v=3";

fn read(json: &str) -> SourceMap {
    let buffer: Buffer = Arc::new(json.to_owned().into_bytes());
    SourceMap::read(&buffer, &Options::default()).unwrap()
}

struct One;

impl Maps for One {
    type Map = Box<SourceMap>;
    type Error = Error;

    fn find(&mut self, script: Script<'_>) -> Result<Option<Box<SourceMap>>, Error> {
        Ok((script.url == URL).then(|| Box::new(read(MAP))))
    }
}

fn text(trace: &str) -> String {
    symbolicate_text(trace, &mut One).unwrap()
}

fn written(json: &str) -> String {
    String::from_utf8(symbolicate_json(json.as_bytes(), &mut One).unwrap()).unwrap()
}

#[test]
fn traces_of_browsers_have_the_places_of_the_sources() {
    let chrome =
        format!("TypeError: null\n    at a ({URL}:1:5)\n    at {URL}:1:21\n    at async c (https://x/x.js:1:1)");
    let wanted = "TypeError: null\n    at pay (shop.js:2:8)\n    at shop.js:4:1\n    at async c (https://x/x.js:1:1)";
    assert_eq!(wanted, text(&chrome));
    assert_eq!("pay@shop.js:2:8\r\n@shop.js:4:1\r\n", text(&format!("a@{URL}:1:5\r\n@{URL}:1:21\r\n")));
}

#[test]
fn a_source_with_endless_lines_makes_no_endless_event() {
    struct Long;
    impl Maps for Long {
        type Map = Box<SourceMap>;
        type Error = Error;

        fn find(&mut self, _: Script<'_>) -> Result<Option<Box<SourceMap>>, Error> {
            let content = format!("{}here{}", "ü".repeat(100_000), "-".repeat(100_000));
            // Which leads to column 100,000.
            let mappings = "AAAgqjG";
            let map = json!({"version": 3, "sources": ["a.js"], "sourcesContent": [content], "mappings": mappings});
            Ok(Some(Box::new(read(&map.to_string()))))
        }
    }
    let frames = vec![frame(1, ""); 300].join(",");
    let event = format!(r#"{{"stacktrace":{{"frames":[{frames}]}}}}"#);
    let written: Value = serde_json::from_slice(&symbolicate_json(event.as_bytes(), &mut Long).unwrap()).unwrap();
    let frames = written["stacktrace"]["frames"].as_array().unwrap();
    let lines: Vec<&str> = frames.iter().filter_map(|frame| frame["context_line"].as_str()).collect();
    assert_eq!((300, 250), (frames.len(), lines.len()));
    assert!(lines.iter().all(|line| line.chars().count() == 200 && line.contains("here")), "{}", lines[0]);
}

fn frame(column: u32, more: &str) -> String {
    format!(r#"{{"abs_path":"{URL}", "lineno":1, "colno":{column}{more}}}"#)
}

#[test]
fn what_changes_is_written_over_and_the_rest_stays_byte_for_byte() {
    let frames = format!("[{},null, {}]", frame(21, r#","function":"?""#), frame(5, r#", "x":[1.50]"#));
    let given = format!(r#"{{"big":12345678901234567890123, "stacktrace" : {{"frames":{frames}}} , "k\u0065y":1e2}}"#);
    let outer = r#"{"abs_path":"shop.js", "lineno":4, "colno":1,"function":"?","filename":"shop.js","pre_context":["function pay(card) {","  card.charge();","}"],"context_line":"pay(null);","post_context":[""]}"#;
    let inner = r#"{"abs_path":"shop.js", "lineno":2, "colno":8, "x":[1.50],"filename":"shop.js","function":"pay","pre_context":["function pay(card) {"],"context_line":"  card.charge();","post_context":["}","pay(null);",""]}"#;
    let wanted = format!(
        r#"{{"big":12345678901234567890123, "stacktrace" : {{"frames":[{outer},null, {inner}]}} , "k\u0065y":1e2,"raw_stacktrace":{{"frames":{frames}}}}}"#
    );
    assert_eq!(wanted, written(&given));
}

#[test]
fn a_raw_stacktrace_that_is_there_is_written_over() {
    let trace = format!(r#"{{"frames":[{}]}}"#, frame(5, ""));
    let event: Value = serde_json::from_str(&written(&format!(
        r#"{{"raw_stacktrace":{{"frames":[1]}},"values":[{{"stacktrace":{trace}}}],"stacktrace":{trace}}}"#
    )))
    .unwrap();
    let raw: Value = serde_json::from_str(&trace).unwrap();
    assert_eq!((&raw, &raw), (&event["raw_stacktrace"], &event["values"][0]["raw_stacktrace"]));
    assert_eq!("shop.js", event["stacktrace"]["frames"][0]["filename"]);
}

#[test]
fn text_anywhere_is_written_over() {
    let trace = format!("a@{URL}:1:5\n\"é\"");
    let event = json!([{"error": {"stack": trace, "other": trace}}]);
    let wanted = json!([{"error": {"stack": "charge@shop.js:2:8\n\"é\"".replace("charge", "a"), "other": trace}}]);
    assert_eq!(wanted, serde_json::from_str::<Value>(&written(&event.to_string())).unwrap());
    assert_eq!(
        Value::from(text(&trace)),
        serde_json::from_str::<Value>(&written(&Value::from(trace).to_string())).unwrap()
    );
}

#[test]
fn what_is_no_trace_stays() {
    for json in [
        "null",
        " 1 ",
        "[]",
        r#"{"stack":1}"#,
        r#"{"stacktrace":3}"#,
        r#"{"stacktrace":{}}"#,
        r#"{"stacktrace":{"frames":[[{}],1]}}"#,
        r#"{"stacktrace":{"frames":[{"lineno":"1"}]},"debug_meta":[]}"#,
        r#"{"stack":"a@https://other/x.js:1:1"}"#,
    ] {
        assert_eq!(json, written(json));
    }
    let far =
        format!(r#"{{"stacktrace":{{"frames":[{{"filename":"{URL}","lineno":-9223372036854775808,"colno":1}}]}}}}"#);
    assert_eq!(far, written(&far));
}

#[test]
fn what_is_no_json_is_an_error_with_its_place() {
    let fault = |json: &[u8]| symbolicate_json(json, &mut One).unwrap_err();
    assert!(matches!(fault(b"{\n x"), Error::Json { line: 2, column: 2, .. }));
    assert!(matches!(fault(b"{} 1"), Error::Json { column: 4, .. }));
    assert!(matches!(fault(b"\"\xff\""), Error::Json { column: 2, .. }));
    assert!(matches!(fault(&b"[".repeat(100_000)), Error::Limit { .. }));
}

proptest! {
    #[test]
    fn any_text_is_a_trace_that_stays_or_changes(trace in r"([ at@():/.a-c0-9\n\r]|async |é){0,60}") {
        prop_assert_eq!(&trace, &text(&trace));
        let json = json!({"stack": trace}).to_string();
        prop_assert_eq!(&json, &written(&json));
    }
}

fn fresh(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn cache(folder: &Path) -> SymbolCache {
    SymbolCache::new(folder, 1 << 20, Opening { verify: true }).unwrap()
}

fn source(map: Option<Arc<SourceMap>>) -> Option<String> {
    map.map(|map| map.source(0).unwrap().unwrap().into_owned())
}

fn found(maps: &mut MapFolder, url: &str, debug_id: Option<&str>) -> Option<String> {
    source(maps.find(Script { url, debug_id }).unwrap())
}

#[test]
fn maps_are_found_by_path_and_read_again_when_they_change() {
    let folder = fresh("by-path");
    let mut maps = MapFolder::new(Some(folder.clone()), Some(cache(&folder.join("cache"))));
    assert_eq!(None, found(&mut maps, URL, None));
    fs::write(folder.join("app.js.map"), MAP).unwrap();
    assert_eq!(Some("shop.js".to_owned()), found(&mut maps, URL, None));
    fs::create_dir(folder.join("static")).unwrap();
    fs::write(folder.join("static/app.js.map"), MAP.replace("shop.js", "longer.js")).unwrap();
    assert_eq!(Some("longer.js".to_owned()), found(&mut maps, URL, None));
    fs::write(folder.join("static/app.js.map"), MAP.replace("shop.js", "even-longer.js")).unwrap();
    assert_eq!(Some("even-longer.js".to_owned()), found(&mut maps, URL, None));
    write(&read(&MAP.replace("shop.js", "index.js")), &folder.join("static/app.js.oxmap"), Content::Zstd, false)
        .unwrap();
    assert_eq!(Some("index.js".to_owned()), found(&mut maps, URL, None));
    fs::write(folder.join("bad.js.map"), "<html>").unwrap();
    let bad = maps.find(Script { url: "/bad.js", debug_id: None }).err().unwrap();
    assert!(matches!(&bad, Error::Of { error, .. } if matches!(**error, Error::Json { .. })), "{bad}");
    assert!(bad.to_string().contains("bad.js.map`: line 1, column 1: "), "{bad}");
}

#[test]
fn an_index_below_the_folder_is_looked_at_whole_and_stays_as_it_was_read() {
    let folder = fresh("unverified");
    let path = folder.join("app.js.oxmap");
    write(&read(MAP), &path, Content::Raw, false).unwrap();
    let whole = fs::read(&path).unwrap();
    let mut maps = MapFolder::new(Some(folder.clone()), None);
    let map = maps.find(Script { url: URL, debug_id: None }).unwrap().unwrap();
    // In place, as `cp` does it: of a file that is mapped the answers would be others, or the process would end.
    fs::write(&path, b"").unwrap();
    assert_eq!(Some("shop.js"), map.source(0).unwrap().as_deref());
    let mut damaged = whole;
    let at = damaged.windows(7).rposition(|bytes| bytes == b"shop.js").unwrap();
    damaged[at] ^= 1;
    fs::write(&path, damaged).unwrap();
    let error = maps.find(Script { url: URL, debug_id: None }).err().unwrap();
    assert!(error.to_string().contains("app.js.oxmap`: a section of the index is damaged"), "{error}");
}

#[test]
fn a_map_that_is_kept_open_is_used_in_the_folder_of_indices_too() {
    let folder = fresh("used");
    let symbols = cache(&folder.join("cache"));
    symbols.get::<Error>("cd-2", || Ok(read(MAP))).unwrap();
    let mut maps = MapFolder::new(None, Some(symbols));
    assert!(found(&mut maps, URL, Some("cd-2")).is_some());
    let files = fs::read_dir(folder.join("cache")).unwrap().map(|entry| entry.unwrap().path());
    let index = files.into_iter().find(|path| path.extension().is_some_and(|end| end == "oxmap")).unwrap();
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
    fs::File::open(&index).unwrap().set_times(FileTimes::new().set_modified(long_ago)).unwrap();
    assert!(found(&mut maps, URL, Some("cd-2")).is_some());
    assert!(fs::metadata(&index).unwrap().modified().unwrap() > long_ago);
}

#[test]
fn a_debug_id_goes_before_a_path_and_no_other_build_answers() {
    let folder = fresh("by-id");
    let symbols = cache(&folder.join("cache"));
    let by_id = |id| symbols.get::<Error>(id, || Ok(read(&MAP.replace("shop.js", "by-id.js")))).unwrap();
    assert_eq!(2, by_id("cd-2").segment_count());
    let mut maps = MapFolder::new(Some(folder.clone()), Some(symbols));
    fs::write(folder.join("app.js.map"), MAP).unwrap();
    assert_eq!(Some("by-id.js".to_owned()), found(&mut maps, URL, Some("CD-2")));
    assert_eq!(Some("shop.js".to_owned()), found(&mut maps, URL, Some("ab-1")));
    assert_eq!(None, found(&mut maps, URL, Some("ef-3")));
    let event = json!({
        "stacktrace": {"frames": [{"filename": URL, "lineno": 1, "colno": 5}]},
        "debug_meta": {"images": [1, {"type": "sourcemap", "code_file": URL, "debug_id": "CD-2"}]},
    });
    let event = symbolicate_json(event.to_string().as_bytes(), &mut maps).unwrap();
    assert!(String::from_utf8(event).unwrap().contains(r#""filename":"by-id.js""#));
}

#[test]
fn many_lanes_build_an_index_once_and_mend_a_damaged_one() {
    let folder = fresh("lanes");
    fs::write(folder.join("app.js.map"), MAP).unwrap();
    let loads = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let load = || {
                    loads.fetch_add(1, Ordering::SeqCst);
                    Ok(read(MAP))
                };
                assert_eq!(2, cache(&folder).get::<Error>("key", load).unwrap().segment_count());
                let mut maps = MapFolder::new(Some(folder.clone()), Some(cache(&folder)));
                assert_eq!(Some("shop.js".to_owned()), found(&mut maps, URL, None));
            });
        }
    });
    assert_eq!(1, loads.load(Ordering::SeqCst));
    let indices: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "oxmap"))
        .collect();
    assert_eq!(2, indices.len());
    for path in indices {
        let mut bytes = fs::read(&path).unwrap();
        let name = bytes.windows(3).position(|piece| piece == b"pay").unwrap();
        bytes[name] ^= 1;
        fs::write(path, bytes).unwrap();
    }
    assert!(cache(&folder).open("key").unwrap().is_none());
    let mut maps = MapFolder::new(Some(folder.clone()), Some(cache(&folder)));
    assert_eq!(Some("shop.js".to_owned()), found(&mut maps, URL, None));
}
