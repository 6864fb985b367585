//! Time as the engine sees it: real, or moved by hand in tests of pipelines.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Tells the time. Timeouts use [`Clock::now`], which never goes back; messages are stamped with [`Clock::timestamp_us`].
#[derive(Debug)]
pub enum Clock {
    /// The machine's clocks.
    System(Instant),
    /// Stands still until [`Clock::advance`]; microseconds since the start.
    Manual(AtomicU64),
}

impl Clock {
    /// The machine's clocks.
    pub fn system() -> Self {
        Self::System(Instant::now())
    }

    /// A clock that stands at 1970-01-01 UTC until it is moved.
    pub fn manual() -> Self {
        Self::Manual(AtomicU64::new(0))
    }

    /// Time since the clock was made.
    pub fn now(&self) -> Duration {
        match self {
            Self::System(start) => start.elapsed(),
            Self::Manual(micros) => Duration::from_micros(micros.load(Ordering::Acquire)),
        }
    }

    /// Microseconds since 1970-01-01 UTC.
    pub fn timestamp_us(&self) -> i64 {
        let since_epoch = match self {
            Self::System(_) => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            Self::Manual(_) => self.now(),
        };
        i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX)
    }

    /// Moves a manual clock; the machine's clock moves by itself.
    pub fn advance(&self, time: Duration) {
        if let Self::Manual(micros) = self {
            micros.fetch_add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX), Ordering::AcqRel);
        }
    }
}
