//! The runtime of oxflow.
//!
//! A pipeline arrives as a [`plan`], which is checked before anything runs. It is lowered to runs of steps, and lanes push
//! batches of messages through them, from a source to the sinks of every branch. Nothing here knows Python: a run of
//! Python steps is a trait that the extension module implements.

pub mod config;
pub mod diagnostic;
pub mod graph;
pub mod plan;
