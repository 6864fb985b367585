//! The program: the pipeline of the library beside it.

pub use pure_words::main;
