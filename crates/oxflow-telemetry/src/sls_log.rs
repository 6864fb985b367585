//! Log records as the Simple Log Service has them: names and values, all of them texts.

use crate::json;
use crate::log::LogRecord;
use crate::scope::Scope;
use crate::value::{Value, cut};
use crate::wire;

/// Most characters of a value. The service cuts off, or refuses, what is longer than 1 MiB, and a character has four bytes at most.
const VALUE_CHARACTERS: usize = 256 << 10;

/// Writes a `Log`.
pub(crate) fn write(to: &mut Vec<u8>, scope: &Scope, record: &LogRecord<'_>) {
    let time_ns = if record.time_ns == 0 { record.observed_ns } else { record.time_ns };
    let (seconds, nanoseconds) = (time_ns / 1_000_000_000, time_ns % 1_000_000_000);
    wire::number(to, 1, seconds);
    let level = if record.severity_text.is_empty() { record.severity.name() } else { record.severity_text };
    content(to, "level", level);
    content(to, "message", &json::text(&record.body));
    content(to, "logger", &scope.name);
    if !record.event_name.is_empty() {
        content(to, "event_name", record.event_name);
    }
    if let Some(context) = record.context.as_ref().filter(|context| context.is_valid()) {
        content(to, "trace_id", &format!("{:032x}", context.trace_id));
        content(to, "span_id", &format!("{:016x}", context.span_id));
    }
    for (name, value) in record.attributes.iter() {
        match value {
            Value::Text(text) => content(to, &name, &text),
            value => content(to, &name, &json::text(&value)),
        }
    }
    // Less than 2^32.
    wire::fixed32(to, 4, u32::try_from(nanoseconds).unwrap_or_default());
}

fn content(to: &mut Vec<u8>, name: &str, value: &str) {
    wire::message(to, 2, |to| {
        wire::bytes(to, 1, name.as_bytes());
        wire::bytes(to, 2, cut(value, Some(VALUE_CHARACTERS)).as_bytes());
    });
}
