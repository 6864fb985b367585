//! Named places where tests end the process, as a crash would.
//!
//! Between two durable steps anything may happen. Tests set `OXFLOW_CRASH` to `NAME` or `NAME:COUNT`, and the process
//! aborts when it passes the place of that name for the first, or the given, time; with `OXFLOW_HANG` the thread goes no further, as in a
//! disk that doesn't answer. Without the feature `crash-points` the places are nothing.

#[cfg(feature = "crash-points")]
pub(crate) use armed::point;
#[cfg(not(feature = "crash-points"))]
pub(crate) use unarmed::point;

#[cfg(feature = "crash-points")]
mod armed {
    use std::sync::atomic::{AtomicU32, Ordering};

    static PASSED: AtomicU32 = AtomicU32::new(0);

    /// Aborts or hangs if the environment says so.
    pub(crate) fn point(name: &str) {
        if is_reached("OXFLOW_CRASH", name) {
            std::process::abort();
        }
        if is_reached("OXFLOW_HANG", name) {
            loop {
                std::thread::park();
            }
        }
    }

    /// One of the two is set.
    fn is_reached(variable: &str, name: &str) -> bool {
        let Ok(wanted) = std::env::var(variable) else { return false };
        let (wanted, count) = wanted.split_once(':').unwrap_or((&wanted, "1"));
        wanted == name && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == count.parse().unwrap_or(1)
    }
}

#[cfg(not(feature = "crash-points"))]
mod unarmed {
    /// Nothing.
    #[inline]
    pub(crate) fn point(_name: &str) {}
}
