//! JSON, by serde.
//!
//! Floats are read exactly (`float_roundtrip` of `serde_json`): without it 2.4116879811988746e+17 silently loses its last digit.

use super::{DecodeError, EncodeError};
use serde::{Deserialize, Serialize};

/// Reads one JSON value; anything but blanks after it is an error.
///
/// ```
/// let error = oxflow::codec::json::decode::<u64>(b"1 2").unwrap_err();
/// assert_eq!(error.to_string(), "trailing characters at byte 3");
/// ```
pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, DecodeError> {
    // Looked at as a whole, UTF-8 costs less than string by string.
    let value = match std::str::from_utf8(bytes) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(bytes),
    };
    value.map_err(|error| located(&error, bytes))
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
    DecodeError::Json {
        reason: text.strip_suffix(&suffix).unwrap_or(&text).to_owned(),
        byte: before.map(<[u8]>::len).sum::<usize>() + error.column(),
    }
}
