//! The runtime of oxflow, and with it the SDK.
//!
//! A crate whose whole pipeline is Rust depends on this one alone, under the name by which the SDK's macros know themselves:
//!
//! ```toml
//! oxflow = { package = "oxflow-engine", version = "0.1" }
//! ```
//!
//! A pipeline arrives as a [`plan`], which is checked before anything runs. It is [lowered](lower) to [runs](run) of steps,
//! and lanes push [batches](batch) of messages through them, from a [source](connect) to the sinks of every branch. Nothing
//! here knows Python: a run of Python steps is a [trait](run::Foreign) that the extension module implements.
//!
//! What decides is apart from what acts: [`commit`], [`limits`] and [`window`] are state machines without clock, threads or I/O, and
//! the lanes drive them.

pub mod batch;
pub mod builder;
mod chain;
pub mod checkpoint;
pub mod clock;
pub mod command;
pub mod commit;
pub mod config;
pub mod connect;
mod crash;
pub mod dead_letter;
pub mod definition;
pub mod diagnostic;
mod endpoint;
pub mod extension;
pub mod fault;
pub mod graph;
pub mod host;
pub mod job;
mod lane;
pub mod limits;
pub mod lower;
pub mod plan;
#[cfg(not(feature = "python"))]
mod python_absent;
pub mod report;
pub mod run;
pub mod shorten;
#[cfg(test)]
mod simulator;
pub mod telemetry;
pub mod window;

// The SDK, whole: what its macros write names `::oxflow`, which is this crate to who depends on it under that name.
pub use builder::{Branch, Pipeline, borrowed_branch, branch};
pub use command::main;
pub use oxflow::*;
pub use plan::{Codec, Limits};
