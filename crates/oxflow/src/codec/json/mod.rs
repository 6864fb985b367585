//! JSON, by serde.
//!
//! Floats are read exactly (`float_roundtrip` of `serde_json`): without it 2.4116879811988746e+17 silently loses its last digit.

mod trail;
mod watch;

use super::{DecodeError, EncodeError};
use serde::{Deserialize, Serialize};
use serde_json::de::Read;
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
    read(bytes, Count).map_err(|error| located(&error, bytes))
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
            drop(read::<T, _>(bytes, &trail));
            Err(DecodeError::UnknownField { path: trail.into_inner().dropped.unwrap_or_default() })
        }
        decoded => decoded,
    }
}

fn read<'a, T: Deserialize<'a>, W: Watch>(bytes: &'a [u8], watch: W) -> serde_json::Result<T> {
    // Looked at as a whole, UTF-8 costs less than string by string.
    match std::str::from_utf8(bytes) {
        Ok(text) => read_all(serde_json::Deserializer::from_str(text), watch),
        Err(_) => read_all(serde_json::Deserializer::from_slice(bytes), watch),
    }
}

fn read_all<'a, T: Deserialize<'a>, R: Read<'a>>(
    mut text: serde_json::Deserializer<R>,
    watch: impl Watch,
) -> serde_json::Result<T> {
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
    DecodeError::Json {
        reason: text.strip_suffix(&suffix).unwrap_or(&text).to_owned(),
        byte: before.map(<[u8]>::len).sum::<usize>() + error.column(),
    }
}
