//! The program of a pipeline that is built in Rust.

oxflow::main_function!(pure_words::built::pipeline);
