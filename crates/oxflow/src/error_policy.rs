//! What an error wants done with its message.

use crate::abi::{self, Wish};

/// An error that knows what is to be done with the message that it came from.
///
/// Where it says something, that counts in place of what the step's `on_error` says. `derive(ErrorPolicy)` writes it from
/// attributes on the variants; a variant without one leaves it to the configuration.
///
/// ```
/// use oxflow::ErrorPolicy;
///
/// #[derive(Debug, thiserror::Error, ErrorPolicy)]
/// enum Refused {
///     #[error("the price service is busy")]
///     #[on_error(retry(times = 3, backoff_ms = 100, then = dead_letter))]
///     Busy,
///     #[error("no unit `{0}`")]
///     #[on_error(dead_letter)]
///     Unit(String),
///     #[error("a test message")]
///     #[on_error(skip)]
///     Test,
///     #[error("no prices at all")]
///     NoPrices,
/// }
/// # assert!(Refused::NoPrices.policy().is_none());
/// ```
pub trait ErrorPolicy {
    /// Every policy that [`policy`](Self::policy) may give.
    const POLICIES: &'static [Policy];

    /// What this error wants.
    fn policy(&self) -> Option<Policy>;
}

/// What is done with a message that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// The pipeline ends.
    Fail,
    /// The message is left out.
    Skip,
    /// The message is written to the dead letters.
    DeadLetter,
    /// The function is called again.
    Retry {
        /// How often at most.
        times: u32,
        /// Milliseconds before the first of these calls; each further one waits twice as long.
        backoff_ms: u64,
        /// What is done when all of them failed.
        then: Then,
    },
}

/// What is done with a message that failed each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The pipeline ends.
    Fail,
    /// The message is left out.
    Skip,
    /// The message is written to the dead letters.
    DeadLetter,
}

impl Policy {
    /// The wish that says it.
    pub(crate) fn wish(self) -> Wish {
        match self {
            Self::Retry { times, backoff_ms, then } => {
                Wish { policy: self.kind() as u32, times, backoff_ms, then: then.kind() as u32 }
            }
            other => Wish { policy: other.kind() as u32, ..Wish::default() },
        }
    }

    /// The bits of what it may come to, as a function's table has them.
    pub(crate) fn bits(self) -> u32 {
        let own = 1 << self.kind() as u32;
        if let Self::Retry { then, .. } = self { own | 1 << then.kind() as u32 } else { own }
    }

    fn kind(self) -> abi::Policy {
        match self {
            Self::Fail => abi::Policy::Fail,
            Self::Skip => abi::Policy::Skip,
            Self::DeadLetter => abi::Policy::DeadLetter,
            Self::Retry { .. } => abi::Policy::Retry,
        }
    }
}

impl Then {
    fn kind(self) -> abi::Policy {
        match self {
            Self::Fail => abi::Policy::Fail,
            Self::Skip => abi::Policy::Skip,
            Self::DeadLetter => abi::Policy::DeadLetter,
        }
    }
}
