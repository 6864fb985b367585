//! Named places where tests end the process, as a crash would.
//!
//! Between two durable steps anything may happen. Tests set `OXFLOW_CRASH` to `NAME` or `NAME:COUNT`, and the process
//! aborts when it passes the place of that name for the first, or the given, time. Without the feature `crash-points` the
//! places are nothing.

#[cfg(feature = "crash-points")]
pub(crate) use armed::point;
#[cfg(not(feature = "crash-points"))]
pub(crate) use unarmed::point;

#[cfg(feature = "crash-points")]
mod armed {
    use std::sync::atomic::{AtomicU32, Ordering};

    static PASSED: AtomicU32 = AtomicU32::new(0);

    /// Aborts if the environment says so.
    pub(crate) fn point(name: &str) {
        let Ok(wanted) = std::env::var("OXFLOW_CRASH") else { return };
        let (wanted, count) = wanted.split_once(':').unwrap_or((&wanted, "1"));
        if wanted == name && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == count.parse().unwrap_or(1) {
            std::process::abort();
        }
    }
}

#[cfg(not(feature = "crash-points"))]
mod unarmed {
    /// Nothing.
    #[inline]
    pub(crate) fn point(_name: &str) {}
}
