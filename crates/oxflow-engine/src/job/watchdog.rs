//! Looks after the lanes, and says which step one is stuck in.
//!
//! A thread of its own, which needs no interpreter: what it says goes to the log, and should nobody take it there, since a step
//! holds the interpreter, to standard error.

use std::io::Write as _;
use std::time::{Duration, Instant};

use super::health::LaneHealth;
use super::running::Inner;
use crate::host::Notice;

/// How often it looks at most.
const LOOK: Duration = Duration::from_secs(1);
/// How long whoever shows log records may take.
const TAKEN: Duration = Duration::from_secs(2);
/// How often that is looked at.
const TURN: Duration = Duration::from_millis(50);
const TARGET: &str = "oxflow.watchdog";

/// Watches until the lanes have ended.
pub(super) fn watch(inner: &Inner) {
    let monitor = &inner.shared.monitor;
    let every = (monitor.patience() / 4).min(LOOK);
    let mut told: Vec<Option<Instant>> = vec![None; inner.shared.live.len()];
    while inner.carries_after(every) {
        let now = Instant::now();
        for (lane, told) in monitor.look(&inner.shared, now).into_iter().zip(&mut told) {
            match (lane.stalled, *told) {
                (true, None) => {
                    *told = Some(now);
                    say(inner, &lane, &stuck(inner, &lane));
                }
                (false, Some(since)) => {
                    *told = None;
                    let more = since.elapsed().as_secs();
                    say(inner, &lane, &format!("lane {} moves again, {more} s later", lane.lane));
                }
                _ => {}
            }
        }
    }
}

/// What is known of a lane that doesn't come further.
fn stuck(inner: &Inner, lane: &LaneHealth) -> String {
    let mut text = lane.complaint();
    if let Some(thread) = system::thread(&format!("oxflow-lane-{}", lane.lane)) {
        text.push_str("\n  ");
        text.push_str(&thread);
    }
    let stack = inner.foreign.as_ref().and_then(|foreign| foreign.stack(lane.lane));
    if let Some(stack) = stack {
        text.push_str("\n  its Python stack, the innermost call first:");
        for line in stack.lines() {
            text.push_str("\n    ");
            text.push_str(line.trim_start());
        }
    }
    text
}

fn say(inner: &Inner, lane: &LaneHealth, text: &str) {
    let recorder = &inner.shared.recorder;
    let (taken, until) = (recorder.takes(), Instant::now() + TAKEN);
    recorder.notice(Notice { target: TARGET, step: lane.step.clone(), lane: lane.lane, text: text.to_owned() });
    while recorder.takes() == taken {
        if Instant::now() > until {
            // Whoever shows records is held up, perhaps by this very step. There is nobody to tell that standard error is closed.
            drop(std::io::stderr().write_all(format!("oxflow: {text}\n").as_bytes()));
            return;
        }
        if !inner.carries_after(TURN) {
            return;
        }
        // A lane that was idle meanwhile, and then works, would be taken for one that has stood all the time.
        inner.shared.monitor.look(&inner.shared, Instant::now());
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs;

    /// What the system says of a thread of this process.
    pub(super) fn thread(name: &str) -> Option<String> {
        let tasks = fs::read_dir("/proc/self/task").ok()?.filter_map(Result::ok);
        let is_it = |task: &fs::DirEntry| {
            fs::read_to_string(task.path().join("comm")).is_ok_and(|comm| comm.trim_end() == name)
        };
        let task = tasks.into_iter().find(is_it)?;
        let stat = fs::read_to_string(task.path().join("stat")).ok()?;
        // `NUMBER (NAME) STATE ..`; a name may hold anything.
        let state = stat.rsplit_once(") ")?.1.chars().next()?;
        let does = match state {
            'R' => "computes",
            'D' => "waits for a disk or device",
            'T' | 't' => "is stopped",
            _ => "sleeps",
        };
        Some(format!("thread {name} ({}) {does}", task.file_name().to_string_lossy()))
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    /// Other systems have no files that tell.
    pub(super) fn thread(_name: &str) -> Option<String> {
        None
    }
}
