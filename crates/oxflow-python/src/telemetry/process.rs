//! The telemetry of this process, and the instruments that it reads.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use oxflow_engine::telemetry::otlp::{Instruments, Otlp};
use oxflow_engine::telemetry::{Export, Provider};
use oxflow_telemetry::{Metrics, SpanContext, Telemetry};

static SLOT: Mutex<Option<&'static Telemetry>> = Mutex::new(None);
/// Changes whenever `SLOT` does.
static VERSION: AtomicU64 = AtomicU64::new(0);
static METRICS: OnceLock<&'static Metrics> = OnceLock::new();
/// Those of extensions among them.
static INSTRUMENTS: LazyLock<Instruments> = LazyLock::new(Instruments::default);

thread_local! {
    /// What this thread saw, and in which version: to look is then a load, not a lock.
    static SEEN: Cell<(u64, Option<&'static Telemetry>)> = const { Cell::new((0, None)) };
}

/// Where records go; nowhere before `init`.
pub(super) fn current() -> Option<&'static Telemetry> {
    let version = VERSION.load(Ordering::Acquire);
    SEEN.try_with(|seen| {
        if seen.get().0 != version {
            seen.set((version, *SLOT.lock().unwrap_or_else(PoisonError::into_inner)));
        }
        seen.get().1
    })
    .ok()
    .flatten()
}

/// From now on they go there; returns where they went.
pub(super) fn replace(telemetry: &'static Telemetry) -> Option<&'static Telemetry> {
    let before = SLOT.lock().unwrap_or_else(PoisonError::into_inner).replace(telemetry);
    VERSION.fetch_add(1, Ordering::AcqRel);
    before
}

/// The same to runs of pipelines.
pub(crate) fn provider() -> Option<Arc<dyn Provider>> {
    otlp().map(|otlp| Arc::new(otlp) as Arc<dyn Provider>)
}

/// The same to extensions that are called in this span, or in none.
pub(super) fn export(span: Option<SpanContext>) -> Option<Arc<dyn Export>> {
    otlp().map(|otlp| otlp.within(span))
}

/// The same to extensions on threads of their own.
pub(super) fn outside() -> Option<Arc<dyn Export>> {
    export(None)
}

fn otlp() -> Option<Otlp> {
    // One that was shut down takes nothing more, so that the configuration of the run counts.
    let telemetry = current().filter(|telemetry| !telemetry.is_over());
    telemetry.map(|telemetry| Otlp::over(telemetry, metrics(), &INSTRUMENTS))
}

/// All instruments.
pub(super) fn metrics() -> &'static Metrics {
    METRICS.get_or_init(Metrics::begin)
}
