//! What arrives at a collector, read by the types of the OpenTelemetry project.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails where it finds a fault")]

mod collector;
mod delivery;
mod grpc;
mod logs;
mod metrics;
mod spans;
