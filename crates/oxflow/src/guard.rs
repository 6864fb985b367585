//! Where panics of user code end.
//!
//! Rust prints a panic when it starts and forgets where it was when it is caught. A hook, installed once in each library,
//! keeps the place and the backtrace for a panic inside a call of the tables, and passes every other one on.
//!
//! One thing can't be caught: a destructor that panics while another panic unwinds through it ends the process. So rows
//! that only wait to be dropped are dropped one at a time, outside of any unwinding.

use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::RefCell;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

/// A panic that was caught.
#[derive(Debug)]
pub(crate) struct Panic {
    pub(crate) text: String,
    /// Place, and the backtrace if it is the first of a call.
    pub(crate) detail: String,
}

#[derive(Default)]
struct Watch {
    depth: u32,
    traced: bool,
    detail: String,
}

thread_local! {
    static WATCH: RefCell<Watch> = RefCell::default();
}

/// Runs `step` for every item, under one catch that is re-entered after a panic. `recover` repairs the state; the item that
/// panicked is lost.
pub(crate) fn each<I: Iterator, S>(
    mut items: I,
    state: &mut S,
    step: impl Fn(&mut S, I::Item),
    recover: impl Fn(&mut S, &Panic),
) {
    let mut traced = false;
    while let Err(panic) = catch(traced, || items.by_ref().for_each(|item| step(state, item))) {
        traced = true;
        recover(state, &panic);
    }
}

/// Drops values of user types; a panic of one of them has nobody to go to.
pub(crate) fn drop_each<I: Iterator>(items: I) {
    each(items, &mut (), |(), item| drop(item), |(), _| {});
}

/// Runs `body` and catches its panic. A backtrace costs a millisecond, so only the first panic of a call has one.
fn catch(traced: bool, body: impl FnOnce()) -> Result<(), Panic> {
    install_hook();
    WATCH.with_borrow_mut(|watch| {
        watch.depth += 1;
        watch.traced = traced;
        watch.detail.clear();
    });
    let outcome = catch_unwind(AssertUnwindSafe(body));
    let detail = WATCH.with_borrow_mut(|watch| {
        watch.depth -= 1;
        std::mem::take(&mut watch.detail)
    });
    outcome.map_err(|payload| Panic { text: into_text(payload), detail })
}

fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |info| {
            if !keep(info) {
                previous(info);
            }
        }));
    });
}

/// Keeps the details of a panic on a thread that is in a call; false on other threads.
fn keep(info: &PanicHookInfo<'_>) -> bool {
    // Neither a thread that is ending nor a panic amid this very function may panic again: that would abort.
    WATCH.try_with(|watch| watch.try_borrow_mut().is_ok_and(|mut watch| watch.keep(info))).unwrap_or(false)
}

impl Watch {
    fn keep(&mut self, info: &PanicHookInfo<'_>) -> bool {
        if self.depth == 0 {
            return false;
        }
        self.detail.clear();
        // Writing to a string can't fail.
        if let Some(place) = info.location() {
            let _ = write!(self.detail, "at {place}");
        }
        if !self.traced {
            let _ = write!(self.detail, "\n{}", users_frames(&Backtrace::force_capture().to_string()));
        }
        true
    }
}

/// The frames between the panic machinery and this module.
fn users_frames(backtrace: &str) -> String {
    let frame =
        |line: &&str| line.trim_start().split_once(": ").is_some_and(|(number, _)| number.parse::<u32>().is_ok());
    let machinery = [
        "std::",
        "core::",
        "<std::",
        "rust_begin_unwind",
        "__rustc",
        "oxflow::guard::",
        "<oxflow::guard::",
        "<alloc::",
    ];
    let mut frames: Vec<Vec<&str>> = Vec::new();
    for line in backtrace.lines() {
        match frames.last_mut() {
            Some(current) if !frame(&line) => current.push(line),
            _ => frames.push(vec![line]),
        }
    }
    let name = |lines: &Vec<&str>| {
        lines.first().and_then(|line| line.split_once(": ")).map_or("", |(_, name)| name).to_owned()
    };
    let ours = |lines: &Vec<&str>| machinery.iter().any(|start| name(lines).starts_with(start));
    let users =
        frames.iter().skip_while(|lines| ours(lines)).take_while(|lines| !name(lines).contains("oxflow::guard::"));
    users.flatten().copied().collect::<Vec<_>>().join("\n")
}

fn into_text(payload: Box<dyn Any + Send>) -> String {
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => match payload.downcast::<&str>() {
            Ok(text) => (*text).to_owned(),
            Err(payload) => {
                // Its destructor is user code, and may panic itself.
                std::mem::forget(payload);
                "a panic without text".to_owned()
            }
        },
    }
}
