//! Spans, metrics and log records of runs to an OpenTelemetry Collector. The one place where the engine meets `oxflow-telemetry`.

mod extensions;
mod measures;
mod settings;
mod spans;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use oxflow_telemetry::SpanContext as Context;
use oxflow_telemetry::{Metrics, Scope, Telemetry};

use super::{Export, Observer, Provider, Stretch};
use crate::batch::Batch;
use crate::config::TelemetryConfig;
use crate::diagnostic::{Code, Diagnostic};
use crate::report::StepInfo;
use crate::run::StepCounts;
use extensions::Spot;
pub use extensions::{Instruments, innermost};
use measures::Measures;
use settings::Settings;

/// How long the end of a run waits for the collector.
const LAST_EXPORT: Duration = Duration::from_secs(5);
/// Who makes the records.
const SCOPE: &str = "oxflow";

/// The collectors that runs of this process were configured with. A later run with the same settings goes on with the same one.
static OPENED: Mutex<Vec<Opened>> = Mutex::new(Vec::new());

struct Opened {
    settings: Settings,
    otlp: Otlp,
}

/// Where spans, metrics and log records of runs go.
#[derive(Clone, Copy, Debug)]
pub struct Otlp {
    telemetry: &'static Telemetry,
    metrics: &'static Metrics,
    instruments: &'static Instruments,
    /// Whether the end of a run delivers all that there is: nobody else would.
    delivers: bool,
}

impl Otlp {
    /// Through what the process has already, which delivers by itself; `instruments` are those of extensions among `metrics`.
    pub fn over(telemetry: &'static Telemetry, metrics: &'static Metrics, instruments: &'static Instruments) -> Self {
        Self { telemetry, metrics, instruments, delivers: false }
    }

    /// Takes what extensions record in this span of the program; without one, in none.
    pub fn within(self, span: Option<Context>) -> Arc<dyn Export> {
        Arc::new(Spot::new(self, span))
    }

    fn begin(settings: &Settings) -> Result<Self, Diagnostic> {
        let metrics = Metrics::begin();
        let telemetry = Telemetry::begin(settings.telemetry(metrics).map_err(wrong)?);
        telemetry.read_instruments();
        Ok(Self { telemetry, metrics, instruments: Box::leak(Box::default()), delivers: true })
    }
}

/// What can't be used of a configuration.
pub(crate) fn check(config: &TelemetryConfig) -> Option<Diagnostic> {
    Settings::read(config, &|name| std::env::var(name).ok()).and_then(|settings| settings.check()).err().map(wrong)
}

/// The collector that a configuration names; none if `OTEL_SDK_DISABLED` says so.
pub(crate) fn open(config: &TelemetryConfig) -> Result<Option<Arc<dyn Provider>>, Diagnostic> {
    let settings = Settings::read(config, &|name| std::env::var(name).ok()).map_err(wrong)?;
    if settings.is_disabled {
        return Ok(None);
    }
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = opened.iter().find(|known| known.settings == settings) {
        return Ok(Some(Arc::new(known.otlp)));
    }
    let otlp = Otlp::begin(&settings)?;
    opened.push(Opened { settings, otlp });
    Ok(Some(Arc::new(otlp)))
}

fn wrong(why: String) -> Diagnostic {
    Diagnostic::new(Code::InvalidValue, "`telemetry` can't be used")
        .because(why)
        .fix("mend `telemetry` in the configuration, or the variable `OTEL_*` that is named")
}

impl Provider for Otlp {
    fn observe(&self, steps: &[StepInfo], system: &'static str) -> Arc<dyn Observer> {
        let scope = Scope { version: env!("CARGO_PKG_VERSION").to_owned(), ..Scope::named(SCOPE) };
        let scope = Arc::new(scope);
        let measures = Measures::of(self.metrics, &scope, system);
        Arc::new(Watch { otlp: *self, scope, system, steps: steps.into(), measures })
    }
}

/// Watches one run.
#[derive(Debug)]
struct Watch {
    otlp: Otlp,
    scope: Arc<Scope>,
    system: &'static str,
    steps: Arc<[StepInfo]>,
    measures: Measures,
}

impl Observer for Watch {
    fn batch(&self, lane: usize, batch: &Batch) -> Box<dyn Stretch> {
        spans::batch(self, lane, batch)
    }

    fn carried(&self, stream: &str, time: Duration) {
        self.measures.batch(stream, time);
    }

    fn counted(&self, added: &[StepCounts]) {
        for (step, added) in self.steps.iter().zip(added).filter(|(_, added)| **added != StepCounts::default()) {
            self.measures.step(step, added);
        }
    }

    fn committed(&self, time: Duration) {
        self.measures.commit(time);
    }

    fn lag(&self, stream: &str, partition: u32, messages: u64) {
        self.measures.lag(stream, partition, messages);
    }

    fn export(&self) -> Arc<dyn Export> {
        self.otlp.within(None)
    }

    fn end(&self) {
        // What is lost is said by the telemetry itself.
        if self.otlp.delivers && !self.otlp.telemetry.force_flush(LAST_EXPORT) {
            self.otlp.telemetry.tell_of_waiting();
        }
    }
}
