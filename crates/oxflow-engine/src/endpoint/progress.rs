//! Decides whether a run moves.
//!
//! A run that waits for input is healthy; one that is in a step and comes to no end of it is not.

use std::time::{Duration, Instant};

use crate::report::Report;

/// What was seen last.
#[derive(Debug)]
pub(super) struct Progress {
    patience: Duration,
    /// Messages that had passed, and since when it is so many.
    seen: Option<(u64, Instant)>,
}

impl Progress {
    /// A run may stand still in a step for so long.
    pub(super) fn new(patience: Duration) -> Self {
        Self { patience, seen: None }
    }

    /// Whether the run moves, as far as can be told from what was seen before. Whoever asks seldom is told late.
    pub(super) fn moves(&mut self, report: &Report, now: Instant) -> bool {
        let passed = report.steps.iter().map(|step| step.messages_in + step.messages_out).sum();
        // The first is the source, in which a lane waits for input.
        let busy = report.steps.iter().skip(1).any(|step| step.busy_lanes > 0);
        match self.seen {
            Some((before, since)) if before == passed && busy => now.duration_since(since) <= self.patience,
            _ => {
                self.seen = Some((passed, now));
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::StepReport;

    fn report(messages: u64, busy: [u64; 2]) -> Report {
        let step = |name: &str, busy_lanes| StepReport {
            name: name.to_owned(),
            kind: "map",
            language: None,
            messages_in: messages,
            messages_out: messages,
            errors: 0,
            skipped: 0,
            dead_lettered: 0,
            retried: 0,
            unknown_fields: 0,
            time_s: 0.0,
            waiting_s: 0.0,
            in_flight: 1,
            busy_lanes,
        };
        Report { steps: vec![step("source", busy[0]), step("map", busy[1])], ..Report::unstarted() }
    }

    #[track_caller]
    fn check(expected: [bool; 3], reports: &[Report; 3]) {
        let mut progress = Progress::new(Duration::from_secs(10));
        let start = Instant::now();
        let moves = [0, 8, 16].map(|second| start + Duration::from_secs(second));
        let moves: Vec<bool> = reports.iter().zip(moves).map(|(report, now)| progress.moves(report, now)).collect();
        assert_eq!(expected.as_slice(), moves);
    }

    #[test]
    fn a_step_that_comes_to_no_end_stalls_the_run() {
        check([true, true, false], &[report(5, [0, 1]), report(5, [0, 1]), report(5, [0, 1])]);
    }

    #[test]
    fn messages_that_pass_are_progress() {
        check([true, true, true], &[report(5, [0, 1]), report(6, [0, 1]), report(6, [0, 1])]);
    }

    #[test]
    fn to_wait_for_input_is_no_stall() {
        check([true, true, true], &[report(5, [1, 0]), report(5, [1, 0]), report(5, [1, 0])]);
    }
}
