//! The beginning and the end, of the telemetry and of processes.

use std::time::Duration;

use oxflow_telemetry::SinkStats;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use super::config::Settings;
use super::process;

/// Take records from now on, as `settings` say; what was begun before ends, with so many seconds to deliver what it has.
///
/// Raises:
///     `ValueError`: a setting can't be used.
#[pyfunction]
#[pyo3(signature = (settings: "Any", timeout_s))]
pub(crate) fn begin_telemetry(py: Python<'_>, settings: Settings<'_>, timeout_s: f64) -> PyResult<()> {
    let config = settings.read()?;
    py.detach(|| {
        let telemetry = oxflow_telemetry::Telemetry::begin(config);
        oxflow_engine::host::export_outside(process::outside);
        let before = process::replace(telemetry);
        before.map(|before| before.shutdown(seconds(timeout_s)));
        // Afterwards: what the one before had measured is its own.
        telemetry.read_instruments();
    });
    Ok(())
}

/// How long a flush waits before it looks for Ctrl-C.
const TURN: Duration = Duration::from_millis(50);

/// Send all that there is, for so many seconds at most, and if it `ends` take nothing more; whether all was delivered.
#[pyfunction]
pub(crate) fn flush_telemetry(py: Python<'_>, timeout_s: f64, ends: bool) -> PyResult<bool> {
    let Some(telemetry) = process::current() else { return Ok(true) };
    let timeout = seconds(timeout_s);
    let begin = || if ends { telemetry.begin_shutdown(timeout) } else { telemetry.begin_flush(timeout) };
    let flush = py.detach(begin);
    loop {
        if let Some(are_delivered) = py.detach(|| flush.wait(TURN)) {
            return Ok(are_delivered);
        }
        py.check_signals()?;
    }
}

fn seconds(timeout_s: f64) -> Duration {
    Duration::try_from_secs_f64(timeout_s.clamp(0.0, 86_400.0)).unwrap_or_default()
}

/// What became of all records, a dictionary for each sink.
#[pyfunction]
#[pyo3(signature = () -> "list[dict[str, Any]]")]
pub(crate) fn telemetry_stats(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let stats = process::current().map(oxflow_telemetry::Telemetry::stats).unwrap_or_default();
    let lines: Vec<_> = stats.iter().map(|line| entry(py, line)).collect::<PyResult<_>>()?;
    PyList::new(py, lines)
}

fn entry<'py>(py: Python<'py>, line: &SinkStats) -> PyResult<Bound<'py, PyDict>> {
    let (counts, entry) = (line.counts, PyDict::new(py));
    entry.set_item("signal", line.signal.name())?;
    entry.set_item("destination", &line.destination)?;
    entry.set_item("made", counts.made)?;
    entry.set_item("delivered", counts.delivered)?;
    entry.set_item("queued", counts.queued)?;
    entry.set_item("dropped_full", counts.dropped.full)?;
    entry.set_item("dropped_refused", counts.dropped.refused)?;
    entry.set_item("dropped_undelivered", counts.dropped.undelivered)?;
    entry.set_item("dropped_late", counts.dropped.late)?;
    Ok(entry)
}

/// This process is the child.
#[pyfunction]
pub(crate) fn after_fork_in_child() {
    process::current().into_iter().for_each(oxflow_telemetry::Telemetry::revive);
}
