//! The SDK as its two neighbours see it: a user who writes functions, and a runtime that drives the tables.

#![deny(warnings)]
// A test that fails may panic, which is what these two do.
#![allow(clippy::expect_used, clippy::indexing_slicing)]

mod batches;
mod borrowed;
mod constructed;
mod error_policies;
mod fields;
mod forms;
mod functions;
mod host;
mod messages;
mod msgpack;
mod protobuf;
mod rejected;
mod round_trip;
mod rows;
mod sentry;
mod shapes;
mod unattached;
