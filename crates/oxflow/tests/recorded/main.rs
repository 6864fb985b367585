//! What `tracing`, `log` and the metrics of a user's crate tell a runtime.

#![deny(warnings)]
// A test that fails may panic.
#![allow(clippy::expect_used, clippy::panic)]

mod host;

use host::{LEVEL, heard};
use oxflow::metrics::{Counter, Gauge, Histogram};
use std::fmt;
use std::panic::catch_unwind;
use std::sync::Mutex;
use std::sync::atomic::Ordering;

/// Whoever changes the level is alone.
static ALONE: Mutex<()> = Mutex::new(());

/// What the runtime hears of `body`.
fn told(level: u32, body: impl FnOnce()) -> Vec<String> {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    LEVEL.store(level, Ordering::Relaxed);
    // The first time it installs what forwards, later it says that the level has changed.
    host::attach();
    drop(heard());
    body();
    heard()
}

#[test]
fn an_event_keeps_the_kinds_of_its_values() {
    let body = || {
        tracing::warn!(target: "steps", text = "a b", flag = true, less = -1, more = u64::MAX, share = 0.5, shown = ?Some(1), "{}!", "hm");
    };
    let expected = "log 2 steps in 0: hm! text=a b flag=true less=-1 more=18446744073709551615 share=0.5 shown=Some(1)";
    assert_eq!(vec![expected], told(5, body));
}

#[test]
fn a_record_of_log_arrives_as_well() {
    assert_eq!(vec!["log 3 steps in 0: 1 + 1"], told(5, || log::info!(target: "steps", "{} + {}", 1, 1)));
}

#[test]
fn what_nobody_wants_is_not_even_written() {
    struct Unwritten;
    impl fmt::Debug for Unwritten {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("nobody wants to know")
        }
    }
    let body = || {
        tracing::info!(target: "steps", value = ?Unwritten);
        log::info!(target: "steps", "{Unwritten:?}");
        tracing::error!(target: "deaf", value = ?Unwritten);
        log::error!(target: "deaf", "{Unwritten:?}");
        tracing::error!(target: "steps", "wanted");
    };
    assert_eq!(vec!["log 1 steps in 0: wanted"], told(2, body));
}

#[test]
fn a_level_that_rises_and_falls_is_followed_by_the_same_place() {
    let places = || {
        tracing::debug!(target: "steps", "by tracing");
        log::debug!(target: "steps", "by log");
    };
    assert_eq!(0, told(3, places).len());
    assert_eq!(2, told(4, places).len());
    assert_eq!(0, told(3, places).len());
}

#[test]
fn a_span_is_begun_entered_told_left_and_closed() {
    let body = || {
        let span = tracing::info_span!("look", n = 1, later = tracing::field::Empty);
        let entered = span.enter();
        tracing::Span::current().record("later", 2);
        drop(entered);
    };
    let expected = ["new look in 0 n=1", "enter", "clone", "record later=2", "close", "exit", "close"];
    assert_eq!(expected.to_vec(), told(5, body));
}

#[test]
fn parents_are_named() {
    let body = || {
        let root = tracing::info_span!(parent: None, "root");
        tracing::info!(target: "steps", parent: None, "of nobody");
        tracing::info!(target: "steps", parent: &root, "of it");
    };
    let told = told(5, body);
    assert_eq!("new root in -1", told[0]);
    assert_eq!("log 3 steps in -1: of nobody", told[1]);
    assert!(told[2].starts_with("log 3 steps in ") && !told[2].starts_with("log 3 steps in -1"), "{}", told[2]);
}

#[test]
fn a_panic_leaves_the_span() {
    let body = || {
        let caught = catch_unwind(|| {
            let _entered = tracing::info_span!("doomed").entered();
            panic!("now");
        });
        assert!(caught.is_err());
    };
    assert_eq!(vec!["new doomed in 0", "enter", "exit", "close"], told(5, body));
}

#[test]
fn a_value_may_log_while_it_is_written() {
    struct Talks;
    impl fmt::Debug for Talks {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            log::info!(target: "steps", "inner");
            formatter.write_str("talks")
        }
    }
    let body = || tracing::info!(target: "steps", before = 1, value = ?Talks, "outer");
    assert_eq!(vec!["log 3 steps in 0: inner", "log 3 steps in 0: outer before=1 value=talks"], told(5, body));
}

#[test]
fn many_fields_arrive_too() {
    let body =
        || tracing::info!(target: "steps", a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7, h = 8, i = 9, j = 10);
    assert_eq!(vec!["log 3 steps in 0: - a=1 b=2 c=3 d=4 e=5 f=6 g=7 h=8 i=9 j=10"], told(5, body));
}

#[test]
fn an_instrument_asks_for_its_number_once() {
    static SEEN: Counter = Counter::new("seen", "what was seen");
    static LAST: Gauge = Gauge::new("last", "the last one");
    static SIZES: Histogram = Histogram::new("sizes", "how large");
    static REFUSED: Counter = Counter::new("refused", "");
    let body = || {
        SEEN.add(2);
        SEEN.add_with(3, &[("kind", "odd")]);
        LAST.set(0.5);
        SIZES.record(1.5);
        SIZES.record_with(2.5, &[("a", "1"), ("b", "2")]);
        REFUSED.add(1);
        REFUSED.add(1);
    };
    let expected = [
        "instrument 1 seen: what was seen",
        "measure 1: 2",
        "measure 1: 3 kind=odd",
        "instrument 2 last: the last one",
        "measure 2: 0.5",
        "instrument 3 sizes: how large",
        "measure 3: 1.5",
        "measure 3: 2.5 a=1 b=2",
        "instrument 1 refused: ",
    ];
    assert_eq!(expected.to_vec(), told(5, body));
}

#[test]
fn of_many_attributes_the_first_eight_count() {
    static SEEN: Counter = Counter::new("seen_often", "");
    let ten: Vec<String> = (0..10).map(|number| number.to_string()).collect();
    let ten: Vec<(&str, &str)> = ten.iter().map(|number| (number.as_str(), "x")).collect();
    let told = told(5, || SEEN.add_with(1, &ten));
    assert_eq!("measure 1: 1 0=x 1=x 2=x 3=x 4=x 5=x 6=x 7=x", told[1]);
}

#[test]
fn the_place_in_a_trace_has_the_form_of_the_header() {
    let body = || {
        let context = oxflow::trace_context().expect("a trace");
        assert_eq!("00-00000000000000000000000000000abc-000000000000000d-01", context.to_string());
    };
    assert!(told(5, body).is_empty());
}
