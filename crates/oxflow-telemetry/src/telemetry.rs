//! All of it together: what is recorded, and where it goes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::attributes::Attributes;
use crate::clock;
use crate::console::{self, ConsoleConfig};
use crate::context::{RANDOM, SAMPLED, SpanContext};
use crate::export::Backend;
use crate::fork::{self, Forgets, Held, Keeps};
use crate::id;
use crate::limits::{AttributeLimits, SpanLimits};
use crate::log::{LogRecord, Severity};
use crate::metric::{Metrics, Reader, Temporality, View};
use crate::queue::{BatchLimits, Queue};
use crate::sampler::{Beginning, Sampler};
use crate::scope::{Resource, Scope};
use crate::signal::Signal;
use crate::sink::{Destination, Sink, SinkStats};
use crate::span::{Begun, Ended, Kind, Span};
use crate::{sls_log, worker};

/// Most sinks for spans: each span remembers which of them take it.
pub const MOST_TRACE_SINKS: usize = 7;
/// The bit of the console among them.
const CONSOLE: u8 = 1 << MOST_TRACE_SINKS;

/// What is recorded, and where it goes.
#[derive(Debug, Default)]
pub struct Config {
    /// The process.
    pub resource: Resource,
    /// Where records go. Of those for spans the first seven.
    pub sinks: Vec<SinkConfig>,
    /// What stands on the console, none for nothing.
    pub console: Option<ConsoleConfig>,
    /// Limits of spans.
    pub span_limits: SpanLimits,
    /// Limits of the attributes of log records.
    pub log_limits: AttributeLimits,
    /// The instruments that sinks for metrics read.
    pub metrics: Option<&'static Metrics>,
    /// What is seen of them otherwise than they are.
    pub views: Vec<View>,
}

/// A collector for records of one kind.
#[derive(Debug)]
pub struct SinkConfig {
    /// Which records.
    pub signal: SignalConfig,
    /// Who takes them.
    pub backend: Backend,
    /// How records are gathered.
    pub batch: BatchLimits,
}

/// Which records a sink takes.
#[derive(Debug)]
pub enum SignalConfig {
    /// Spans, those that the sampler takes.
    Traces(Sampler),
    /// Log records from this severity on.
    Logs(Severity),
    /// All instruments, once in the `delay` of the batch.
    Metrics(Temporality),
}

/// Takes spans and log records. Lives as long as the process.
#[derive(Debug)]
pub struct Telemetry {
    resource: Resource,
    span_limits: SpanLimits,
    log_limits: AttributeLimits,
    traces: Vec<(Sampler, &'static Sink)>,
    logs: Vec<(Severity, &'static Sink)>,
    readers: Vec<(Reader, &'static Sink)>,
    metrics: Option<&'static Metrics>,
    console: Option<(ConsoleConfig, &'static Sink)>,
    worker: Mutex<Running>,
    /// Nothing more is taken.
    is_over: AtomicBool,
}

/// Whether the thread runs.
#[derive(Debug, Default)]
struct Running(bool);

impl Forgets for Running {
    fn forget(&mut self) {
        self.0 = false;
    }
}

impl Keeps for Telemetry {
    fn hold(&'static self) -> Box<dyn Held> {
        Box::new(fork::lock(&self.worker))
    }
}

/// A span that begins.
#[derive(Clone, Copy, Debug)]
pub struct Begin<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is to others.
    pub kind: Kind,
    /// The span that it is in; none begins a trace.
    pub parent: Option<&'a SpanContext>,
    /// When it began, if that wasn't now.
    pub start_ns: Option<u64>,
}

impl<'a> Begin<'a> {
    /// One that begins a trace now.
    pub fn named(name: &'a str) -> Self {
        Self { name, kind: Kind::Internal, parent: None, start_ns: None }
    }
}

impl Telemetry {
    /// Takes records from now on, and with [`Self::read_instruments`] measurements. What this makes is never freed: a process
    /// does it once, or a few times.
    pub fn begin(config: Config) -> &'static Self {
        let Config { resource, sinks, console, span_limits, log_limits, metrics, views } = config;
        let (mut traces, mut logs, mut readers) = (Vec::new(), Vec::new(), Vec::new());
        for SinkConfig { signal, backend, batch } in sinks {
            let made = |signal| sink(signal, Destination::Backend(backend), batch);
            match signal {
                SignalConfig::Traces(sampler) if traces.len() < MOST_TRACE_SINKS => {
                    traces.push((sampler, made(Signal::Traces)));
                }
                SignalConfig::Traces(_) => {}
                SignalConfig::Logs(least) => logs.push((least, made(Signal::Logs))),
                SignalConfig::Metrics(temporality) => {
                    let reader = Reader { number: readers.len(), temporality, views: views.clone() };
                    readers.push((reader, made(Signal::Metrics)));
                }
            }
        }
        let at_once = BatchLimits { delay: Duration::ZERO, ..BatchLimits::default() };
        let console = console.map(|console| (console, sink(Signal::Logs, Destination::Console, at_once)));
        let (worker, is_over) = (Mutex::default(), AtomicBool::new(false));
        let made = Self { resource, span_limits, log_limits, traces, logs, readers, metrics, console, worker, is_over };
        let made: &'static Self = Box::leak(Box::new(made));
        // In the order in which `worker::start` takes the locks.
        fork::keep(made);
        made.sinks().for_each(|sink| fork::keep(&sink.queue));
        made
    }

    /// Reads the instruments from now on, in place of whoever did: whose last round must be over by then.
    pub fn read_instruments(&'static self) {
        if let Some(metrics) = self.metrics
            && !self.readers.is_empty()
        {
            metrics.read_by(self.readers.iter().map(|(reader, _)| reader.clone()).collect(), self);
            self.revive();
        }
    }

    /// Begins a span. `fill` sets its attributes; it isn't called if the span isn't recorded.
    pub fn start(
        &'static self,
        scope: &Arc<Scope>,
        begin: Begin<'_>,
        fill: impl FnOnce(&mut Attributes, &AttributeLimits),
    ) -> Span {
        let parent = begin.parent.filter(|parent| parent.is_valid());
        if self.is_over() {
            // Whoever is asked after the end passes on what he was given.
            return Span::unrecorded(parent.cloned().unwrap_or_else(SpanContext::none), None);
        }
        let trace_id = parent.map_or_else(id::trace_id, |parent| parent.trace_id);
        let (mut attributes, mut fill) = (Attributes::new(), Some(fill));
        if self.traces.iter().any(|(sampler, _)| sampler.wants_attributes())
            && let Some(fill) = fill.take()
        {
            fill(&mut attributes, &self.span_limits.attributes);
        }
        let sampled = self.sample(begin, parent, trace_id, &attributes);
        let is_random = parent.map_or(RANDOM, |parent| parent.flags & RANDOM);
        let flags = is_random | if sampled.sinks == 0 { 0 } else { SAMPLED };
        let state = sampled.state.or_else(|| parent.and_then(|parent| parent.state.clone()));
        let sinks = sampled.sinks;
        let context = SpanContext { trace_id, span_id: id::span_id(), flags, is_remote: false, state, sinks };
        if sinks == 0 {
            return Span::unrecorded(context, parent.cloned());
        }
        if let Some(fill) = fill {
            fill(&mut attributes, &self.span_limits.attributes);
        }
        for (name, value) in sampled.attributes.iter() {
            attributes.set(&name, &value, &self.span_limits.attributes);
        }
        let (name, kind, scope) = (begin.name.to_owned(), begin.kind, Arc::clone(scope));
        let start_ns = begin.start_ns.unwrap_or_else(clock::now_ns);
        Span::recorded(self, Begun { context, parent: parent.cloned(), scope, name, kind, start_ns, attributes })
    }

    /// Which sinks take a span that begins.
    fn sample(
        &self,
        begin: Begin<'_>,
        parent: Option<&SpanContext>,
        trace_id: u128,
        attributes: &Attributes,
    ) -> Sampled {
        let beginning = Beginning { parent, trace_id, name: begin.name, kind: begin.kind, attributes };
        let mut sampled = Sampled::default();
        for (number, (sampler, _)) in self.traces.iter().enumerate() {
            let decision = sampler.decide(&beginning, 1 << number);
            if decision.is_recorded {
                sampled.sinks |= 1 << number;
                sampled.attributes = decision.attributes;
            }
            sampled.state = sampled.state.or(decision.state);
        }
        // The console shows what others take, or all if there are none.
        if self.shows_spans() && (sampled.sinks != 0 || self.traces.is_empty()) {
            sampled.sinks |= CONSOLE;
        }
        sampled
    }

    fn shows_spans(&self) -> bool {
        self.console.is_some_and(|(console, _)| console.least <= Severity::INFO)
    }

    pub(crate) fn span_ended(&'static self, ended: &Ended<'_>, scope: &Arc<Scope>) {
        let sinks = ended.span.context().sinks;
        for (number, (_, sink)) in self.traces.iter().enumerate() {
            if sinks & (1 << number) != 0 {
                self.pushed(sink.queue.push(scope, |to| crate::wire::message(to, 2, |to| ended.write(to))));
            }
        }
        if let Some((config, sink)) = &self.console
            && sinks & CONSOLE != 0
        {
            self.pushed(sink.queue.push(scope, |to| console::span(to, *config, ended)));
        }
    }

    /// The least severity that anybody takes, none if nobody takes log records.
    pub fn least_severity(&self) -> Option<Severity> {
        let console = self.console.iter().map(|(console, _)| console.least);
        self.logs.iter().map(|(least, _)| *least).chain(console).min()
    }

    /// Takes a log record of this scope.
    pub fn log(&'static self, scope: &Arc<Scope>, record: &LogRecord<'_>) {
        for (least, sink) in &self.logs {
            if record.severity.reaches(*least) {
                self.pushed(sink.queue.push(scope, |to| match &sink.destination {
                    Destination::Backend(Backend::Sls(_)) => {
                        crate::wire::message(to, 1, |to| sls_log::write(to, scope, record));
                    }
                    _ => crate::wire::message(to, 2, |to| record.write(to)),
                }));
            }
        }
        if let Some((config, sink)) = &self.console
            && record.severity.reaches(config.least)
        {
            self.pushed(sink.queue.push(scope, |to| console::log(to, *config, scope, record)));
        }
    }

    /// Limits of spans.
    pub fn span_limits(&self) -> &SpanLimits {
        &self.span_limits
    }

    /// Limits of the attributes of log records.
    pub fn log_limits(&self) -> &AttributeLimits {
        &self.log_limits
    }

    /// The process.
    pub fn resource(&self) -> &Resource {
        &self.resource
    }

    /// What became of all records, a line for each sink.
    pub fn stats(&self) -> Vec<SinkStats> {
        self.sinks().map(Sink::stats).collect()
    }

    /// Whether it was shut down.
    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Sends all that there is; whether all of it was delivered in time.
    pub fn force_flush(&'static self, timeout: Duration) -> bool {
        self.begin_flush(timeout).finish()
    }

    /// Lets all that there is be sent, for whoever waits in pieces.
    pub fn begin_flush(&'static self, timeout: Duration) -> Flush {
        self.all(Instant::now() + timeout, Queue::flush)
    }

    /// Tells on standard error, once for each sink, that records wait still.
    pub fn tell_of_waiting(&self) {
        self.sinks().for_each(Sink::tell_of_waiting);
    }

    /// Sends all that there is and takes nothing more; whether all of it was delivered in time.
    pub fn shutdown(&'static self, timeout: Duration) -> bool {
        self.begin_shutdown(timeout).finish()
    }

    /// The same for whoever waits in pieces.
    pub fn begin_shutdown(&'static self, timeout: Duration) -> Flush {
        self.is_over.store(true, Ordering::Relaxed);
        let until = Instant::now() + timeout;
        self.all(until, |queue| queue.end(until))
    }

    /// Lets every queue be sent.
    fn all(&'static self, until: Instant, begin: impl Fn(&Queue) -> u64) -> Flush {
        let lost_before = self.lost();
        let is_idle = self.readers.is_empty() && self.sinks().all(|sink| sink.queue.counts().queued == 0);
        let rounds: Vec<_> = self.sinks().map(|sink| (sink, begin(&sink.queue))).collect();
        if is_idle {
            return Flush { telemetry: self, rounds: Vec::new(), lost_before, until };
        }
        self.pushed(true);
        Flush { telemetry: self, rounds, lost_before, until }
    }

    /// How many records were sent in vain.
    fn lost(&self) -> u64 {
        self.sinks().map(|sink| sink.queue.counts().dropped).map(|lost| lost.refused + lost.undelivered).sum()
    }

    /// Takes what the instruments show, if that is what the sink is for.
    pub(crate) fn collect(&self, sink: &Sink) {
        let number = self.readers.iter().position(|(_, reader)| std::ptr::eq(*reader, sink));
        if let (Some(number), Some(metrics)) = (number, self.metrics) {
            let batches = metrics.collect(number, sink.queue.limits().batch_bytes);
            for batch in batches {
                sink.queue.push_batch(batch);
            }
        }
    }

    /// In a forked child: goes on asking whom the parent asked. All else begins with the first record.
    pub fn revive(&'static self) {
        if !self.readers.is_empty() && self.metrics.is_some_and(Metrics::has_observers) {
            self.wake();
        }
    }

    /// Starts the thread if there is none.
    pub(crate) fn wake(&'static self) {
        self.pushed(true);
    }

    pub(crate) fn sinks(&self) -> impl Iterator<Item = &'static Sink> {
        let traces = self.traces.iter().map(|(_, sink)| *sink);
        let logs = self.logs.iter().map(|(_, sink)| *sink);
        let readers = self.readers.iter().map(|(_, sink)| *sink);
        traces.chain(logs).chain(readers).chain(self.console.iter().map(|(_, sink)| *sink))
    }

    /// Something was pushed; starts the thread if there is none.
    fn pushed(&'static self, lacks_worker: bool) {
        if !lacks_worker {
            return;
        }
        let mut running = fork::lock(&self.worker);
        if !running.0 {
            // If there is no thread to be had, the next record tries again.
            running.0 = worker::start(self).is_ok();
        }
    }
}

/// Queues that are being sent.
#[derive(Debug)]
pub struct Flush {
    telemetry: &'static Telemetry,
    rounds: Vec<(&'static Sink, u64)>,
    lost_before: u64,
    until: Instant,
}

impl Flush {
    /// Waits for so long at most; whether all was delivered in time, `None` if that is open still.
    pub fn wait(&self, patience: Duration) -> Option<bool> {
        let until = self.until.min(Instant::now() + patience);
        if self.rounds.iter().all(|(sink, round)| sink.queue.wait(*round, until)) {
            return Some(self.lost_before == self.telemetry.lost());
        }
        (Instant::now() >= self.until).then_some(false)
    }

    fn finish(&self) -> bool {
        self.wait(self.until.saturating_duration_since(Instant::now())).unwrap_or(false)
    }
}

/// Which sinks take a span, and what their samplers add to it.
#[derive(Debug, Default)]
struct Sampled {
    sinks: u8,
    attributes: Attributes,
    state: Option<Arc<str>>,
}

fn sink(signal: Signal, destination: Destination, batch: BatchLimits) -> &'static Sink {
    Box::leak(Box::new(Sink::new(signal, destination, Queue::bounded(batch))))
}
