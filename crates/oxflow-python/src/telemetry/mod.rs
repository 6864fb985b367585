//! Telemetry, as Python sees it: spans, instruments, loggers, and where they go.

mod begin;
mod carrier;
mod config;
mod context;
mod exception;
mod foreign;
mod instrument;
mod life;
mod link;
mod logger;
mod process;
mod sampler;
mod scope;
mod span;
mod tracer;
mod value;

pub(crate) use begin::start_span;
pub(crate) use carrier::{Extracted, extract_headers, get_baggage, inject_headers, set_baggage};
pub(crate) use context::export;
pub(crate) use instrument::Instrument;
pub(crate) use life::{after_fork_in_child, begin_telemetry, flush_telemetry, telemetry_stats};
pub(crate) use logger::Logger;
pub(crate) use process::provider;
pub(crate) use span::{Span, current_span};
pub(crate) use tracer::{CurrentSpan, Tracer, TracerSpan};
