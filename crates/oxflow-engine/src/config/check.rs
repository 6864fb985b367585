//! A configuration against the pipeline that it is for.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use super::{Config, KafkaStream, Policy, Stream, overlay};
use crate::connect::{Binding, ConnectError, FileKey, StreamUrl};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::plan::{Operation, Place, Plan, Source, Step, Wish};
use crate::telemetry;

impl Config {
    /// What the configuration names that the plan does not have, the streams of the plan that are nowhere, or at a URL that
    /// is none, and what it wants of steps that can't do it.
    pub fn check(&self, plan: &Plan) -> Vec<Diagnostic> {
        let names = Names::of(plan);
        let letters = self.run.dead_letters.stream.as_str();
        let wanted = self.may_dead_letter(plan);
        let clash = (wanted && names.has_stream(letters)).then(|| dead_letters_taken(letters));
        let nowhere =
            (wanted && self.stream(letters).is_none() && clash.is_none()).then(|| dead_letters_unbound(letters));
        // It may stay bound while no step writes to it.
        let mut streams: Vec<&str> = names.streams.iter().map(|(name, _)| *name).chain([letters]).collect();
        streams.sort_unstable();
        streams.dedup();
        let steps = self.steps.keys().filter_map(|name| unknown("step", "steps", name, &names.steps));
        let strays = self.streams.keys().filter_map(|name| unknown("stream", "streams", name, &streams));
        let retries = names.steps.iter().filter_map(|name| self.retries_nothing(name, plan));
        let found = steps.chain(strays).chain(retries).chain(clash).chain(self.unbound(&names)).chain(nowhere);
        found
            .chain(self.malformed(&streams))
            .chain(self.topics(&streams, &plan.source))
            .chain(self.transactional(&plan.source.stream, names.sinks(plan).chain(wanted.then_some(letters))))
            .chain(self.shared_files(&names))
            .chain(self.checkpoint_taken(&streams))
            .chain(self.telemetry.iter().filter_map(telemetry::check))
            .collect()
    }

    /// Whether a message may become a dead letter: a step's policy says so, or an error of its function.
    pub(crate) fn may_dead_letter(&self, plan: &Plan) -> bool {
        let by_policy = |name: &str| self.step(name).on_error.policy() == Policy::DeadLetter;
        let steps = plan.all_steps();
        by_policy(&plan.source.name)
            || steps.iter().any(|step| by_policy(&step.name) || step.may_wish(Wish::DeadLetter))
    }

    /// Two streams that are bound to one file. What a pattern names is not looked for here.
    fn shared_files(&self, names: &Names<'_>) -> Vec<Diagnostic> {
        let letters = self.run.dead_letters.stream.as_str();
        let mut taken: HashMap<FileKey, &str> = HashMap::new();
        let file = |stream: &str| Binding::Url(self.stream(stream)?.place().ok()?).written_file();
        let streams = names.streams.iter().map(|(name, _)| *name).chain([letters]);
        let shared = streams.filter_map(|stream| {
            let path = file(stream)?;
            let other = taken.insert(FileKey::of(&path), stream).filter(|other| *other != stream)?.to_owned();
            Some(ConnectError::SameFile { stream: stream.to_owned(), other, path }.diagnostic())
        });
        shared.collect()
    }

    /// A checkpoint in a file that is read or written. What a pattern names is not looked for here.
    fn checkpoint_taken(&self, streams: &[&str]) -> Option<Diagnostic> {
        let path = self.run.checkpoint.as_ref()?;
        let taken = FileKey::of(path);
        let is_taken = |stream: &&&str| match self.stream(stream).map(Stream::place) {
            Some(Ok(StreamUrl::File { path, .. })) => FileKey::of(Path::new(&path)) == taken,
            _ => false,
        };
        let stream = streams.iter().find(is_taken)?;
        let message = format!("`run.checkpoint` is `{}`, which stream `{stream}` is bound to", path.display());
        Some(
            Diagnostic::new(Code::InvalidValue, message)
                .because("a checkpoint needs a file of its own")
                .fix("set `run.checkpoint` to another path"),
        )
    }

    /// Streams at a URL that is none.
    fn malformed(&self, streams: &[&str]) -> Vec<Diagnostic> {
        let malformed = |name: &&str| Some(self.stream(name)?.place().err()?.diagnostic(name));
        streams.iter().filter_map(malformed).collect()
    }

    /// What is wrong with topics.
    fn topics(&self, streams: &[&str], source: &Source) -> Vec<Diagnostic> {
        let topic = |name: &str| match self.stream(name)?.place() {
            Ok(StreamUrl::Kafka(kafka)) => Some(kafka),
            _ => None,
        };
        let read = |name: &str| source.streams().any(|stream| stream == name);
        let alone = streams.iter().filter_map(|name| Some(topic(name)?.check(name, read(name))));
        alone.flatten().chain(self.together(source, topic)).collect()
    }

    /// Streams that one source can't read together.
    fn together(&self, source: &Source, topic: impl Fn(&str) -> Option<Box<KafkaStream>>) -> Option<Diagnostic> {
        let bound = |name: &&str| self.stream(name).is_some_and(|stream| stream.place().is_ok());
        let read: Vec<_> = source.streams().filter(bound).map(|stream| (stream, topic(stream))).collect();
        let (first, at) = read.first()?;
        let (other, _) = read.iter().skip(1).find(|(_, other)| match (at, other) {
            (Some(first), Some(other)) => !first.is_read_with(other),
            (first, other) => first.is_some() != other.is_some(),
        })?;
        let message = format!("source `{}` can't read `{first}` and `{other}` together", source.name);
        Some(
            Diagnostic::new(Code::InvalidValue, message)
                .at(source.place.clone())
                .because("topics are read by one member of one group, on one cluster; files by no group")
                .fix("give all streams of the source one kind, and topics the same settings but for `topic`; or make two pipelines"),
        )
    }

    /// Only functions can be called again.
    fn retries_nothing(&self, name: &str, plan: &Plan) -> Option<Diagnostic> {
        self.step(name).on_error.retry()?;
        if plan.all_steps().iter().any(|step| step.name == name && step.function().is_some()) {
            return None;
        }
        let message = format!("`steps.{name}.on_error` is `retry`, but `{name}` calls no function");
        Some(
            Diagnostic::new(Code::InvalidValue, message)
                .because("what oxflow does itself fails in the same way each time")
                .fix("set `fail`, `skip` or `dead_letter`"),
        )
    }

    fn unbound(&self, names: &Names<'_>) -> Vec<Diagnostic> {
        let mut told = BTreeSet::new();
        let unbound = names.streams.iter().filter(|(name, _)| self.stream(name).is_none() && told.insert(*name));
        let diagnostic = |(name, place): &(&str, Option<&Place>)| {
            nowhere(name)
                .at(place.cloned())
                .because("the pipeline names its streams; where they are is said outside of it")
        };
        unbound.map(diagnostic).collect()
    }
}

fn nowhere(stream: &str) -> Diagnostic {
    Diagnostic::new(Code::StreamUnbound, format!("stream `{stream}` is not bound")).fix(format!(
        "add `--stream {stream}=file:PATH`, or `streams: {{{stream}: \"file:PATH\"}}` to the configuration"
    ))
}

fn dead_letters_unbound(stream: &str) -> Diagnostic {
    nowhere(stream).because(
        "messages that fail in a step with `on_error: dead_letter`, or with an error that wants this, go to it",
    )
}

fn dead_letters_taken(stream: &str) -> Diagnostic {
    Diagnostic::new(Code::InvalidValue, format!("`run.dead_letters.stream` is `{stream}`, a stream of the pipeline"))
        .because("dead letters have a form of their own, which nobody expects among other messages")
        .fix("name another stream, and bind it in `streams`")
}

struct Names<'p> {
    /// The source first.
    steps: Vec<&'p str>,
    streams: Vec<(&'p str, Option<&'p Place>)>,
}

impl<'p> Names<'p> {
    fn of(plan: &'p Plan) -> Self {
        let steps = plan.all_steps();
        let sink = |step: &&'p Step| match &step.operation {
            Operation::Sink(stream) => Some((stream.as_str(), step.place.as_ref())),
            _ => None,
        };
        let sources = plan.source.streams().map(|stream| (stream, plan.source.place.as_ref()));
        Self {
            streams: sources.chain(steps.iter().filter_map(sink)).collect(),
            steps: [plan.source.name.as_str()].into_iter().chain(steps.iter().map(|step| step.name.as_str())).collect(),
        }
    }

    fn sinks(&self, plan: &Plan) -> impl Iterator<Item = &'p str> {
        self.streams.iter().skip(plan.source.streams().count()).map(|(name, _)| *name)
    }

    fn has_stream(&self, name: &str) -> bool {
        self.streams.iter().any(|(known, _)| *known == name)
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
