//! JSON as Python objects and back.

mod check;
mod decoder;
mod keys;
mod mismatch;
mod read;
mod shape;
mod write;

pub(crate) use decoder::JsonDecoder;
pub(crate) use keys::Keys;
pub(crate) use write::{encode, encode_json};
