//! The first SIGINT or SIGTERM drains a run, the second ends the process.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Who stopped the run, if somebody did.
pub(super) type StoppedBy = Arc<Mutex<Option<&'static str>>>;

/// Lets signals set `drain`; `told` is called at the first one.
#[cfg(unix)]
pub(super) fn watch(drain: Arc<AtomicBool>, stopped_by: StoppedBy, told: impl Fn() + Send + 'static) -> io::Result<()> {
    use std::time::{Duration, Instant};

    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    use crate::job::exit;

    /// Signals that come so close together are one: whoever starts us may pass on what the terminal sends to us as well.
    const AT_ONCE: Duration = Duration::from_millis(100);

    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let watch = move || {
        let mut first: Option<Instant> = None;
        for signal in signals.forever() {
            match first {
                None => {
                    first = Some(Instant::now());
                    let name = if signal == SIGINT { "SIGINT" } else { "SIGTERM" };
                    *stopped_by.lock().unwrap_or_else(PoisonError::into_inner) = Some(name);
                    drain.store(true, Ordering::Release);
                    told();
                }
                Some(first) if first.elapsed() < AT_ONCE => {}
                // Nothing that somebody registered for the end may wait for a thread of ours.
                Some(_) => signal_hook::low_level::exit(i32::from(exit::INTERRUPTED)),
            }
        }
    };
    std::thread::Builder::new().name("oxflow-signals".to_owned()).spawn(watch)?;
    Ok(())
}

/// Where there are no such signals, an interrupt ends the process; a later run goes on from the checkpoint.
#[cfg(not(unix))]
pub(super) fn watch(_: Arc<AtomicBool>, _: StoppedBy, _: impl Fn() + Send + 'static) -> io::Result<()> {
    Ok(())
}
