//! Stands for OTLP where the engine is built without the feature `otlp`.

use std::sync::Arc;

use super::Provider;
use crate::config::TelemetryConfig;
use crate::diagnostic::{Code, Diagnostic};

/// Where in a trace something is: without the feature nothing is anywhere.
#[derive(Debug)]
pub enum Context {}

/// Refuses.
#[expect(clippy::unnecessary_wraps, reason = "as with the feature, where it may be usable")]
pub(crate) fn check(_: &TelemetryConfig) -> Option<Diagnostic> {
    Some(not_built())
}

/// Refuses.
pub(crate) fn open(_: &TelemetryConfig) -> Result<Option<Arc<dyn Provider>>, Diagnostic> {
    Err(not_built())
}

fn not_built() -> Diagnostic {
    Diagnostic::new(Code::InvalidValue, "`telemetry` is set, but this program was built without OTLP")
        .because("what sends spans and metrics is a feature of the engine, since not every program needs it")
        .fix("build `oxflow-engine` with the feature `otlp`, or take `telemetry` out")
}
