//! A configuration against the pipeline that it is for.

use super::{Config, overlay};
use crate::connect::StreamUrl;
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::plan::{Operation, Place, Plan, Step};

impl Config {
    /// What the configuration names that the plan does not have, and the streams of the plan that are nowhere, or at a URL
    /// that is none.
    pub fn check(&self, plan: &Plan) -> Vec<Diagnostic> {
        let mut names = Names { steps: vec![&plan.source.name], streams: Vec::new() };
        names.streams.push((&plan.source.stream, plan.source.place.as_ref()));
        names.collect(&plan.steps);
        let streams: Vec<&str> = names.streams.iter().map(|(name, _)| *name).collect();
        let steps = self.steps.keys().filter_map(|name| unknown("step", "steps", name, &names.steps));
        let strays = self.streams.keys().filter_map(|name| unknown("stream", "streams", name, &streams));
        steps.chain(strays).chain(self.unbound(&names)).collect()
    }

    fn unbound(&self, names: &Names<'_>) -> Vec<Diagnostic> {
        let mut found: Vec<Diagnostic> = Vec::new();
        let mut told: Vec<&str> = Vec::new();
        for (name, place) in &names.streams {
            if told.contains(name) {
                continue;
            }
            told.push(name);
            if let Some(stream) = self.stream(name) {
                let malformed = stream.url.parse::<StreamUrl>().err();
                found.extend(malformed.map(|malformed| malformed.diagnostic(name)));
                continue;
            }
            found.push(
                Diagnostic::new(Code::StreamUnbound, format!("stream `{name}` is not bound"))
                    .at(place.cloned())
                    .because("the pipeline names its streams; where they are is said outside of it")
                    .fix(format!(
                        "add `--stream {name}=file:PATH`, or `streams: {{{name}: \"file:PATH\"}}` to the configuration"
                    )),
            );
        }
        found
    }
}

struct Names<'p> {
    steps: Vec<&'p str>,
    streams: Vec<(&'p str, Option<&'p Place>)>,
}

impl<'p> Names<'p> {
    fn collect(&mut self, steps: &'p [Step]) {
        for step in steps {
            self.steps.push(&step.name);
            if let Operation::Sink(stream) = &step.operation {
                self.streams.push((stream, step.place.as_ref()));
            }
            for branch in step.branches() {
                self.collect(&branch.steps);
            }
        }
    }
}

fn unknown(what: &str, section: &str, name: &str, known: &[&str]) -> Option<Diagnostic> {
    if known.iter().any(|candidate| overlay::same_name(candidate, name)) {
        return None;
    }
    let has = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let message = format!("`{section}.{name}` is for a {what} that the pipeline does not have");
    let fix = did_you_mean(name, known.iter().copied())
        .map_or_else(|| format!("remove `{section}.{name}`"), |near| format!("did you mean `{near}`?"));
    Some(Diagnostic::new(Code::NotInPipeline, message).because(format!("its {section} are {has}")).fix(fix))
}
