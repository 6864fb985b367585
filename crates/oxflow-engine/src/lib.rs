//! The runtime of oxflow.
//!
//! A pipeline arrives as a [`plan`], which is checked before anything runs. It is [lowered](lower) to [runs](run) of steps,
//! and lanes push [batches](batch) of messages through them, from a [source](connect) to the sinks of every branch. Nothing
//! here knows Python: a run of Python steps is a [trait](run::Foreign) that the extension module implements.
//!
//! What decides is apart from what acts: [`commit`], [`limits`] and [`window`] are state machines without clock, threads or I/O, and
//! the lanes drive them.

pub mod batch;
mod chain;
pub mod checkpoint;
pub mod clock;
pub mod commit;
pub mod config;
pub mod connect;
mod crash;
pub mod dead_letter;
pub mod diagnostic;
pub mod extension;
pub mod fault;
pub mod graph;
pub mod host;
pub mod job;
mod lane;
pub mod limits;
pub mod lower;
pub mod plan;
pub mod report;
pub mod run;
pub mod shorten;
#[cfg(test)]
mod simulator;
pub mod window;
