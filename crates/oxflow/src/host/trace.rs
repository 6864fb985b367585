//! Where in a trace this thread is, for requests to other systems.

use super::Host;
use std::fmt;

/// Where in a trace a thread is. Its text is the value of the W3C header `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// Identity of the trace.
    pub trace_id: u128,
    /// Identity of the span.
    pub span_id: u64,
}

/// Where in a trace this thread is; none where nothing is traced, as in a plain `cargo test`.
///
/// ```
/// // A request that belongs to the trace of the message:
/// if let Some(context) = oxflow::trace_context() {
///     let header = ("traceparent", context.to_string());
/// #   drop(header);
/// }
/// ```
pub fn trace_context() -> Option<TraceContext> {
    let context = Host::get()?.trace();
    let (trace_id, span_id) = (u128::from_be_bytes(context.trace_id), u64::from_be_bytes(context.span_id));
    (trace_id != 0 && span_id != 0).then_some(TraceContext { trace_id, span_id })
}

impl fmt::Display for TraceContext {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "00-{:032x}-{:016x}-01", self.trace_id, self.span_id)
    }
}
