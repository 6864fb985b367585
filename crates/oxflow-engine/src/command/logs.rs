//! What the functions of a program log: warnings and errors, on standard error.

use crate::host::{Record, Value};
use crate::report::printable;

/// A record in a line or more. The functions are told that nobody listens to less than warnings.
pub(super) fn said(record: &Record) -> String {
    // The levels of the SDK: 1 is an error, 2 a warning.
    let head = if record.level() <= 1 { "error" } else { "warning" };
    let step = record.step.as_ref().map(|step| format!(", step `{step}`")).unwrap_or_default();
    let fields = record.fields().map(|(name, value)| format!("{name}={}", spelled(value)));
    let said: Vec<String> = std::iter::once(record.message.clone()).chain(fields).collect();
    printable(&format!("{head}: {}{step}: {}", record.target().replace("::", "."), said.join(" ")))
}

fn spelled(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Bool(flag) => flag.to_string(),
        Value::Signed(number) => number.to_string(),
        Value::Unsigned(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
    }
}
