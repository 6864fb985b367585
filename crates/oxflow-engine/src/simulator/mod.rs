//! Runs pipelines through crashes, signals, bad messages and full disks, by the seed of a random number generator.
//!
//! What decides in the engine is apart from what acts: [commits](crate::commit), [limits](crate::limits),
//! [windows](crate::window) and [checkpoints](crate::checkpoint) are state machines. Here the real machines decide in a
//! small world: lanes, outputs and a disk that are plain values, a clock that is a number, and a die that says what happens
//! next. So a whole life of a run, with several deaths in it, takes a millisecond, and a seed that fails fails again:
//!
//! ```text
//! OXFLOW_SEED=123 cargo test -p oxflow-engine simulator
//! ```
//!
//! tells everything that happens in world 123. The lanes here follow `crate::lane` and `crate::job::keeper` function by
//! function, so that a change of what these promise is tried here first.

mod disk;
mod expected;
mod flow;
mod judge;
mod keeper;
mod lane;
mod outside;
mod random;
mod watched;
mod world;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use lane::Lane;
use outside::{End, Log, Outside};
use random::Random;
use world::World;

const SEEDS: u64 = 10_000;

/// What has to happen in a hundredth of the worlds, or they prove little.
const HAPPENINGS: [&str; 12] = [
    "checkpoint",
    "crash",
    "done",
    "fault",
    "full disk",
    "limit",
    "list",
    "read",
    "resumed",
    "signal",
    "torn",
    "written",
];

#[test]
fn every_output_arrives_once_whatever_happens() {
    if let Ok(seed) = std::env::var("OXFLOW_SEED") {
        simulate(seed.parse().unwrap(), Log::new(true));
        return;
    }
    let mut happened: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in 0..SEEDS {
        let counts = catch_unwind(AssertUnwindSafe(|| simulate(seed, Log::new(false)))).unwrap_or_else(|_| {
            panic!("seed {seed} fails; `OXFLOW_SEED={seed} cargo test -p oxflow-engine simulator` tells what happens")
        });
        for kind in counts.into_keys() {
            *happened.entry(kind).or_default() += 1;
        }
    }
    for kind in HAPPENINGS {
        assert!(happened.get(kind).is_some_and(|worlds| *worlds >= SEEDS / 100), "`{kind}` is rare: {happened:?}");
    }
}

/// Lives through the world of a seed, run after run, and looks at what is left. Gives what happened how often.
fn simulate(seed: u64, log: Log) -> BTreeMap<&'static str, u64> {
    let mut random = Random::new(seed);
    let world = World::draw(&mut random);
    let mut outside = Outside::new(&world, random, log);
    outside.log.tell("pipeline", || format!("{} lanes, {:#?}", world.lanes, world.stages));
    loop {
        outside.begin();
        match run(&mut outside) {
            Ok(true) => break,
            Ok(false) => {}
            Err(_) => outside.disk.crash(&mut outside.random),
        }
    }
    outside.log.tell("done", String::new);
    expected::verify(&world, &outside.disk);
    outside.log.counts
}

/// One process, until it ends or dies. True if it did everything.
fn run(outside: &mut Outside<'_>) -> Result<bool, End> {
    let world = outside.world;
    let start = keeper::resume(outside);
    let mut lanes: Vec<Lane<'_>> = (0..world.lanes).map(|number| Lane::new(world, number, &start)).collect();
    keeper::save(&lanes, outside)?;
    let mut failed = false;
    loop {
        let open: Vec<usize> = (0..lanes.len()).filter(|lane| !lanes[*lane].finished).collect();
        if open.is_empty() {
            return keeper::finish(&lanes, failed, outside);
        }
        match outside.random.between(0, 9) {
            0 | 1 => keeper::save(&lanes, outside)?,
            2 | 3 => outside.now += Duration::from_millis(outside.random.between(1, 40)),
            _ => match lanes[open[outside.random.index(open.len())]].turn(outside) {
                Ok(()) => {}
                Err(End::Crash) => return Err(End::Crash),
                Err(end) => {
                    outside.log.tell("failed", || format!("{end:?}"));
                    failed = true;
                    outside.stop = true;
                }
            },
        }
    }
}
