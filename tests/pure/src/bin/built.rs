//! The pipeline of `pipeline.yaml`, built in Rust.

use oxflow::{Message, Pipeline};
use pure_words::{Line, Word, capitals, is_long};

fn words(message: Message<Line>) -> Vec<Word> {
    pure_words::words(&message)
}

fn pipeline() -> Pipeline {
    Pipeline::source("in", "lines")
        .parse::<Line>()
        .flat_map(words)
        .filter(is_long)
        .named("long")
        .try_map(capitals)
        .serialize()
        .sink("out", "words")
}

oxflow::main_function!(pipeline);
