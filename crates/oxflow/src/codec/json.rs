//! JSON, by serde.
//!
//! Floats are read exactly (`float_roundtrip` of `serde_json`): without it 2.4116879811988746e+17 silently loses its last digit.

use super::unknown::{Format, read_payload};
use super::watch::{Count, JsonKeys, Watch, Watched};
use super::{DecodeError, EncodeError};
use crate::Payload;
use serde::de::DeserializeSeed;
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

/// Reads one JSON value; anything but blanks after it is an error.
///
/// ```
/// let error = oxflow::codec::json::decode::<u64>(b"1 2").unwrap_err();
/// assert_eq!(error.to_string(), "trailing characters at byte 3");
/// ```
pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, DecodeError> {
    Json(bytes).read(PhantomData::<T>, Count)
}

/// The same for a payload, which may refuse fields that no part of its type names.
pub fn decode_payload<T: Payload>(bytes: &[u8]) -> Result<T::Borrowed<'_>, DecodeError> {
    read_payload::<T, _>(Json(bytes))
}

/// A message in JSON.
#[derive(Clone, Copy)]
struct Json<'a>(&'a [u8]);

impl<'a> Format<'a> for Json<'a> {
    #[inline]
    fn read<S: DeserializeSeed<'a>>(self, seed: S, watch: impl Watch) -> Result<S::Value, DecodeError> {
        // Looked at as a whole, UTF-8 costs less than string by string, and what no field reads is looked at, too.
        let text = simdutf8::compat::from_utf8(self.0)
            .map_err(|error| DecodeError::Json { reason: "not UTF-8".to_owned(), byte: error.valid_up_to() + 1 })?;
        let mut text = serde_json::Deserializer::from_str(text);
        let value = seed
            .deserialize(Watched { inner: &mut text, watch: JsonKeys(watch) })
            .and_then(|value| text.end().map(|()| value));
        value.map_err(|error| located(&error, self.0))
    }
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
    // Of a value that begins a line serde says column 0.
    let byte = before.map(<[u8]>::len).sum::<usize>() + error.column().max(1);
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
