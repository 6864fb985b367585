//! Where in a trace something is.

use std::sync::Arc;

/// The trace is recorded.
pub const SAMPLED: u8 = 1;

/// The trace's identity is random, as those that are made here are.
pub(crate) const RANDOM: u8 = 2;

/// What identifies a span, also to other processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanContext {
    /// Identity of the trace, 0 for none.
    pub trace_id: u128,
    /// Identity of the span, 0 for none.
    pub span_id: u64,
    /// Of W3C's trace context: [`SAMPLED`], and whether the trace's identity is random.
    pub flags: u8,
    /// Whether it came from another process.
    pub is_remote: bool,
    /// What the systems on the way added, as the header `tracestate` has it.
    pub state: Option<Arc<str>>,
    /// Which sinks of this process take the span, a bit for each. Says nothing where the span is of another process.
    pub(crate) sinks: u8,
}

impl SpanContext {
    /// One of another process, or of another library.
    pub fn new(trace_id: u128, span_id: u64, flags: u8, is_remote: bool, state: Option<Arc<str>>) -> Self {
        let sinks = if flags & SAMPLED == 0 { 0 } else { u8::MAX };
        Self { trace_id, span_id, flags, is_remote, state, sinks }
    }

    /// None at all.
    pub fn none() -> Self {
        Self::new(0, 0, 0, false, None)
    }

    /// Whether it identifies anything.
    pub fn is_valid(&self) -> bool {
        self.trace_id != 0 && self.span_id != 0
    }

    /// Whether the trace is recorded.
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The field `flags` of spans and links in OTLP: besides the flags, that it is known whether the context is remote.
    pub(crate) fn flags_on_wire(&self) -> u32 {
        u32::from(self.flags) | 0x100 | if self.is_remote { 0x200 } else { 0 }
    }
}
