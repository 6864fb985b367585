//! JSON, by serde.
//!
//! Floats are read exactly (`float_roundtrip` of `serde_json`): without it 2.4116879811988746e+17 silently loses its last digit.

mod trail;
mod watch;

use super::{DecodeError, EncodeError};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use trail::Trail;
pub(crate) use watch::take_dropped;
use watch::{Count, Watch, Watched};

/// Reads one JSON value; anything but blanks after it is an error.
///
/// ```
/// let error = oxflow::codec::json::decode::<u64>(b"1 2").unwrap_err();
/// assert_eq!(error.to_string(), "trailing characters at byte 3");
/// ```
pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, DecodeError> {
    // Looked at as a whole, UTF-8 costs less than string by string, and what no field reads is looked at, too.
    let text = std::str::from_utf8(bytes)
        .map_err(|error| DecodeError::Json { reason: "not UTF-8".to_owned(), byte: error.valid_up_to() + 1 })?;
    read(text, Count).map_err(|error| located(&error, bytes))
}

/// The same, but a field that no part of the type names is an error.
///
/// ```
/// let known: Result<std::time::Duration, _> = oxflow::codec::json::decode_known(br#"{"secs": 1, "nanos": 0}"#);
/// assert!(known.is_ok());
/// ```
pub fn decode_known<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, DecodeError> {
    let before = take_dropped();
    let decoded = decode(bytes);
    let dropped = take_dropped();
    watch::restore(before);
    match decoded {
        Ok(_) if dropped > 0 => {
            let trail = RefCell::new(Trail::default());
            drop(std::str::from_utf8(bytes).map(|text| read::<T>(text, &trail)));
            Err(DecodeError::UnknownField { path: trail.into_inner().dropped.unwrap_or_default() })
        }
        decoded => decoded,
    }
}

fn read<'a, T: Deserialize<'a>>(text: &'a str, watch: impl Watch) -> serde_json::Result<T> {
    let mut text = serde_json::Deserializer::from_str(text);
    let value = T::deserialize(Watched { inner: &mut text, watch })?;
    text.end()?;
    Ok(value)
}

/// Appends the value as compact JSON.
pub fn encode<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    Ok(serde_json::to_writer(out, value)?)
}

/// `serde_json` counts lines and columns; in a message of one line among millions, a byte is easier to find.
fn located(error: &serde_json::Error, bytes: &[u8]) -> DecodeError {
    let text = error.to_string();
    let suffix = format!(" at line {} column {}", error.line(), error.column());
    let before = bytes.split_inclusive(|&byte| byte == b'\n').take(error.line().saturating_sub(1));
    let byte = before.map(<[u8]>::len).sum::<usize>() + error.column();
    DecodeError::Json { reason: reworded(text.strip_suffix(&suffix).unwrap_or(&text), bytes, byte), byte }
}

/// What a parser says is wrong at a byte, from 1, of some bytes, in words that say what stands there.
#[doc(hidden)]
pub fn reworded(reason: &str, bytes: &[u8], byte: usize) -> String {
    if reason != "expected ident" {
        return reason.to_owned();
    }
    let is_letter = |byte: &&u8| byte.is_ascii_alphanumeric();
    let (before, rest) = bytes.split_at_checked(byte.saturating_sub(1)).unwrap_or((bytes, b""));
    let begin = before.len() - before.iter().rev().take_while(is_letter).count();
    let end = before.len() + rest.iter().take_while(is_letter).count();
    let word = String::from_utf8_lossy(bytes.get(begin..end).unwrap_or_default());
    format!("expected `true`, `false` or `null`, found `{word}`")
}
