//! Spans, metrics and logs, on their way to an OpenTelemetry Collector, the Simple Log Service or a console. Knows nothing of streams.
//!
//! ```text
//! span.end()  log()      add()  record()            threads of the application: microseconds, and no waiting
//!       \      |            \     |
//!        v     v             v    v
//!     bounded queues      aggregations              bytes as they are sent; what finds no room is counted
//!             \              /
//!              v            v
//!        one thread, `oxflow-telemetry`             batches, requests, retries
//!                   |
//!        OTLP over gRPC or HTTP, SLS, console
//! ```
//!
//! A record is written once, in the thread that made it, as the bytes that leave the process: nothing is allocated in one thread and freed
//! in another, and the memory of a queue is what its bytes are. All that is made is counted: [`Counts`] says how much was
//! delivered, dropped and for what reason, and how much waits, and their sum is what was made.
//!
//! ```no_run
//! use oxflow_telemetry::{Begin, Config, Scope, Telemetry};
//! use std::sync::Arc;
//!
//! let telemetry = Telemetry::begin(Config::default());
//! let scope = Arc::new(Scope::named("my_service"));
//! let span = telemetry.start(&scope, Begin::named("work"), |attributes, limits| {
//!     attributes.set("answer", &42.into(), limits);
//! });
//! span.end(None);
//! telemetry.shutdown(std::time::Duration::from_secs(5));
//! ```
//!
//! Nothing begins before the first record: no thread, no socket. After a fork a child has nothing of what its parent recorded.

#![allow(
    clippy::cast_precision_loss,
    reason = "a number with a fraction has 53 bits: what is shown or added as one is as exact as that"
)]

mod attributes;
mod batch;
mod clock;
mod console;
mod context;
mod export;
mod fork;
mod id;
mod json;
mod limits;
mod log;
mod metric;
pub mod propagate;
mod queue;
mod sampler;
mod scope;
mod signal;
mod sink;
mod sls_log;
mod span;
mod telemetry;
mod value;
mod wire;
mod worker;

pub use attributes::Attributes;
pub use clock::now_ns;
pub use console::{ConsoleConfig, Format};
pub use context::{SAMPLED, SpanContext};
pub use export::{
    Backend, Compression, Credentials, Endpoint, EndpointError, OtlpConfig, Protocol, RetryLimits, SlsCompression,
    SlsConfig, SlsSignature, TlsError, TlsFiles,
};
pub use hyper::header::{HeaderName, HeaderValue};
pub use limits::{AttributeLimits, SpanLimits};
pub use log::{LogRecord, Severity};
pub use metric::{
    Aggregation, Draft, Instrument, InstrumentKind, Metrics, Number, Observation, Observe, Temporality, View,
};
pub use queue::{BatchLimits, Counts, Dropped};
pub use sampler::{Beginning, Decision, Sample, Sampler};
pub use scope::{Resource, Scope};
pub use signal::Signal;
pub use sink::SinkStats;
pub use span::{Event, Kind, Span, Status};
pub use telemetry::{Begin, Config, Flush, MOST_TRACE_SINKS, SignalConfig, SinkConfig, Telemetry};
pub use value::Value;
