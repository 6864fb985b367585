//! The job as a program without Python, by a pipeline in YAML.

pub use kafka_programs::main;
