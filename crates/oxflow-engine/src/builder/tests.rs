//! What is built, and what it does with messages.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::*;
use crate::clock::Clock;
use crate::config::Config;
use crate::connect::{Binding, Item};
use crate::job::{Job, JobError};

/// Known to nobody but the steps on either side of it.
struct Half {
    number: u64,
    unit: &'static str,
}

fn halved(message: Message<u64>) -> Result<Half, String> {
    let (number, _) = message.take();
    if number.is_multiple_of(2) {
        Ok(Half { number: number / 2, unit: "oxen" })
    } else {
        Err(format!("{number} is odd"))
    }
}

/// Runs it on numbers; gives what came out, or what ended it.
fn run(pipeline: Pipeline, sets: &[(&str, &str)], numbers: &[&str]) -> Result<Vec<String>, JobError> {
    let Resolved { plan, bindings } = pipeline.resolve().map_err(JobError::Plan)?;
    let sets: Vec<_> = sets.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let config = Config::load("", "", &sets, &std::collections::BTreeMap::new()).expect("a configuration");
    let item = |number: &&str| Item::Message {
        payload: number.as_bytes().to_vec(),
        key: None,
        headers: Vec::new(),
        timestamp_us: None,
    };
    let items = numbers.iter().map(item).collect();
    let streams = HashMap::from([
        ("in".to_owned(), Binding::Memory(vec![items])),
        ("out".to_owned(), Binding::Url("memory:".parse().expect("a URL"))),
    ]);
    let job = Job { plan, config, bindings, streams, clock: Clock::system(), drain: Arc::new(AtomicBool::new(false)) };
    let running = job.start()?;
    assert!(running.wait(Duration::from_secs(30)));
    if let Some(error) = running.take_error() {
        return Err(error);
    }
    let received = running.outputs().remove("out").unwrap_or_default();
    Ok(received.into_iter().map(|message| String::from_utf8_lossy(&message.payload).into_owned()).collect())
}

fn halving() -> Pipeline {
    let least = 4;
    Pipeline::source("numbers", "in")
        .parse::<u64>()
        .filter(move |message: &Message<u64>| *message.payload() >= least)
        .try_map(halved)
        .flat_map(|message: Message<Half>| vec![message.payload().unit; message.payload().number.min(2) as usize])
        .filter_map(|message: Message<&'static str>| Some((*message.payload()).to_owned()))
        .serialize()
        .sink("sink", "out")
}

#[test]
fn types_between_steps_need_no_trait() {
    assert_eq!(vec!["\"oxen\""; 4], run(halving(), &[], &["2", "4", "8"]).expect("a run that ends well"));
}

#[test]
fn steps_are_named_after_their_functions() {
    let plan = halving().resolve().expect("a pipeline").plan;
    let names: Vec<_> = plan.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(["parse", "filter", "halved", "flat_map", "map", "serialize", "sink"], names.as_slice());
    assert_eq!(Some("oxflow_engine:halved"), plan.steps.get(2).and_then(plan::Step::function).map(|f| f.name.as_str()));
}

#[test]
fn an_error_fails_its_message_and_no_other() {
    let error = run(halving(), &[], &["8", "7"]).expect_err("a number that is odd");
    assert!(error.diagnostics()[0].render().contains("7 is odd"), "{error:?}");
    let skip = [("steps.halved.on_error", "skip")];
    assert_eq!(2, run(halving(), &skip, &["7", "8"]).expect("a run that ends well").len());
}

#[test]
fn a_panic_fails_its_message_and_no_other() {
    let picky = Pipeline::source("numbers", "in")
        .parse::<u64>()
        .filter(|message: &Message<u64>| {
            assert!(*message.payload() != 7, "not seven");
            true
        })
        .named("picky")
        .serialize()
        .sink("sink", "out");
    let skip = [("steps.picky.on_error", "skip")];
    assert_eq!(["6", "8"], run(picky, &skip, &["6", "7", "8"]).expect("a run that ends well").as_slice());
}

#[test]
fn a_filter_that_fails_on_one_of_many_outputs_is_asked_of_the_others() {
    // All three come from one message.
    let picky = Pipeline::source("numbers", "in")
        .parse::<u64>()
        .flat_map(|message: Message<u64>| [0, 1, 2].map(|more| message.payload() + more))
        .filter(|message: &Message<u64>| {
            assert!(*message.payload() != 7, "not seven");
            true
        })
        .named("picky")
        .serialize()
        .sink("sink", "out");
    let skip = [("steps.picky.on_error", "skip")];
    assert_eq!(["6", "8"], run(picky, &skip, &["6"]).expect("a run that ends well").as_slice());
}

#[test]
fn what_has_no_codec_is_not_called_again_alone() {
    let again = [("steps.flat_map.on_error.retry.times", "2")];
    let error = run(halving(), &again, &["8"]).expect_err("a type without a codec");
    let told = error.diagnostics()[0].render();
    assert!(told.starts_with("error[OXF0209]: step `halved` gives `"), "{told}");
}

#[test]
fn types_of_two_pipelines_are_never_the_same() {
    let parsed = || {
        let pipeline = Pipeline::source("numbers", "in").parse::<u64>().serialize().sink("sink", "out");
        pipeline.resolve().expect("a pipeline").bindings.types["parse"]
    };
    // Their numbers are: each is the first type of its tables.
    assert!(!parsed().is_same(&parsed()));
}
