//! What the other side said to a request.

use std::time::Duration;

use crate::wire::{self, Field, Fields};

/// What the other side said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It has them, but for so many that it rejected.
    Taken { rejected: u64, why: String },
    /// Not now.
    Busy { after: Option<Duration>, why: String },
    /// Never.
    Refused { why: String },
    /// It isn't there, or was not heard.
    Unreachable { why: String },
}

impl Answer {
    /// Reads an `ExportTraceServiceResponse` or one of its sisters; what isn't one says nothing of rejected records.
    pub(crate) fn taken(body: &[u8]) -> Self {
        let (mut rejected, mut why) = (0, String::new());
        if Fields(body).is_whole() {
            for field in Fields(body) {
                let (1, Field::Bytes(partial)) = field else { continue };
                for field in Fields(partial) {
                    match field {
                        (1, Field::Number(number)) => rejected = u64::try_from(number.cast_signed()).unwrap_or(0),
                        (2, text) => wire::as_text(text).clone_into(&mut why),
                        _ => {}
                    }
                }
            }
        }
        Self::Taken { rejected, why }
    }

    /// What it said in words.
    pub(crate) fn why(&self) -> &str {
        match self {
            Self::Taken { why, .. } | Self::Busy { why, .. } | Self::Refused { why } | Self::Unreachable { why } => why,
        }
    }
}

/// Reads a `google.rpc.Status`: its message, and how long to wait if it says that.
pub(crate) fn status(written: &[u8]) -> (String, Option<Duration>) {
    let (mut message, mut after) = (String::new(), None);
    for field in Fields(written) {
        match field {
            (2, text) => wire::as_text(text).clone_into(&mut message),
            (3, Field::Bytes(detail)) => after = after.or_else(|| retry_info(detail)),
            _ => {}
        }
    }
    (message, after)
}

/// Reads an `Any`, if it is a `RetryInfo`.
fn retry_info(detail: &[u8]) -> Option<Duration> {
    let (mut is_one, mut value) = (false, None);
    for field in Fields(detail) {
        match field {
            (1, name) => is_one = wire::as_text(name).ends_with("google.rpc.RetryInfo"),
            (2, Field::Bytes(bytes)) => value = Some(bytes),
            _ => {}
        }
    }
    let info = value.filter(|_| is_one)?;
    let delay = Fields(info).find_map(|field| if let (1, Field::Bytes(delay)) = field { Some(delay) } else { None })?;
    let (mut seconds, mut nanos) = (0, 0);
    for field in Fields(delay) {
        match field {
            (1, Field::Number(number)) => seconds = u64::try_from(number.cast_signed()).unwrap_or(0),
            (2, Field::Number(number)) => nanos = u32::try_from(number).unwrap_or(0).min(999_999_999),
            _ => {}
        }
    }
    Some(Duration::new(seconds, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejected_records_are_read() {
        let mut body = Vec::new();
        wire::message(&mut body, 1, |to| {
            wire::number(to, 1, 3);
            wire::text(to, 2, "too old");
        });
        assert_eq!(Answer::Taken { rejected: 3, why: "too old".to_owned() }, Answer::taken(&body));
        assert_eq!(Answer::Taken { rejected: 0, why: String::new() }, Answer::taken(b"<html>"));
        assert_eq!(Answer::Taken { rejected: 0, why: String::new() }, Answer::taken(b""));
    }

    #[test]
    fn a_status_says_how_long_to_wait() {
        let mut body = Vec::new();
        wire::number(&mut body, 1, 14);
        wire::text(&mut body, 2, "full");
        wire::message(&mut body, 3, |to| {
            wire::text(to, 1, "type.googleapis.com/google.rpc.RetryInfo");
            wire::message(to, 2, |to| {
                wire::message(to, 1, |to| {
                    wire::number(to, 1, 7);
                    wire::number(to, 2, 500_000_000);
                });
            });
        });
        assert_eq!(("full".to_owned(), Some(Duration::from_millis(7500))), status(&body));
    }
}
