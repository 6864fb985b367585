//! What surrounds the lanes: time, outputs, a signal to stop, and everything that can go wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};
use std::time::Duration;

use super::disk::{Disk, Item};
use super::random::Random;
use super::world::{Function, Policy, Value, World};

/// What ends a lane, or everything, before the source does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The process is gone.
    Crash,
    /// A step failed on a message, and its policy is to fail.
    Step,
    /// So many messages failed that the run stops.
    Limit,
    /// An output can't be written.
    Sink,
}

/// After so many runs nothing goes wrong any more, so that the last one comes to the end.
const PATIENCE: u32 = 6;

pub(super) struct Outside<'w> {
    pub(super) world: &'w World,
    pub(super) disk: Disk,
    pub(super) random: Random,
    pub(super) now: Duration,
    /// Someone asked to drain.
    pub(super) stop: bool,
    pub(super) torn: bool,
    pub(super) log: Log,
    runs: u32,
    crash: Countdown,
    signal: Countdown,
    full_disk: Countdown,
    /// Messages that a step failed on and that it has been mended for.
    mended: BTreeSet<(usize, Value)>,
}

/// Counts down to something that happens once in a run, if it does.
struct Countdown(Option<u64>);

/// Counts what happens, and tells it if somebody listens.
pub(super) struct Log {
    told: bool,
    pub(super) counts: BTreeMap<&'static str, u64>,
}

impl Countdown {
    fn draw(random: &mut Random, percent: u64, most: u64) -> Self {
        Self(random.chance(percent).then(|| random.between(0, most)))
    }

    /// True once, when it comes to its end.
    fn tick(&mut self) -> bool {
        let over = self.0 == Some(0);
        self.0 = self.0.and_then(|left| left.checked_sub(1));
        over
    }
}

impl Log {
    pub(super) fn new(told: bool) -> Self {
        Self { told, counts: BTreeMap::new() }
    }

    pub(super) fn tell(&mut self, kind: &'static str, details: impl FnOnce() -> String) {
        *self.counts.entry(kind).or_default() += 1;
        if self.told {
            // Past the test harness, which keeps back what a test that passes prints.
            writeln!(io::stderr(), "{kind}: {}", details()).unwrap();
        }
    }
}

impl<'w> Outside<'w> {
    pub(super) fn new(world: &'w World, random: Random, log: Log) -> Self {
        Self {
            world,
            disk: Disk::new(world.streams),
            random,
            now: Duration::ZERO,
            stop: false,
            torn: false,
            log,
            runs: 0,
            crash: Countdown(None),
            signal: Countdown(None),
            full_disk: Countdown(None),
            mended: BTreeSet::new(),
        }
    }

    /// Another process starts.
    pub(super) fn begin(&mut self) {
        self.runs += 1;
        assert!(self.runs <= PATIENCE + 1, "a run in which nothing goes wrong does not come to its end");
        let odds = if self.patient() { 100 } else { 0 };
        self.crash = Countdown::draw(&mut self.random, odds * 60 / 100, 40);
        self.signal = Countdown::draw(&mut self.random, odds * 25 / 100, 80);
        self.full_disk = Countdown::draw(&mut self.random, odds * 15 / 100, 20);
        (self.now, self.stop, self.torn) = (Duration::ZERO, false, false);
        let runs = self.runs;
        self.log.tell("run", || format!("number {runs}"));
    }

    /// False once nothing goes wrong any more.
    pub(super) fn patient(&self) -> bool {
        self.runs <= PATIENCE
    }

    /// Something happens that a crash may come before.
    pub(super) fn pass(&mut self, place: &'static str) -> Result<(), End> {
        if !self.crash.tick() {
            return Ok(());
        }
        self.log.tell("crash", || place.to_owned());
        Err(End::Crash)
    }

    /// Asked between messages: true if the pipeline stops.
    pub(super) fn stops(&mut self) -> bool {
        if self.signal.tick() {
            self.log.tell("signal", || "the steps stop between two messages".to_owned());
            self.stop = true;
        }
        self.stop
    }

    /// Whether a function fails on a message now. What ended a run is mended before the next one.
    pub(super) fn fails(&mut self, function: &Function, values: &[Value]) -> bool {
        let fails = function.fails(values);
        if !fails || function.policy != Policy::Fail {
            return fails;
        }
        self.patient() && values.first().is_some_and(|first| self.mended.insert((function.step, *first)))
    }

    pub(super) fn write(&mut self, stream: usize, items: Vec<Item>) -> Result<(), End> {
        self.pass("before a write")?;
        let full = self.full_disk.tick();
        let written = if full { self.random.index(items.len() + 1) } else { items.len() };
        if full {
            self.log.tell("full disk", || format!("{written} of {} items in stream {stream}", items.len()));
        }
        for item in items.into_iter().take(written) {
            self.log.tell("written", || format!("{item:?} in stream {stream}"));
            self.disk.streams[stream].items.push(item);
        }
        if full {
            // At once: another branch may end the lane for a reason that leaves things in order.
            self.torn = true;
            return Err(End::Sink);
        }
        self.pass("after a write")
    }
}
