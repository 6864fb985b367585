//! Decides whether a run moves, lane by lane.
//!
//! A lane that waits for input is well, however long. One that is in a step, waits for a sink or for a checkpoint is so only while
//! messages come further. A lane that doesn't is stalled even if all others move: nobody else carries its partitions.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::batch::numbers_of;
use crate::lane::Shared;
use crate::report::{PartitionReport, StepInfo};
use crate::run::{Activity, Live};

/// What was seen of the lanes of a run.
#[derive(Debug)]
pub(crate) struct Monitor {
    patience: Duration,
    seen: Mutex<Vec<Seen>>,
}

/// What was seen of a lane.
#[derive(Clone, Copy, Debug)]
struct Seen {
    movement: u64,
    /// Since when nothing of what it is to carry comes further.
    stands: Instant,
    /// When a message came further last.
    moved: Option<Instant>,
}

/// How a lane goes on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LaneHealth {
    /// Its number.
    pub lane: usize,
    /// What it does: `works`, `waits_for_input`, `reads`, `waits_for_sinks`, `waits_for_checkpoint` or `ended`.
    pub state: &'static str,
    /// True if it has not come further for too long.
    pub stalled: bool,
    /// The step that it is in.
    pub step: Option<String>,
    /// What that step is, `map`, `sink`, ...
    pub kind: Option<&'static str>,
    /// The partition of the message that is in the step, or of the first of several.
    pub partition: Option<u32>,
    /// Its offset.
    pub offset: Option<i64>,
    /// Where that is, for people: the file, `topic[3]`.
    pub name: Option<String>,
    /// Batches that are on their way to the sinks.
    pub under_way: usize,
    /// Seconds since what it is to carry has come no further; 0 while it waits for input.
    pub stands_s: f64,
    /// Seconds since a message came further last.
    pub last_progress_s: Option<f64>,
}

/// What keeps commits and checkpoints.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KeepingHealth {
    /// True if it takes too long.
    pub stalled: bool,
    /// Seconds that it takes already.
    pub takes_s: f64,
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// It moves, or waits for input.
    Ok,
    /// Something has not come further for too long.
    Stalled,
    /// An error ended it.
    Failed,
    /// It came to its end.
    Drained,
}

/// How a source that is shared out stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SourceHealth {
    /// Name of the stream.
    pub stream: String,
    /// True if no broker has answered for too long.
    pub stalled: bool,
    /// Seconds since a question to the brokers stands that none has answered.
    pub silent_s: f64,
}

/// Whether a run moves.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Health {
    /// All in one word.
    pub status: HealthStatus,
    /// True if it was asked to drain.
    pub draining: bool,
    /// What is wrong, a sentence each.
    pub reasons: Vec<String>,
    /// Seconds after which what doesn't come further is stalled.
    pub stalled_s: u64,
    /// Each lane.
    pub lanes: Vec<LaneHealth>,
    /// The checkpoint or commit that is under way.
    pub keeping: Option<KeepingHealth>,
    /// The source, where it is shared out.
    pub source: Option<SourceHealth>,
    /// The partitions of the source that this run has.
    pub partitions: Vec<PartitionReport>,
}

/// After so many seconds without an answer the brokers are lost.
const LOST_S: f64 = 10.0;

impl Health {
    /// Of a run that has not started.
    #[cfg(test)]
    pub(crate) fn unstarted() -> Self {
        Self {
            status: HealthStatus::Ok,
            draining: false,
            reasons: Vec::new(),
            stalled_s: 60,
            lanes: Vec::new(),
            keeping: None,
            source: None,
            partitions: Vec::new(),
        }
    }

    /// True if nobody has to do anything.
    pub(crate) fn is_well(&self) -> bool {
        matches!(self.status, HealthStatus::Ok | HealthStatus::Drained)
    }

    /// True if no broker answers.
    pub(crate) fn is_lost(&self) -> bool {
        self.source.as_ref().is_some_and(|source| source.silent_s > LOST_S)
    }

    /// Says what is wrong.
    pub(super) fn with_reasons(mut self) -> Self {
        let lanes = self.lanes.iter().filter(|lane| lane.stalled).map(LaneHealth::complaint);
        let keeping = self.keeping.iter().filter(|keeping| keeping.stalled).map(|keeping| {
            format!("a checkpoint or commit takes {:.0} s already: a disk or a broker doesn't answer", keeping.takes_s)
        });
        let source =
            self.source.iter().filter(|source| source.stalled).map(|source| {
                format!("no broker of stream `{}` has answered for {:.0} s", source.stream, source.silent_s)
            });
        self.reasons = lanes.chain(keeping).chain(source).collect();
        if self.status == HealthStatus::Ok && !self.reasons.is_empty() {
            self.status = HealthStatus::Stalled;
        }
        self
    }
}

impl Monitor {
    /// How a source stands whose brokers answered so long ago.
    pub(super) fn source(&self, stream: &str, silent: Duration) -> SourceHealth {
        SourceHealth { stream: stream.to_owned(), stalled: silent > self.patience, silent_s: rounded(silent) }
    }

    /// A lane may stand still for so long.
    pub(crate) fn new(patience: Duration, lanes: usize) -> Self {
        let seen = Seen { movement: 0, stands: Instant::now(), moved: None };
        Self { patience, seen: Mutex::new(vec![seen; lanes]) }
    }

    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    /// Looks at all lanes. Asked from time to time, since what moved in between is not seen otherwise.
    pub(crate) fn look(&self, shared: &Shared, now: Instant) -> Vec<LaneHealth> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let lanes = shared.live.iter().zip(seen.iter_mut()).enumerate();
        lanes.map(|(lane, (live, seen))| self.lane(lane, live, seen, shared, now)).collect()
    }

    fn lane(&self, lane: usize, live: &Live, seen: &mut Seen, shared: &Shared, now: Instant) -> LaneHealth {
        let activity = live.activity();
        seen.see(live.movement(), is_idle(activity, live.under_way()), now);
        let stands = now.duration_since(seen.stands);
        let step = live.step().and_then(|step| shared.steps.get(step));
        let message = live.message().filter(|_| activity == Activity::Works);
        LaneHealth {
            lane,
            state: state(activity, live.under_way()),
            stalled: stands > self.patience,
            step: step.map(|step: &StepInfo| step.name.clone()),
            kind: step.map(|step| step.kind),
            partition: message.map(|(slot, _)| numbers_of(slot).1),
            offset: message.map(|(_, offset)| offset),
            name: message.and_then(|(slot, _)| shared.partitions.get(slot)).map(|partition| partition.name.to_string()),
            under_way: live.under_way(),
            stands_s: rounded(stands),
            last_progress_s: seen.moved.map(|moved| rounded(now.duration_since(moved))),
        }
    }

    /// What a checkpoint or commit that began at `since` is by now.
    pub(crate) fn keeping(&self, since: Option<Instant>, now: Instant) -> Option<KeepingHealth> {
        let takes = now.duration_since(since?);
        Some(KeepingHealth { stalled: takes > self.patience, takes_s: rounded(takes) })
    }
}

impl Seen {
    fn see(&mut self, movement: u64, idle: bool, now: Instant) {
        if movement != self.movement {
            *self = Self { movement, stands: now, moved: Some(now) };
        } else if idle {
            self.stands = now;
        }
    }
}

/// Whether a lane has nothing to do, so that it may stand still.
fn is_idle(activity: Activity, under_way: usize) -> bool {
    match activity {
        Activity::WaitsForInput => under_way == 0,
        Activity::Ended => true,
        Activity::Works
        | Activity::Reads
        | Activity::WaitsForSinks
        | Activity::WaitsForCheckpoint
        | Activity::WaitsForInterpreter => false,
    }
}

fn state(activity: Activity, under_way: usize) -> &'static str {
    match activity {
        Activity::Works => "works",
        Activity::WaitsForInput if under_way > 0 => "waits_for_sinks",
        Activity::WaitsForInput => "waits_for_input",
        Activity::Reads => "reads",
        Activity::WaitsForSinks => "waits_for_sinks",
        Activity::WaitsForCheckpoint => "waits_for_checkpoint",
        Activity::WaitsForInterpreter => "waits_for_interpreter",
        Activity::Ended => "ended",
    }
}

/// Seconds, to the millisecond.
fn rounded(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}

impl LaneHealth {
    /// What is wrong with a lane that is stalled, in a sentence.
    pub(crate) fn complaint(&self) -> String {
        let Self { lane, stands_s, under_way, .. } = self;
        let step = self.step.as_deref().unwrap_or_default();
        let place = self
            .name
            .as_ref()
            .zip(self.offset)
            .map_or_else(String::new, |(name, offset)| format!(", at {name}, offset {offset}"));
        match self.state {
            "reads" => format!("lane {lane} has read nothing for {stands_s:.0} s: a disk doesn't answer"),
            "waits_for_sinks" => format!(
                "lane {lane} waits for sinks: none of {under_way} batches that are on their way arrived in {stands_s:.0} s"
            ),
            "waits_for_checkpoint" => {
                format!(
                    "lane {lane} waits for a checkpoint for {stands_s:.0} s: another lane, or a disk, holds that up"
                )
            }
            "waits_for_interpreter" => format!(
                "lane {lane} waits for the interpreter to begin step `{step}` for {stands_s:.0} s: another thread holds it"
            ),
            _ => format!("lane {lane} is in step `{step}` for {stands_s:.0} s, and no message comes further{place}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: [bool; 3], looks: [(u64, Activity, usize); 3]) {
        let start = Instant::now();
        let mut seen = Seen { movement: 0, stands: start, moved: None };
        let stalled = looks.iter().zip([0, 8, 16]).map(|((movement, activity, under_way), second)| {
            let now = start + Duration::from_secs(second);
            seen.see(*movement, is_idle(*activity, *under_way), now);
            now.duration_since(seen.stands) > Duration::from_secs(10)
        });
        assert_eq!(expected.as_slice(), stalled.collect::<Vec<_>>());
    }

    #[test]
    fn a_step_that_comes_to_no_end_stalls_its_lane() {
        check([false, false, true], [(5, Activity::Works, 0); 3]);
    }

    #[test]
    fn messages_that_come_further_are_progress() {
        check([false, false, false], [(5, Activity::Works, 0), (6, Activity::Works, 0), (6, Activity::Works, 0)]);
    }

    #[test]
    fn to_wait_for_input_is_no_stall() {
        check([false, false, false], [(5, Activity::WaitsForInput, 0); 3]);
    }

    #[test]
    fn a_source_that_has_something_and_does_not_give_it_is_one() {
        check([false, false, true], [(5, Activity::Reads, 0); 3]);
    }

    #[test]
    fn outputs_that_nobody_acknowledges_are_one() {
        check([false, false, true], [(5, Activity::WaitsForInput, 3); 3]);
        check([false, false, true], [(5, Activity::WaitsForSinks, 3); 3]);
    }

    #[test]
    fn a_checkpoint_that_comes_to_no_end_is_one() {
        check([false, false, true], [(5, Activity::WaitsForCheckpoint, 0); 3]);
    }
}
