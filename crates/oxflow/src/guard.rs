//! Where panics of user code end.
//!
//! Rust prints a panic when it starts and forgets where it was when it is caught. A hook, installed once in each library,
//! keeps the place and the backtrace for a panic inside a call of the tables, and passes every other one on.
//!
//! One thing can't be caught: a destructor that panics while another panic unwinds through it ends the process. So rows
//! that only wait to be dropped are dropped one at a time, outside of any unwinding.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::RefCell;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

/// A panic that was caught.
#[derive(Debug)]
pub(crate) struct Panic {
    pub(crate) text: String,
    /// Place, and the backtrace if one is wanted and this is the first panic of a call.
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

/// Runs `body` and catches its panic. A backtrace costs a millisecond, so only the first panic of a call has one, and only
/// if `RUST_BACKTRACE` asks for it.
fn catch(traced: bool, body: impl FnOnce()) -> Result<(), Panic> {
    install_hook();
    WATCH.with_borrow_mut(|watch| {
        watch.depth += 1;
        watch.traced = traced;
        watch.detail.clear();
    });
    let outcome = catch_unwind(AssertUnwindSafe(body)).map_err(|payload| {
        let detail = WATCH.with_borrow_mut(|watch| std::mem::take(&mut watch.detail));
        Panic { text: into_text(payload), detail }
    });
    WATCH.with_borrow_mut(|watch| watch.depth -= 1);
    outcome
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
        let backtrace = if self.traced { Backtrace::disabled() } else { Backtrace::capture() };
        if backtrace.status() == BacktraceStatus::Captured {
            let _ = write!(self.detail, "\n{}", users_frames(&backtrace.to_string()));
        }
        true
    }
}

/// The frames between the panic machinery and the tables. The names are the compiler's and may change: then more is shown.
fn users_frames(backtrace: &str) -> String {
    let lines: Vec<&str> = backtrace.lines().collect();
    let starts_with =
        |line: &str, starts: &[&str]| name(line).is_some_and(|name| starts.iter().any(|start| name.starts_with(start)));
    let begin = lines.iter().position(|line| line.ends_with("rust_begin_unwind")).map_or(0, |begin| begin + 1);
    let users = lines.into_iter().skip(begin).skip_while(|line| {
        // The place of a frame stands on a line of its own below the name.
        name(line).is_none() || starts_with(line, &["core::", "std::", "alloc::", "<core::", "<std::", "<alloc::"])
    });
    let inside = |line: &&str| !starts_with(line, &["oxflow::run::", "oxflow::guard::", "oxflow::python::"]);
    users.take_while(inside).collect::<Vec<_>>().join("\n")
}

/// The name of a frame, if the line is where one begins: `  12: name`.
fn name(line: &str) -> Option<&str> {
    let (number, name) = line.split_once(": ")?;
    number.trim_start().parse::<u32>().ok().map(|_| name)
}

fn into_text(payload: Box<dyn Any + Send>) -> String {
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => match payload.downcast::<&str>() {
            Ok(text) => (*text).to_owned(),
            Err(payload) => {
                give_up(payload);
                "a panic without text".to_owned()
            }
        },
    }
}

/// Drops what a panic carried. Its destructor is user code, and may panic itself, and so may that of what that one carries.
fn give_up(mut payload: Box<dyn Any + Send>) {
    for _ in 0..4 {
        match catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            Ok(()) => return,
            Err(next) => payload = next,
        }
    }
    // Somebody does it on purpose.
    std::mem::forget(payload);
}
