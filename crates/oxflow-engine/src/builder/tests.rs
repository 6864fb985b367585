//! What is built, and what it does with messages.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use oxflow::{List, Message, Payload};
use serde::{Deserialize, Serialize};

use super::*;
use crate::clock::Clock;
use crate::config::Config;
use crate::connect::{Binding, Item};
use crate::definition::Resolved;
use crate::job::{Job, JobError};
use crate::plan::{Codec, Limits, Operation};

mod registered;

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
    let mut streams = HashMap::from([("in".to_owned(), Binding::Memory(vec![items]))]);
    for step in plan.all_steps() {
        if let Operation::Sink(stream) = &step.operation {
            streams.insert(stream.clone(), Binding::Url("memory:".parse().expect("a URL")));
        }
    }
    let job = Job {
        plan,
        config,
        bindings,
        streams,
        clock: Clock::system(),
        drain: Arc::new(AtomicBool::new(false)),
        telemetry: None,
    };
    let running = job.start()?;
    assert!(running.wait(Duration::from_secs(30)));
    if let Some(error) = running.take_error() {
        return Err(error);
    }
    let text = |(stream, message): (&String, &crate::connect::Received)| {
        let payload = String::from_utf8_lossy(&message.payload).into_owned();
        if stream == "out" { payload } else { format!("{stream}: {payload}") }
    };
    let outputs = running.outputs();
    let outputs: std::collections::BTreeMap<_, _> = outputs.into_iter().collect();
    Ok(outputs
        .iter()
        .flat_map(|(stream, messages)| messages.iter().map(move |message| (stream, message)))
        .map(text)
        .collect())
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
fn a_source_reads_several_streams() {
    let several = Pipeline::source("numbers", "in").and_stream("more").sink("sink", "out");
    let plan = several.resolve().expect("a pipeline").plan;
    assert_eq!(vec!["in", "more"], plan.source.streams().collect::<Vec<_>>());
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

fn doubled(message: Message<u64>) -> u64 {
    message.take().0 * 2
}

fn is_even(message: &Message<u64>) -> bool {
    message.payload().is_multiple_of(2)
}

fn names(pipeline: Pipeline) -> Vec<String> {
    let plan = pipeline.resolve().expect("a pipeline").plan;
    plan.all_steps().into_iter().map(|step| step.name.clone()).collect()
}

fn by_parity() -> Pipeline {
    Pipeline::source("numbers", "in")
        .parse::<u64>()
        .map(doubled)
        .map(|message: Message<u64>| message.payload() / 2)
        .route(
            "parity",
            is_even,
            [
                (true, branch("even").map(doubled).serialize().sink("out", "out")),
                (false, branch("odd").serialize().sink("odd-out", "odd")),
            ],
        )
}

#[test]
fn a_route_sends_each_message_down_its_branch() {
    let outputs = run(by_parity(), &[], &["1", "2", "3", "4"]).expect("a run that ends well");
    assert_eq!(["odd: 1", "odd: 3", "4", "8"], outputs.as_slice());
}

#[test]
fn steps_of_branches_have_names_of_their_own() {
    let expected = ["parse", "doubled", "map", "parity", "doubled-2", "serialize", "out", "serialize-2", "odd-out"];
    assert_eq!(expected, names(by_parity()).as_slice());
}

#[test]
fn names_that_are_given_come_first() {
    let pipeline = Pipeline::source("numbers", "in").parse::<u64>().broadcast(
        "all",
        [branch("map")
            .map(doubled)
            .named("parse")
            .map(|message: Message<u64>| *message.payload())
            .serialize()
            .sink("a", "a")],
    );
    assert_eq!(["parse-2", "all", "parse", "map-2", "serialize", "a"], names(pipeline).as_slice());
}

#[test]
fn a_key_may_be_a_text_or_a_word_of_an_enum() {
    #[derive(Clone, Copy, Serialize, Deserialize, Payload)]
    #[serde(rename_all = "snake_case")]
    enum Size {
        Small,
        Large,
    }

    let size = |message: &Message<u64>| if *message.payload() < 10 { Size::Small } else { Size::Large };
    let sized = Pipeline::source("numbers", "in").parse::<u64>().route(
        "size",
        size,
        [
            (Size::Small, branch("small").serialize().sink("out", "out")),
            (Size::Large, branch("large").serialize().sink("large-out", "large")),
        ],
    );
    assert_eq!(["large: 12", "3"], run(sized, &[], &["3", "12"]).expect("a run that ends well").as_slice());

    let text = |message: &Message<u64>| format!("{} digits", message.payload().to_string().len());
    let long = Pipeline::source("numbers", "in").parse::<u64>().route(
        "digits",
        text,
        [("2 digits".to_owned(), branch("two").serialize().sink("out", "out"))],
    );
    let skip = [("steps.digits.on_error", "skip")];
    assert_eq!(["12"], run(long, &skip, &["3", "12"]).expect("a run that ends well").as_slice());
}

#[test]
fn a_broadcast_gives_every_branch_a_copy() {
    let all = Pipeline::source("numbers", "in").parse::<u64>().broadcast(
        "all",
        [
            branch("doubled").map(doubled).serialize().sink("out", "out"),
            branch("texts")
                .map(|message: Message<u64>| message.payload().to_string())
                .serialize()
                .sink("texts-out", "texts"),
        ],
    );
    assert_eq!(
        ["2", "4", "texts: \"1\"", "texts: \"2\""],
        run(all, &[], &["1", "2"]).expect("a run that ends well").as_slice()
    );
}

#[test]
fn lists_close_by_number_or_time() {
    let sums = |limits| {
        Pipeline::source("numbers", "in")
            .parse::<u64>()
            .batch(limits)
            .map(|message: Message<List<u64>>| message.payload().iter().sum::<u64>())
            .serialize()
            .sink("sink", "out")
    };
    let run = |limits| run(sums(limits), &[], &["1", "2", "3"]).expect("a run that ends well");
    assert_eq!(["3", "3"], run(Limits::messages(2)).as_slice());
    assert_eq!(["3", "3"], run(Limits::messages(2).or_time(Duration::from_secs(60))).as_slice());
    assert_eq!(["6"], run(Limits::time(Duration::from_secs(60))).as_slice());
    let none = plan::check(&sums(Limits::default()).resolve().expect("a pipeline").plan);
    assert_eq!(vec!["batch `batch` has no limit"], none.iter().map(|found| found.message.as_str()).collect::<Vec<_>>());
}

#[derive(Serialize, Deserialize, Payload)]
struct Event<'a> {
    #[serde(borrow)]
    name: oxflow::Text<'a>,
    weight: u64,
}

/// Gives back what lies in the message.
#[oxflow::function(step = Heavier)]
fn heavier(message: Message<Event<'_>>) -> Event<'_> {
    let (event, _) = message.take();
    Event { weight: event.weight + 1, ..event }
}

#[test]
fn payloads_may_borrow_from_the_message() {
    let events = || {
        Pipeline::source("events", "in")
            .parse_borrowed::<Event<'_>>()
            .filter(|message: &Message<Event<'_>>| message.payload().weight > 0)
    };
    let texts = [r#"{"name": "ox", "weight": 2}"#, r#"{"name": "fly", "weight": 0}"#];
    let run = |pipeline| run(pipeline, &[], &texts).expect("a run that ends well");
    assert_eq!(
        [r#"{"name":"ox","weight":3}"#],
        run(events().map_by(Heavier).serialize().sink("sink", "out")).as_slice()
    );
    let length = |message: Message<Event<'_>>| message.payload().name.len() as u64;
    assert_eq!(["2"], run(events().map(length).serialize().sink("sink", "out")).as_slice());
    let listed =
        events().batch(Limits::messages(5)).map(|message: Message<List<Event<'_>>>| message.payload().len() as u64);
    assert_eq!(["1"], run(listed.serialize().sink("sink", "out")).as_slice());
    let routed = events().route(
        "name",
        |message: &Message<Event<'_>>| message.payload().name.to_string(),
        [("ox".to_owned(), borrowed_branch::<Event<'_>>("oxen").map_by(Heavier).serialize().sink("out", "out"))],
    );
    assert_eq!([r#"{"name":"ox","weight":3}"#], run(routed).as_slice());
}

#[test]
fn what_was_read_is_never_given_to_a_closure_that_may_keep_it() {
    let pipeline = Pipeline::source("events", "in")
        .parse_borrowed::<Event<'_>>()
        .map(|message: Message<Event<'_>>| Event { name: "ox".into(), weight: message.payload().weight })
        .map(|message: Message<Event<'static>>| message.payload().weight)
        .named("weigh")
        .serialize()
        .sink("sink", "out");
    // Would it be called again, it would be given bytes, and hold what lies in them.
    let again = [("steps.weigh.on_error.retry.times", "2")];
    let error = run(pipeline, &again, &[r#"{"name": "ox", "weight": 2}"#]).expect_err("a type that isn't read");
    assert!(error.diagnostics()[0].render().starts_with("error[OXF0209]: step `map` gives `"), "{error:?}");
}

#[test]
fn bytes_need_no_parser() {
    let lengths = Pipeline::source("numbers", "in").map(|message: Message<Bytes>| message.payload().len() as u64);
    assert_eq!(
        ["2"],
        run(lengths.serialize().sink("sink", "out"), &[], &["12"]).expect("a run that ends well").as_slice()
    );
    let same = Pipeline::source("numbers", "in").filter(|message: &Message<Bytes>| message.payload().len() > 1);
    assert_eq!(["12"], run(same.sink("sink", "out"), &[], &["12", "1"]).expect("a run that ends well").as_slice());
}

#[test]
fn codecs_stand_at_both_ends() {
    let pipeline = Pipeline::source("numbers", "in")
        .parse_as::<u64>(Codec::MsgPack)
        .serialize_as(Codec::MsgPack)
        .sink("sink", "out");
    let plan = pipeline.resolve().expect("a pipeline").plan;
    let expected = [
        Operation::Parser(plan::Parser { shape: <u64 as Payload>::shape(), codec: Codec::MsgPack }),
        Operation::Serializer(plan::Serializer { codec: Codec::MsgPack }),
    ];
    assert_eq!(expected.as_slice(), plan.steps.iter().take(2).map(|step| step.operation.clone()).collect::<Vec<_>>());
}
