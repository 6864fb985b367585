//! The pipelines of `tests/test_definition.py`, built in Rust: that of `pipeline.yaml`, or the one that `BUILT` names.

use std::time::Duration;

use crate::{Above, Length, Line, Total, Word, Words, capitals, is_long};
use oxflow::builder::Chain;
use oxflow::{Branch, Codec, Limits, Message, Pipeline, branch};

fn lines() -> Chain<Word> {
    Pipeline::source("in", "lines").parse::<Line>().flat_map_by(Words)
}

fn own() -> Pipeline {
    lines().filter(is_long).named("long").try_map(capitals).serialize().sink("out", "words")
}

fn counted() -> Pipeline {
    let least = 3;
    lines()
        .filter(move |message: &Message<Word>| message.payload().letters > least)
        .map(|message: Message<Word>| message.payload().letters)
        .serialize()
        .sink("out", "words")
}

fn arguments() -> Pipeline {
    lines().filter_by(|| Above::new(4)).named("above").serialize_as(Codec::MsgPack).sink("out", "words")
}

fn batch() -> Pipeline {
    lines()
        .batch(Limits::messages(3).or_time(Duration::from_secs(2)))
        .named("lists")
        .map_by(Total)
        .serialize()
        .sink("out", "words")
}

fn several() -> Pipeline {
    Pipeline::source("in", "lines").and_stream("more-lines").sink("out", "words")
}

fn sunk(name: &str) -> Branch<Word> {
    branch(name).serialize().named(&format!("text-{name}")).sink(&format!("out-{name}"), name)
}

fn route() -> Pipeline {
    lines().route_by("by-length", Length, [("long".to_owned(), sunk("yes")), ("short".to_owned(), sunk("on"))])
}

fn broadcast() -> Pipeline {
    lines().broadcast("both", [sunk("first"), sunk("second")])
}

/// The pipeline that `BUILT` names.
pub fn pipeline() -> Pipeline {
    match std::env::var("BUILT").as_deref() {
        Ok("counted") => counted(),
        Ok("arguments") => arguments(),
        Ok("batch") => batch(),
        Ok("several") => several(),
        Ok("route") => route(),
        Ok("broadcast") => broadcast(),
        _ => own(),
    }
}
