//! Msgpack as Python objects and back.
//!
//! What is read is checked as parsed JSON is. What msgpack has and JSON hasn't is `bytes`; keys are text, as they are there.

mod decoder;
mod read;
mod write;

pub(crate) use decoder::MsgPackDecoder;
pub(crate) use write::{encode, encode_msgpack};
