//! The program: `src/lib.rs` has the functions, `pipeline.yaml` what becomes of messages.

pub use my_steps::main;
