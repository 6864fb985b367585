//! The table as a module uses it, on lanes that do nothing else.
#![allow(unsafe_code)]

use std::ptr;
use std::sync::Arc;
use std::thread;

use oxflow::abi::Bytes;
use oxflow::abi::host::{
    CURRENT, Entry, Field, FieldKind, HostApi, Instrument, InstrumentKind, REFUSED, ROOT, Recorded as Kind,
};

use super::api::table;
use super::{Reading, Record, Recorder, Value, directly, lane};
use crate::extension::lend;
use crate::run::Live;

/// A module, called safely.
#[derive(Clone, Copy)]
struct Module(&'static HostApi);

// SAFETY: the table is never written to, and its entries may be called on any thread.
unsafe impl Send for Module {}

fn entry<'a>(name: &'a str, message: &'a str, fields: &'a [Field]) -> Entry {
    let none = Bytes { data: ptr::null(), len: 0 };
    Entry {
        size: size_of::<Entry>(),
        level: 2,
        lasting: 0,
        line: 7,
        name: lend(name.as_bytes()),
        target: lend(b"steps::parser"),
        module: none,
        file: lend(b"src/parser.rs"),
        message: lend(message.as_bytes()),
        fields_len: fields.len(),
        fields: fields.as_ptr(),
    }
}

impl Module {
    fn log(self, message: &str, parent: u64) {
        // SAFETY: all that is lent outlives the call; parents are spans that were not closed.
        unsafe { (self.0.log)(self.0.context, &entry("", message, &[]), parent) }
    }

    fn span(self, name: &str, parent: u64) -> u64 {
        // SAFETY: as above.
        unsafe { (self.0.span_new)(self.0.context, &entry(name, "", &[]), parent, ptr::null()) }
    }

    fn enter(self, span: u64) {
        // SAFETY: as above.
        unsafe { (self.0.span_enter)(self.0.context, span) }
    }

    fn exit(self, span: u64) {
        // SAFETY: as above.
        unsafe { (self.0.span_exit)(self.0.context, span) }
    }

    fn close(self, span: u64) -> bool {
        // SAFETY: as above.
        unsafe { (self.0.span_close)(self.0.context, span) != 0 }
    }

    fn current(self) -> u64 {
        // SAFETY: the entry takes nothing.
        unsafe { (self.0.span_current)(self.0.context) }.span
    }

    fn count(self, name: &'static str, amount: u64) -> u32 {
        let (size, kind) = (size_of::<Instrument>(), InstrumentKind::Counter as u32);
        let instrument = Instrument { size, kind, name: lend(name.as_bytes()), doc: lend(b"") };
        // SAFETY: the texts are statics.
        unsafe {
            let number = (self.0.instrument)(self.0.context, &raw const instrument);
            (self.0.measure)(self.0.context, number, amount, ptr::null(), 0);
            number
        }
    }
}

fn run() -> (Arc<Recorder>, Arc<Live>) {
    (Arc::new(Recorder::new(["source", "parse", "map"].map(str::to_owned).to_vec())), Arc::new(Live::new(3)))
}

/// What a lane records that is in step `map`.
fn recorded(body: impl FnOnce(&Live)) -> (Vec<Record>, Arc<Recorder>) {
    let (recorder, live) = run();
    let inside = lane(&recorder, &live, 3);
    live.begin();
    live.enter(2);
    body(&live);
    drop(inside);
    (recorder.take(), recorder)
}

fn spans(records: &[Record]) -> Vec<Option<&str>> {
    records.iter().map(Record::span).collect()
}

#[test]
fn a_record_has_the_step_and_the_lane_that_it_was_made_in() {
    let module = Module(table("steps"));
    let (records, recorder) = recorded(|live| {
        module.log("one", CURRENT);
        live.enter(1);
        module.log("two", CURRENT);
    });
    let seen = |record: &Record| (record.message.clone(), record.step.clone(), record.lane);
    let step = |name: &str| Some(name.to_owned());
    let expected = vec![("one".to_owned(), step("map"), Some(3)), ("two".to_owned(), step("parse"), Some(3))];
    assert_eq!(expected, records.iter().map(seen).collect::<Vec<_>>());
    assert_eq!(records[0].trace_id, records[1].trace_id);
    assert_ne!(records[0].span_id, records[1].span_id);
    assert_eq!(Some(("src/parser.rs", 7)), records[0].place());
    let counts = recorder.recorded().logs.into_iter().map(|log| (log.step, log.level, log.count));
    assert_eq!(vec![(step("parse"), "warning", 1), (step("map"), "warning", 1)], counts.collect::<Vec<_>>());
}

#[test]
fn spans_may_be_left_in_any_order() {
    let module = Module(table("steps"));
    let (records, recorder) = recorded(|_| {
        let outer = module.span("outer", CURRENT);
        module.enter(outer);
        let inner = module.span("inner", CURRENT);
        module.enter(inner);
        module.log("in both", CURRENT);
        module.exit(outer);
        module.log("in one", CURRENT);
        module.exit(inner);
        module.log("in none", CURRENT);
        module.log("in a certain one", outer);
        assert!(module.close(outer) && module.close(inner));
    });
    assert_eq!(vec![Some("inner"), Some("inner"), None, Some("outer")], spans(&records));
    assert_eq!((records[0].parent_id, records[3].parent_id), (records[3].span_id, records[2].span_id));
    let totals = recorder.recorded().spans.into_iter().map(|span| (span.name, span.count));
    assert_eq!(vec![("inner".to_owned(), 1), ("outer".to_owned(), 1)], totals.collect::<Vec<_>>());
}

#[test]
fn a_root_has_no_parent_and_a_trace_of_its_own() {
    let module = Module(table("steps"));
    let (records, _) = recorded(|_| {
        module.log("here", CURRENT);
        let root = module.span("root", ROOT);
        module.log("there", root);
        module.close(root);
    });
    assert_ne!(records[0].trace_id, records[1].trace_id);
    assert_eq!(0, records[1].parent_id);
}

#[test]
fn a_module_finds_its_own_span_only() {
    let (one, other) = (Module(table("one")), Module(table("other")));
    let (records, _) = recorded(|_| {
        let (outer, inner) = (one.span("outer", CURRENT), other.span("inner", CURRENT));
        one.enter(outer);
        other.enter(inner);
        assert_eq!((outer, inner), (one.current(), other.current()));
        one.log("in the innermost, whoever made it", CURRENT);
        other.exit(inner);
        one.exit(outer);
        assert_eq!((CURRENT, CURRENT), (one.current(), other.current()));
        assert!(one.close(outer) && other.close(inner));
    });
    assert_eq!(vec![Some("inner")], spans(&records));
}

#[test]
fn a_span_ends_when_the_last_one_gives_it_up() {
    let module = Module(table("steps"));
    let (_, recorder) = recorded(|_| {
        let span = module.span("shared", CURRENT);
        // SAFETY: the span is not closed.
        unsafe { (module.0.span_clone)(module.0.context, span) };
        assert!(!module.close(span));
        assert!(module.close(span));
    });
    assert_eq!(1, recorder.recorded().spans.len());
}

#[test]
fn a_span_that_was_never_left_is_forgotten_with_its_batch() {
    let module = Module(table("steps"));
    let (records, _) = recorded(|live| {
        module.enter(module.span("left", CURRENT));
        module.log("in it", CURRENT);
        live.begin();
        module.log("after it", CURRENT);
    });
    assert_eq!(vec![Some("left"), None], spans(&records));
}

#[test]
fn a_span_takes_its_run_along_to_another_thread() {
    let module = Module(table("steps"));
    let (records, recorder) = recorded(|_| {
        let span = module.span("lent", CURRENT);
        let work = move || {
            let module: Module = module;
            module.enter(span);
            module.log("elsewhere", CURRENT);
            module.exit(span);
        };
        thread::spawn(work).join().expect("the thread ends");
        module.close(span);
    });
    assert_eq!((Some("map"), None), (records[0].step.as_deref(), records[0].lane));
    assert_eq!(1, recorder.recorded().logs.len());
}

#[test]
fn values_of_a_span_are_replaced() {
    let module = Module(table("steps"));
    let field = |bits| Field { name: lend(b"n"), kind: FieldKind::Unsigned as u32, bits, text: lend(b"") };
    let (records, _) = recorded(|_| {
        let span = module.span("span", CURRENT);
        for number in [1, 2] {
            // SAFETY: the span is not closed; the field outlives the call.
            unsafe { (module.0.span_record)(module.0.context, span, &field(number), 1) };
        }
        module.log("now", span);
        module.close(span);
    });
    assert_eq!(vec![("n", &Value::Unsigned(2))], records[0].span_fields().collect::<Vec<_>>());
}

#[test]
fn a_direct_call_gives_its_own_records() {
    let module = Module(table("steps"));
    let (result, records) = directly(None, |_| {
        module.log("direct", CURRENT);
        5
    });
    assert_eq!((5, 1), (result, records.len()));
    assert_eq!((None, None), (records[0].step.as_deref(), records[0].lane));
    let (mut inner, (outer, _)) = (Vec::new(), recorded(|_| inner_call(module)));
    inner.extend(outer.iter().map(|record| record.step.clone()));
    assert_eq!(vec![Some("map".to_owned())], inner);
}

/// Inside of a lane the records are the run's.
fn inner_call(module: Module) {
    let ((), records) = directly(None, |_| module.log("in a step", CURRENT));
    assert!(records.is_empty());
}

#[test]
fn counters_of_several_lanes_are_added_up() {
    let module = Module(table("counting"));
    let (recorder, live) = run();
    thread::scope(|scope| {
        for number in 0..4 {
            let (recorder, live) = (&recorder, &live);
            scope.spawn(move || {
                let module: Module = module;
                let _inside = lane(recorder, live, number);
                module.count("seen", 5);
            });
        }
    });
    let metrics = recorder.recorded().metrics;
    let found: Vec<_> = metrics.iter().map(|metric| (metric.module, metric.name)).collect();
    assert_eq!(vec![("counting", "seen")], found);
    assert!(matches!(metrics[0].reading, Reading::Counter { total: 20 }));
}

#[test]
fn an_instrument_has_one_number() {
    let (one, other) = (Module(table("first")), Module(table("second")));
    let (recorder, live) = run();
    let _inside = lane(&recorder, &live, 0);
    let number = one.count("same", 1);
    assert_ne!(REFUSED, number);
    assert_eq!(number, one.count("same", 1));
    assert_ne!(number, other.count("same", 1));
}

#[test]
fn a_measurement_of_nothing_is_passed_over() {
    let module = Module(table("steps"));
    let (recorder, live) = run();
    let _inside = lane(&recorder, &live, 0);
    for number in [REFUSED, 256, u32::MAX] {
        // SAFETY: there are no attributes.
        unsafe { (module.0.measure)(module.0.context, number, 1, ptr::null(), 0) };
    }
    assert!(recorder.recorded().metrics.is_empty());
}

#[test]
fn nothing_of_debug_is_wanted_until_someone_listens() {
    let module = Module(table("steps"));
    let enabled = |level| {
        // SAFETY: the target is a static.
        unsafe { (module.0.enabled)(module.0.context, Kind::Event as u32, level, lend(b"steps")) != 0 }
    };
    assert_eq!([true, true, false, false, false], [1, 2, 3, 4, 5].map(enabled));
}

/// `tracing` hands out ids that outlive their spans, and takes any number for one.
#[test]
fn a_number_whose_span_is_closed_or_never_was_is_none() {
    let module = Module(table("steps"));
    let (records, _) = recorded(|_| {
        let closed = module.span("closed", CURRENT);
        assert!(module.close(closed));
        for number in [closed, u64::from(u32::MAX), 1 << 60] {
            module.log("orphan", number);
            module.enter(number);
            module.exit(number);
            let child = module.span("child", number);
            assert!(module.close(child));
        }
        assert!(!module.close(closed), "it is closed once");
    });
    assert_eq!([None; 3], spans(&records)[..]);
}
