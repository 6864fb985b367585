//! Dead letters: messages that a step failed on, with what went wrong, for somebody to look at and send again.
//!
//! A dead letter carries the message as it was read, whatever the steps had made of it, so that it can be read again. Its
//! form is JSON. Bytes that are not UTF-8 stand in it as `{"base64": ".."}`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::batch::Metadata;
use crate::diagnostic::{Code, Diagnostic};
use crate::fault::{Fault, FaultKind, StepError};
use crate::limits::Breach;
use crate::run::line;

/// A dead letter.
#[derive(Debug, Serialize)]
pub struct DeadLetter<'a> {
    payload: Text<'a>,
    /// Of the whole message, also where `payload` is only its beginning.
    payload_bytes: u64,
    truncated: bool,
    /// The message was read without a payload.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    tombstone: bool,
    key: Option<Text<'a>>,
    headers: Vec<(&'a str, Text<'a>)>,
    /// Of the message, seconds since 1970-01-01 UTC.
    timestamp: f64,
    origin: Origin<'a>,
    #[serde(flatten)]
    failure: &'a Failure<'a>,
}

#[derive(Debug, Serialize)]
struct Origin<'a> {
    stream: &'a str,
    partition: u32,
    name: &'a str,
    offset: i64,
    /// From 1, where the source is lines.
    line: Option<i64>,
}

/// What went wrong, with one message or with several at once.
#[derive(Debug, Serialize)]
pub struct Failure<'a> {
    step: &'a str,
    error: Error<'a>,
    /// When it failed, seconds since 1970-01-01 UTC.
    time: f64,
    /// Of the whole message, where only its beginning was read.
    #[serde(skip)]
    whole_bytes: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Error<'a> {
    code: Code,
    class: &'a str,
    text: &'a str,
    traceback: Option<String>,
}

/// Bytes, as text where they are that.
#[derive(Debug)]
struct Text<'a>(&'a [u8]);

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Ok(text) = std::str::from_utf8(self.0) {
            return serializer.serialize_str(text);
        }
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("base64", &STANDARD.encode(self.0))?;
        map.end()
    }
}

impl<'a> Failure<'a> {
    /// What went wrong in `step` at `time_us`, microseconds since 1970-01-01 UTC.
    pub fn new(step: &'a str, fault: &'a Fault, time_us: i64) -> Self {
        let (class, text) = (fault.class.as_str(), fault.text.as_str());
        let error = Error { code: fault.kind.code(), class, text, traceback: fault.traceback() };
        let whole_bytes = if let FaultKind::TooLong { bytes } = fault.kind { Some(bytes) } else { None };
        Self { step, error, time: seconds(time_us), whole_bytes }
    }
}

impl<'a> DeadLetter<'a> {
    /// The dead letter of a message of the partition `name`, with the metadata and payload that it was read with.
    pub fn new(message: Metadata<'a>, payload: &'a [u8], name: &'a str, failure: &'a Failure<'a>) -> Self {
        let (stream, partition, offset) = (message.stream(), message.partition(), message.offset());
        Self {
            payload: Text(payload),
            payload_bytes: failure.whole_bytes.unwrap_or(payload.len() as u64),
            truncated: failure.whole_bytes.is_some(),
            tombstone: message.is_tombstone(),
            key: message.key().map(Text),
            headers: message.headers().map(|(name, value)| (name, Text(value))).collect(),
            timestamp: seconds(message.timestamp_us()),
            origin: Origin { stream, partition, name, offset, line: line(message, name) },
            failure,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "microseconds fit until the year 2255")]
fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

/// So many messages of a partition failed that the run stops.
#[derive(Debug)]
pub struct TooManyFailed {
    /// The limit that was reached.
    pub breach: Breach,
    /// The last failure.
    pub last: StepError,
    /// Logical name of the stream of the dead letters.
    pub stream: String,
}

impl TooManyFailed {
    /// The error for people.
    pub fn diagnostic(&self) -> Diagnostic {
        let (step, origin) = (&self.last.step, &self.last.origin);
        let (found, setting) = match self.breach {
            Breach::InARow { bad } => (format!("{bad} failures in a row"), "max_in_a_row"),
            Breach::Share { bad, messages } => (format!("{bad} of {messages} messages failed"), "max_percent"),
        };
        Diagnostic::new(Code::TooManyFailed, format!("{found}, the last in step `{step}` at {origin}"))
            .at(self.last.place.clone())
            .because(format!("{}; the messages are in the stream `{}`", self.last.fault.summary(), self.stream))
            .fix(format!(
                "mend the step or the data and run again, or raise `run.dead_letters.{setting}` if so many are to be expected"
            ))
    }
}
