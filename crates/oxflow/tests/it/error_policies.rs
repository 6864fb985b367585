//! Errors that know what is to be done.

use crate::host::Entry::Apply;
use crate::host::{function, inputs, run};
use oxflow::abi::{Policy, Wish};
use oxflow::{ErrorPolicy, Message};
use std::fmt;

#[derive(Debug, ErrorPolicy)]
enum Refused {
    #[on_error(retry(times = 4, backoff_ms = 5, then = dead_letter))]
    Busy,
    #[on_error(skip)]
    Test,
    #[on_error(retry)]
    Away(#[allow(dead_code, reason = "the form is what is tested")] u8),
    Other {
        name: String,
    },
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Other { name } = self { f.write_str(name) } else { write!(f, "{self:?}") }
    }
}

#[derive(Debug, ErrorPolicy)]
#[on_error(dead_letter)]
struct Bad;

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bad")
    }
}

#[oxflow::function]
fn refuse(msg: &Message<String>) -> Result<bool, Refused> {
    match msg.payload().as_str() {
        "busy" => Err(Refused::Busy),
        "test" => Err(Refused::Test),
        "away" => Err(Refused::Away(1)),
        "" => Ok(true),
        name => Err(Refused::Other { name: name.to_owned() }),
    }
}

#[oxflow::function]
fn always_bad(batch: &[Message<String>]) -> Vec<Result<Option<String>, Bad>> {
    batch.iter().map(|_| Err(Bad)).collect()
}

fn wishes(name: &'static str, payloads: &[&str]) -> Vec<Wish> {
    let (_, failed) = run(&inputs(payloads), &[Apply(name)]);
    failed.iter().map(|failed| failed.wish).collect()
}

fn retry(times: u32, backoff_ms: u64, then: Policy) -> Wish {
    Wish { policy: Policy::Retry as u32, times, backoff_ms, then: then as u32 }
}

#[test]
fn each_variant_has_its_policy() {
    let skip = Wish { policy: Policy::Skip as u32, ..Wish::default() };
    let expected = [retry(4, 5, Policy::DeadLetter), skip, retry(3, 100, Policy::Fail), Wish::default()];
    assert_eq!(expected, *wishes("refuse", &["\"busy\"", "\"test\"", "\"\"", "\"away\"", "\"x\""]));
    let letter = Wish { policy: Policy::DeadLetter as u32, ..Wish::default() };
    assert_eq!([letter], *wishes("always_bad", &["\"\""]));
}

#[test]
fn a_function_tells_what_its_errors_may_wish_for() {
    let bits = |policies: &[Policy]| policies.iter().fold(0, |bits, policy| bits | 1 << *policy as u32);
    let all = [Policy::Fail, Policy::Skip, Policy::DeadLetter, Policy::Retry];
    assert_eq!(bits(&all), function("refuse").wishes);
    assert_eq!(bits(&[Policy::DeadLetter]), function("always_bad").wishes);
    assert_eq!(0, function("checked").wishes);
}
