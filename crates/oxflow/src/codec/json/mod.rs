//! JSON, by serde.
//!
//! Floats are read exactly (`float_roundtrip` of `serde_json`): without it 2.4116879811988746e+17 silently loses its last digit.

mod trail;
mod watch;

use super::{DecodeError, EncodeError};
use crate::Payload;
use serde::de::DeserializeSeed;
use serde::{Deserialize, Deserializer, Serialize};
use std::cell::RefCell;
use std::marker::PhantomData;
use trail::Trail;
use watch::{Count, Watch, Watched};
#[cfg_attr(not(feature = "python"), allow(unused_imports, reason = "what counts beside JSON is Python"))]
pub(crate) use watch::{count_dropped, restore_dropped, take_dropped};

/// Reads one JSON value; anything but blanks after it is an error.
///
/// ```
/// let error = oxflow::codec::json::decode::<u64>(b"1 2").unwrap_err();
/// assert_eq!(error.to_string(), "trailing characters at byte 3");
/// ```
pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, DecodeError> {
    decode_seed(bytes, PhantomData::<T>)
}

/// The same for a payload, which may refuse fields that no part of its type names.
pub fn decode_payload<T: Payload>(bytes: &[u8]) -> Result<T::Borrowed<'_>, DecodeError> {
    if !T::REJECTS_UNKNOWN {
        return decode_seed(bytes, Seed::<T>(PhantomData));
    }
    let before = take_dropped();
    let decoded = decode_seed(bytes, Seed::<T>(PhantomData));
    let dropped = take_dropped();
    restore_dropped(before);
    match decoded {
        Ok(_) if dropped > 0 => {
            let trail = RefCell::new(Trail::default());
            drop(std::str::from_utf8(bytes).map(|text| read(text, Seed::<T>(PhantomData), &trail)));
            Err(DecodeError::UnknownField { path: trail.into_inner().dropped.unwrap_or_default() })
        }
        decoded => decoded,
    }
}

fn decode_seed<'a, S: DeserializeSeed<'a>>(bytes: &'a [u8], seed: S) -> Result<S::Value, DecodeError> {
    // Looked at as a whole, UTF-8 costs less than string by string, and what no field reads is looked at, too.
    let text = simdutf8::compat::from_utf8(bytes)
        .map_err(|error| DecodeError::Json { reason: "not UTF-8".to_owned(), byte: error.valid_up_to() + 1 })?;
    read(text, seed, Count).map_err(|error| located(&error, bytes))
}

fn read<'a, S: DeserializeSeed<'a>>(text: &'a str, seed: S, watch: impl Watch) -> serde_json::Result<S::Value> {
    let mut text = serde_json::Deserializer::from_str(text);
    let value = seed.deserialize(Watched { inner: &mut text, watch })?;
    text.end()?;
    Ok(value)
}

/// Reads a payload where serde wants a seed.
pub(crate) struct Seed<T>(pub(crate) PhantomData<T>);

impl<'de, T: Payload> DeserializeSeed<'de> for Seed<T> {
    type Value = T::Borrowed<'de>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        T::read(from)
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
