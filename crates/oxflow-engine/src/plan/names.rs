//! Names: each is well-formed, and no two are the same.
//!
//! Names are keys in the configuration, labels of metrics and words in error messages, so they hold letters, digits, `_` and
//! `-` only. A dot would make `--set steps.a.b=c` ambiguous.

use std::collections::HashMap;

use super::{Branch, Operation, Place, Plan, Step};
use crate::diagnostic::{Code, Diagnostic};

/// What a name is the name of.
type Bearer<'p> = (&'static str, &'p str, Option<&'p Place>);

pub(super) fn check(plan: &Plan) -> Vec<Diagnostic> {
    let mut names: Vec<Bearer<'_>> = vec![("source", &plan.source.name, plan.source.place.as_ref())];
    let place = plan.source.place.as_ref();
    let mut streams: Vec<Bearer<'_>> = plan.source.streams().map(|stream| ("stream", stream, place)).collect();
    // A stream may be written in several places, but a source reads each once.
    let read_twice = doubles(&streams);
    collect(&plan.steps, &mut names, &mut streams);
    let malformed = names.iter().chain(&streams).filter_map(malformed);
    malformed.chain(doubles(&names)).chain(read_twice).collect()
}

/// Every name of a source, step or branch.
pub(super) fn all(plan: &Plan) -> Vec<&str> {
    let mut names: Vec<Bearer<'_>> = vec![("source", &plan.source.name, None)];
    collect(&plan.steps, &mut names, &mut Vec::new());
    names.into_iter().map(|(_, name, _)| name).collect()
}

fn collect<'p>(steps: &'p [Step], names: &mut Vec<Bearer<'p>>, streams: &mut Vec<Bearer<'p>>) {
    for step in steps {
        names.push(("step", &step.name, step.place.as_ref()));
        if let Operation::Sink(stream) = &step.operation {
            streams.push(("stream", stream, step.place.as_ref()));
        }
        for branch in step.branches() {
            names.push(("branch", &branch.name, branch.place.as_ref().or(step.place.as_ref())));
            collect(&branch.steps, names, streams);
        }
    }
}

fn malformed((what, name, place): &Bearer<'_>) -> Option<Diagnostic> {
    let strange = name.chars().find(|letter| !(letter.is_alphanumeric() || "_-".contains(*letter)));
    let message = match strange {
        None if !name.is_empty() => return None,
        None => format!("a {what} has an empty name"),
        Some(letter) => format!("the name of {what} `{}` has `{}` in it", name.escape_debug(), letter.escape_debug()),
    };
    let fix = format!("name the {what} with letters, digits, `_` and `-`");
    Some(
        Diagnostic::new(Code::BadName, message)
            .at(place.cloned())
            .because("names are keys in the configuration and labels of metrics")
            .fix(fix),
    )
}

fn doubles(names: &[Bearer<'_>]) -> Vec<Diagnostic> {
    let mut first: HashMap<&str, &Bearer<'_>> = HashMap::new();
    let mut found = Vec::new();
    for bearer @ (what, name, place) in names.iter().filter(|(_, name, _)| !name.is_empty()) {
        let Some((other, _, other_place)) = first.get(name) else {
            first.insert(name, bearer);
            continue;
        };
        let first_place = other_place.map(|place| format!("; the first is at {}:{}", place.file, place.line));
        let why = "steps and branches are told apart by their names, in the configuration and in reports";
        found.push(
            Diagnostic::new(Code::NameTwice, format!("{what} `{name}` has the name of another {other}"))
                .at(place.cloned())
                .because(format!("{why}{}", first_place.unwrap_or_default()))
                .fix(format!("give one of them another name than `{name}`")),
        );
    }
    found
}

impl Step {
    /// The branches that this step opens; none for most.
    pub fn branches(&self) -> &[Branch] {
        match &self.operation {
            Operation::Route(route) => &route.branches,
            Operation::Broadcast(branches) => branches,
            _ => &[],
        }
    }
}
