//! The way from this library to the runtime, for what is recorded in it.
//!
//! The runtime calls [`attach`] when it takes the module's table. From then on `tracing` and `log`, if the features of these
//! names are on, and [`metrics`](crate::metrics) end there. Before that, and in a plain `cargo test`, nothing listens and
//! nothing is recorded.

mod api;
#[cfg(any(feature = "tracing", feature = "log"))]
mod draft;
#[cfg(feature = "log")]
mod log;
#[cfg(not(feature = "log"))]
mod log {
    pub(super) fn install(_: super::Host) {}
    pub(super) fn refresh(_: super::Host) {}
}
#[cfg(feature = "tracing")]
mod tracing;
#[cfg(not(feature = "tracing"))]
mod tracing {
    pub(super) fn install(_: super::Host) {}
    pub(super) fn refresh(_: super::Host) {}
}
mod trace;

pub(crate) use api::{Host, attach};
pub use trace::{TraceContext, trace_context};

/// The runtime was found, or what it wants to hear of has changed.
fn attached(host: Host, first: bool) {
    if first {
        tracing::install(host);
        log::install(host);
    } else {
        tracing::refresh(host);
        log::refresh(host);
    }
}
