//! What happens to a message that a step fails on.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Bounded;

/// What happens when a step fails on a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// The run stops; the message is read again by the next run.
    #[default]
    Fail,
    /// The message is counted, reported and left out.
    Skip,
    /// The message is written to the dead letters, with what went wrong.
    DeadLetter,
    /// The function is called again.
    Retry(Retry),
}

/// How a function is called again for a message that it failed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// How often at most, 1 to 100. Default: 3.
    pub times: Bounded<1, 100>,
    /// Milliseconds before the first time, 0 to 60,000; doubled from time to time, up to a minute. Default: 100.
    pub backoff_ms: Bounded<0, 60_000>,
    /// What happens when it still fails. Default: `fail`.
    pub then: Policy,
}

/// What happens to a message that is given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// The run stops; the message is read again by the next run.
    #[default]
    Fail,
    /// The message is counted, reported and left out.
    Skip,
    /// The message is written to the dead letters, with what went wrong.
    DeadLetter,
}

impl Default for Retry {
    fn default() -> Self {
        Self { times: Bounded::new::<3>(), backoff_ms: Bounded::new::<100>(), then: Policy::Fail }
    }
}

impl Retry {
    /// As near to these numbers as the bounds allow.
    pub(crate) fn within_bounds(times: u32, backoff_ms: u64, then: Policy) -> Self {
        let backoff_ms = u32::try_from(backoff_ms).unwrap_or(u32::MAX);
        Self { times: Bounded::nearest(times), backoff_ms: Bounded::nearest(backoff_ms), then }
    }

    /// How long to wait before calling again for the `attempt`th time, from 1.
    pub fn backoff(&self, attempt: u32) -> Duration {
        const LONGEST: u64 = 60_000;
        let doubled = u64::from(self.backoff_ms.get()) << (attempt.saturating_sub(1)).min(16);
        Duration::from_millis(doubled.min(LONGEST))
    }
}

impl OnError {
    /// What happens to a message that is given up.
    pub fn policy(self) -> Policy {
        match self {
            Self::Fail => Policy::Fail,
            Self::Skip => Policy::Skip,
            Self::DeadLetter => Policy::DeadLetter,
            Self::Retry(retry) => retry.then,
        }
    }

    /// How the function is called again first, if it is.
    pub fn retry(self) -> Option<Retry> {
        if let Self::Retry(retry) = self { Some(retry) } else { None }
    }
}

/// Where messages go that steps with `on_error: dead_letter` failed on, and when they are too many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DeadLetters {
    /// Logical name of the stream that they are written to; `streams` says where it is. Default: `dead-letters`.
    pub stream: String,
    /// The run stops with exit code 5 when more than so many of a hundred messages of a partition are dead letters, 0 to
    /// 100. Default: 10.
    pub max_percent: Bounded<0, 100>,
    /// The share counts from so many messages of a partition on, 1 to 1,000,000,000. Default: 1000.
    pub min_messages: Bounded<1, 1_000_000_000>,
    /// The run stops with exit code 5 when so many messages of a partition in a row are dead letters, 1 to 1,000,000,000.
    /// Default: 100.
    pub max_in_a_row: Bounded<1, 1_000_000_000>,
}

impl Default for DeadLetters {
    fn default() -> Self {
        Self {
            stream: "dead-letters".to_owned(),
            max_percent: Bounded::new::<10>(),
            min_messages: Bounded::new::<1000>(),
            max_in_a_row: Bounded::new::<100>(),
        }
    }
}
