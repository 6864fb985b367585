//! Log records.

use crate::attributes::Attributes;
use crate::context::SpanContext;
use crate::value::Value;
use crate::wire;

/// How important a record is, in OpenTelemetry's numbers from 1 to 24, or 0 if nobody said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Severity(pub u8);

impl Severity {
    /// Everything.
    pub const TRACE: Self = Self(1);
    /// For who looks for a fault.
    pub const DEBUG: Self = Self(5);
    /// Something worth knowing happened.
    pub const INFO: Self = Self(9);
    /// Something is wrong, and work goes on.
    pub const WARN: Self = Self(13);
    /// Something failed.
    pub const ERROR: Self = Self(17);
    /// Nothing goes on.
    pub const FATAL: Self = Self(21);

    /// Whether who takes records from `least` on takes it. One that nobody gave a severity may be of any.
    pub fn reaches(self, least: Self) -> bool {
        self.0 == 0 || self >= least
    }

    /// Its name without the number in its group.
    pub fn name(self) -> &'static str {
        match self.0 {
            0 => "",
            1..5 => "TRACE",
            5..9 => "DEBUG",
            9..13 => "INFO",
            13..17 => "WARN",
            17..21 => "ERROR",
            _ => "FATAL",
        }
    }
}

/// A log record.
#[derive(Debug)]
pub struct LogRecord<'a> {
    /// When it was, 0 if nobody knows.
    pub time_ns: u64,
    /// When it was seen.
    pub observed_ns: u64,
    /// How important it is.
    pub severity: Severity,
    /// The same in the words of who made it.
    pub severity_text: &'a str,
    /// What it says.
    pub body: Value<'a>,
    /// What else is known.
    pub attributes: Attributes,
    /// Where in a trace it was made.
    pub context: Option<SpanContext>,
    /// The kind of event that it is, empty for none.
    pub event_name: &'a str,
}

impl LogRecord<'_> {
    /// Writes a `LogRecord` of OTLP.
    pub(crate) fn write(&self, to: &mut Vec<u8>) {
        if self.time_ns != 0 {
            wire::fixed64(to, 1, self.time_ns);
        }
        wire::count(to, 2, self.severity.0.into());
        wire::text(to, 3, self.severity_text);
        if self.body != Value::Null {
            wire::message(to, 5, |to| self.body.write(to, None));
        }
        self.attributes.write(to, 6);
        wire::count(to, 7, self.attributes.dropped().into());
        if let Some(context) = self.context.as_ref().filter(|context| context.is_valid()) {
            wire::fixed32(to, 8, context.flags.into());
            wire::bytes(to, 9, &context.trace_id.to_be_bytes());
            wire::bytes(to, 10, &context.span_id.to_be_bytes());
        }
        wire::fixed64(to, 11, self.observed_ns);
        wire::text(to, 12, self.event_name);
    }
}
