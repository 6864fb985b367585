//! JSON as Python objects and back.

mod check;
mod decoder;
mod keys;
mod mismatch;
mod read;
mod shape;
mod write;

pub(crate) use decoder::{JsonDecoder, bytes_of, checked};
pub(crate) use keys::{Key, Keys};
pub(crate) use shape::Shape;
pub(crate) use write::{encode, encode_json, encode_like, exactly};
