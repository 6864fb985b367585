//! Spans and log records for people, on standard error: one form for both.

use std::io::Write;

use crate::attributes::Attributes;
use crate::clock;
use crate::context::SpanContext;
use crate::json::{json, quoted, text};
use crate::log::{LogRecord, Severity};
use crate::scope::Scope;
use crate::span::{Ended, Kind, Status};
use crate::value::Value;

/// How records are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// A line each.
    #[default]
    Compact,
    /// A line each, and one for every attribute.
    Pretty,
    /// A JSON object each, on a line.
    Json,
}

/// What stands on the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsoleConfig {
    /// How.
    pub format: Format,
    /// The least severity that is shown. Spans count as [`Severity::INFO`].
    pub least: Severity,
    /// In colours, which only a terminal shows.
    pub has_colours: bool,
}

/// Writes to standard error; who has none reads nothing. By a descriptor of its own: a child that is forked meanwhile would find
/// the standard library's lock taken for good.
#[cfg(unix)]
pub(crate) fn write(lines: &[u8]) {
    use std::os::fd::AsFd;
    let out = std::io::stderr().as_fd().try_clone_to_owned();
    let _ = out.and_then(|out| std::fs::File::from(out).write_all(lines));
}

/// Writes to standard error; who has none reads nothing.
#[cfg(not(unix))]
pub(crate) fn write(lines: &[u8]) {
    let _ = std::io::stderr().write_all(lines);
}

/// Says something of this library itself.
pub(crate) fn say(what: &str) {
    write(format!("oxflow.telemetry: {what}\n").as_bytes());
}

/// What both are on the console.
struct Shown<'a> {
    time_ns: u64,
    /// `INFO`, or `SPAN`.
    label: &'a str,
    colour: &'a str,
    scope: &'a str,
    message: String,
    /// `ms=1.5 status=error`.
    facts: Vec<(&'static str, Value<'a>)>,
    attributes: &'a Attributes,
    context: Option<&'a SpanContext>,
}

/// Shows a log record.
pub(crate) fn log(to: &mut Vec<u8>, config: ConsoleConfig, scope: &Scope, record: &LogRecord<'_>) {
    let mut facts = Vec::new();
    if !record.event_name.is_empty() {
        facts.push(("event", record.event_name.into()));
    }
    let colour = match record.severity {
        Severity(..9) => "2",
        Severity(9..13) => "32",
        Severity(13..17) => "33",
        Severity(_) => "31",
    };
    let shown = Shown {
        time_ns: if record.time_ns == 0 { record.observed_ns } else { record.time_ns },
        label: record.severity.name(),
        colour,
        scope: &scope.name,
        message: text(&record.body),
        facts,
        attributes: &record.attributes,
        context: record.context.as_ref(),
    };
    shown.write(to, config, "message");
}

/// Shows a span that ended.
pub(crate) fn span(to: &mut Vec<u8>, config: ConsoleConfig, ended: &Ended<'_>) {
    let Ended { span, body, end_ns } = ended;
    let elapsed_ms = end_ns.saturating_sub(span.start_ns()) as f64 / 1e6;
    let mut facts = vec![("ms", Value::Float(elapsed_ms))];
    if span.kind() != Kind::Internal {
        facts.push(("kind", Value::Text(format!("{:?}", span.kind()).to_lowercase().into())));
    }
    if let Some(parent) = span.parent() {
        facts.push(("parent_id", Value::Text(format!("{:016x}", parent.span_id).into())));
    }
    let colour = match &body.status {
        Status::Unset => "36",
        Status::Ok => "32",
        Status::Error(reason) => {
            facts.push(("error", reason.as_str().into()));
            "31"
        }
    };
    let shown = Shown {
        time_ns: span.start_ns(),
        label: "SPAN",
        colour,
        scope: ended.scope_name(),
        message: body.name.clone(),
        facts,
        attributes: &body.attributes,
        context: Some(span.context()),
    };
    shown.write(to, config, "span");
}

impl Shown<'_> {
    fn write(&self, to: &mut Vec<u8>, config: ConsoleConfig, what: &str) {
        // Into memory, which takes all.
        let _ = match config.format {
            Format::Json => self.json(to, what),
            Format::Compact | Format::Pretty => self.lines(to, config),
        };
    }

    fn lines(&self, to: &mut Vec<u8>, config: ConsoleConfig) -> std::io::Result<()> {
        let (on, off) =
            if config.has_colours { (format!("\x1b[{}m", self.colour), "\x1b[0m") } else { (String::new(), "") };
        write!(
            to,
            "{} {on}{:>5}{off} {}: {}",
            clock::shown(self.time_ns),
            self.label,
            self.scope,
            line(&self.message)
        )?;
        let between = if config.format == Format::Pretty { "\n        " } else { " " };
        for (name, value) in &self.facts {
            write!(to, "{between}{name}={}", text(value))?;
        }
        for (name, value) in self.attributes.iter() {
            write!(to, "{between}{}={}", line(&name), line(&text(&value)))?;
        }
        if let Some(context) = self.context.filter(|context| context.is_valid()) {
            write!(to, "{between}trace_id={:032x}{between}span_id={:016x}", context.trace_id, context.span_id)?;
        }
        to.write_all(b"\n")
    }

    fn json(&self, to: &mut Vec<u8>, what: &str) -> std::io::Result<()> {
        write!(to, "{{\"time\":\"{}\",\"level\":\"{}\",\"scope\":", clock::shown(self.time_ns), self.label)?;
        quoted(to, self.scope)?;
        write!(to, ",\"{what}\":")?;
        quoted(to, &self.message)?;
        for (name, value) in &self.facts {
            write!(to, ",\"{name}\":")?;
            json(to, value)?;
        }
        to.write_all(b",\"attributes\":")?;
        json(to, &Value::Map(self.attributes.iter().collect()))?;
        if let Some(context) = self.context.filter(|context| context.is_valid()) {
            write!(to, ",\"trace_id\":\"{:032x}\",\"span_id\":\"{:016x}\"", context.trace_id, context.span_id)?;
        }
        to.write_all(b"}\n")
    }
}

/// A text that stays on its line, and moves no cursor.
fn line(text: &str) -> String {
    if !text.contains(char::is_control) {
        return text.to_owned();
    }
    text.chars()
        .map(|letter| if letter.is_control() { letter.escape_default().to_string() } else { letter.to_string() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::AttributeLimits;

    #[track_caller]
    fn check(format: Format, expected: &str) {
        let mut attributes = Attributes::new();
        attributes.set("user", &"a\"b".into(), &AttributeLimits::default());
        attributes.set(
            "sizes",
            &Value::List(vec![Value::Int(1), Value::Float(0.5), Value::Null]),
            &AttributeLimits::default(),
        );
        let record = LogRecord {
            time_ns: 1_795_757_920_123_456_789,
            observed_ns: 0,
            severity: Severity::WARN,
            severity_text: "",
            body: "two\nlines \x1b[2J".into(),
            attributes,
            context: Some(SpanContext::new(0xabc, 0xdef, 1, false, None)),
            event_name: "",
        };
        let mut shown = Vec::new();
        let config = ConsoleConfig { format, least: Severity::INFO, has_colours: false };
        log(&mut shown, config, &Scope::named("shop.cart"), &record);
        assert_eq!(expected, String::from_utf8(shown).expect("it is text"));
    }

    #[test]
    fn a_record_is_a_line() {
        check(
            Format::Compact,
            "2026-11-27T05:38:40.123456Z  WARN shop.cart: two\\nlines \\u{1b}[2J user=a\"b sizes=[1,0.5,null] \
             trace_id=00000000000000000000000000000abc span_id=0000000000000def\n",
        );
    }

    #[test]
    fn a_record_is_json() {
        check(
            Format::Json,
            "{\"time\":\"2026-11-27T05:38:40.123456Z\",\"level\":\"WARN\",\"scope\":\"shop.cart\",\
             \"message\":\"two\\nlines \\u001b[2J\",\"attributes\":{\"user\":\"a\\\"b\",\"sizes\":[1,0.5,null]},\
             \"trace_id\":\"00000000000000000000000000000abc\",\"span_id\":\"0000000000000def\"}\n",
        );
    }

    #[test]
    fn a_record_has_a_line_for_each_attribute() {
        check(
            Format::Pretty,
            "2026-11-27T05:38:40.123456Z  WARN shop.cart: two\\nlines \\u{1b}[2J\n        user=a\"b\n        \
             sizes=[1,0.5,null]\n        trace_id=00000000000000000000000000000abc\n        span_id=0000000000000def\n",
        );
    }
}
