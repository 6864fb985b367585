//! Registered functions in what is built: settings, state, wishes, and many messages at once.

use oxflow::{ErrorPolicy, Message};

use super::super::*;
use super::run;
use crate::plan::{Limits, Wish};

/// A sum from a start on, which refuses 13.
#[derive(Clone)]
struct Sum {
    sum: u64,
}

#[oxflow::function]
impl Sum {
    fn new(from: u64) -> Self {
        Self { sum: from }
    }

    fn add(&mut self, item: u64) {
        self.sum += item;
    }

    fn finish(self) -> Result<u64, Unlucky> {
        if self.sum == 13 { Err(Unlucky) } else { Ok(self.sum) }
    }
}

#[derive(Debug, ErrorPolicy)]
#[on_error(skip)]
struct Unlucky;

impl std::fmt::Display for Unlucky {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("13 is unlucky")
    }
}

#[test]
fn a_registered_function_has_settings_and_wishes() {
    let pipeline = || {
        let parsed = Pipeline::source("numbers", "in").parse::<u64>();
        parsed.batch(Limits::messages(2)).map_by(|| Sum::new(10)).serialize().sink("sink", "out")
    };
    assert_eq!(
        ["11", "18"],
        run(pipeline(), &[], &["0", "1", "1", "2", "5", "3"]).expect("a run that ends well").as_slice()
    );
    let plan = pipeline().resolve().expect("a pipeline").plan;
    let function = plan.steps.iter().find_map(plan::Step::function).expect("a function");
    assert_eq!(("oxflow_engine:Sum", [Wish::Skip].as_slice()), (function.name.as_str(), function.wishes.as_slice()));
}

/// Numbers what passes.
#[derive(Default)]
struct Number {
    seen: u64,
}

#[oxflow::function]
impl Number {
    fn new(from: u64) -> Result<Self, String> {
        if from == 13 { Err("13 is unlucky".to_owned()) } else { Ok(Self { seen: from }) }
    }

    fn call(&mut self, _: Message<u64>) -> u64 {
        self.seen += 1;
        self.seen
    }
}

#[test]
fn a_function_with_state_is_made_for_each_run() {
    let numbered =
        Pipeline::source("numbers", "in").parse::<u64>().map_by(|| Number::new(10)).serialize().sink("sink", "out");
    assert_eq!(["11", "12"], run(numbered, &[], &["7", "7"]).expect("a run that ends well").as_slice());
}

#[test]
fn a_function_that_cannot_be_made_is_told_before_the_run() {
    let unlucky = Pipeline::source("numbers", "in")
        .parse::<u64>()
        .map_by(|| Number::new(13))
        .map_by(|| -> Number { panic!("no number") });
    let wrong = unlucky.serialize().sink("sink", "out").resolve().err().expect("what is wrong");
    let told: Vec<_> =
        wrong.iter().map(|wrong| format!("{}: {}", wrong.message, wrong.why.as_deref().unwrap_or_default())).collect();
    let expected = [
        "step `Number`: `Number` can't be made: 13 is unlucky",
        "step `Number-2`: `Number` can't be made: it panicked: no number",
    ];
    assert_eq!(expected, told.as_slice());
}

/// Sees its messages together.
#[oxflow::function(step = Together)]
fn together(batch: &[Message<u64>]) -> Vec<u64> {
    let sum = batch.iter().map(Message::payload).sum();
    vec![sum; batch.len()]
}

/// Gives what divides a number, under a key.
#[oxflow::function(step = Divisors)]
fn divisors(message: &Message<u64>) -> Vec<Message<u64>> {
    let number = *message.payload();
    (2..=number)
        .filter(|divisor| number.is_multiple_of(*divisor))
        .map(|divisor| Message::new(divisor).with_key("d"))
        .collect()
}

#[oxflow::function(step = Odd)]
fn odd(message: &Message<u64>) -> bool {
    !message.payload().is_multiple_of(2)
}

#[test]
fn plain_functions_are_called_by_the_type_that_stands_for_them() {
    let pipeline =
        Pipeline::source("numbers", "in").parse::<u64>().flat_map_by(Divisors).filter_by(Odd).map_by(Together);
    let pipeline = pipeline.route_by(
        "parity",
        Odd,
        [
            (true, branch("odd").serialize().sink("odd-out", "odd")),
            (false, branch("even").serialize().sink("out", "out")),
        ],
    );
    assert_eq!(
        ["odd: 3", "18", "18"],
        {
            let mut outputs = run(pipeline, &[], &["6"]).expect("a run that ends well");
            outputs.extend(run(twice(), &[], &["15"]).expect("a run that ends well"));
            outputs
        }
        .as_slice()
    );
}

fn twice() -> Pipeline {
    let numbers = Pipeline::source("numbers", "in").parse::<u64>();
    numbers
        .flat_map_by(Divisors)
        .filter(|message: &Message<u64>| message.payload() % 5 != 1 && message.payload() < &15)
        .map_by(Together)
        .map(|message: Message<u64>| message.payload() + 10)
        .serialize()
        .sink("sink", "out")
}
