//! Decides whether a request is tried again, and when. Has no clock of its own.

use std::time::{Duration, Instant};

use super::answer::Answer;

/// How patient a sink is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryLimits {
    /// The first wait; each further one is twice as long.
    pub first: Duration,
    /// The longest wait, unless the other side asks for a longer one.
    pub most: Duration,
    /// For how long a batch is tried.
    pub total: Duration,
}

impl Default for RetryLimits {
    fn default() -> Self {
        Self { first: Duration::from_millis(500), most: Duration::from_secs(10), total: Duration::from_secs(60) }
    }
}

/// The tries of one batch.
#[derive(Debug)]
pub(crate) struct Tries {
    limits: RetryLimits,
    begun: Instant,
    failed: u32,
}

impl Tries {
    pub(crate) fn new(limits: RetryLimits, now: Instant) -> Self {
        Self { limits, begun: now, failed: 0 }
    }

    /// How long to wait before the next try; none to give up. `jitter` is between 0 and 1. After `stop` nothing is tried, and on the way
    /// there only what somebody answers: who isn't there now will not come in the moments before the end.
    pub(crate) fn again(
        &mut self,
        answer: &Answer,
        now: Instant,
        stop: Option<Instant>,
        jitter: f64,
    ) -> Option<Duration> {
        let asked = match answer {
            Answer::Taken { .. } | Answer::Refused { .. } => return None,
            Answer::Unreachable { .. } if stop.is_some() => return None,
            Answer::Unreachable { .. } => None,
            Answer::Busy { after, .. } => *after,
        };
        let doubled = self.limits.first.saturating_mul(1 << self.failed.min(20)).min(self.limits.most);
        self.failed += 1;
        // Between half of it and all of it, so that not everybody comes back at once.
        let wait = asked.unwrap_or_else(|| doubled.mul_f64(0.5 + jitter / 2.0));
        let next = now.checked_add(wait)?;
        let is_late = next > self.begun + self.limits.total || stop.is_some_and(|stop| next >= stop);
        (!is_late).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn busy(after: Option<Duration>) -> Answer {
        Answer::Busy { after, why: String::new() }
    }

    #[test]
    fn waits_grow_up_to_the_longest_and_end_with_the_patience() {
        let begun = Instant::now();
        let limits = RetryLimits { first: SECOND, most: 4 * SECOND, total: 20 * SECOND };
        let (mut tries, mut now, mut waits) = (Tries::new(limits, begun), begun, Vec::new());
        while let Some(wait) = tries.again(&busy(None), now, None, 1.0) {
            now += wait;
            waits.push(wait.as_secs());
        }
        assert_eq!(vec![1, 2, 4, 4, 4, 4], waits);
    }

    #[test]
    fn the_other_side_says_how_long() {
        let now = Instant::now();
        let mut tries = Tries::new(RetryLimits::default(), now);
        assert_eq!(Some(30 * SECOND), tries.again(&busy(Some(30 * SECOND)), now, None, 0.0));
        assert_eq!(None, tries.again(&busy(Some(61 * SECOND)), now, None, 0.0), "longer than the patience");
    }

    #[test]
    fn at_the_end_only_who_answers_is_asked_again() {
        let now = Instant::now();
        let gone = Answer::Unreachable { why: String::new() };
        let tries = || Tries::new(RetryLimits::default(), now);
        assert!(tries().again(&gone, now, None, 0.5).is_some());
        assert_eq!(None, tries().again(&gone, now, Some(now + 9 * SECOND), 0.5));
        assert!(tries().again(&busy(None), now, Some(now + 9 * SECOND), 0.5).is_some());
        assert_eq!(None, tries().again(&busy(None), now, Some(now), 0.5));
    }

    #[test]
    fn what_was_refused_stays_refused() {
        let now = Instant::now();
        assert_eq!(
            None,
            Tries::new(RetryLimits::default(), now).again(&Answer::Refused { why: String::new() }, now, None, 0.5)
        );
    }
}
