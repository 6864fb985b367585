//! Edges: what one step gives is what the next one takes.
//!
//! The walk carries the type that flows and who gave it, since the step to mend is often not the one where it shows: a
//! filter passes on what it got.

use oxflow::shape::{RecordKind, Type};

use super::{
    Codec, Function, Language, Limits, Operation, Parser, Plan, Step, agree, names, python_name, spell::quote,
};
use crate::diagnostic::{Code, Diagnostic};

pub(super) fn check(plan: &Plan) -> Vec<Diagnostic> {
    let mut walk = Walk { names: names::all(plan), found: Vec::new() };
    let giver = Giver { label: format!("source `{}` gives", plan.source.name), function: None };
    walk.row(&plan.steps, &Flow { shape: Type::Bytes, giver });
    walk.found
}

/// What arrives at a step.
#[derive(Clone)]
struct Flow<'p> {
    shape: Type,
    giver: Giver<'p>,
}

/// Who made it.
#[derive(Clone)]
struct Giver<'p> {
    /// The subject and verb of a sentence: "step `enrich` returns".
    label: String,
    /// The step and function, if a function made it.
    function: Option<(&'p Step, &'p Function)>,
}

struct Walk<'p> {
    names: Vec<&'p str>,
    found: Vec<Diagnostic>,
}

impl<'p> Walk<'p> {
    fn row(&mut self, steps: &'p [Step], start: &Flow<'p>) {
        let mut flow = start.clone();
        for step in steps {
            flow = self.step(step, flow);
        }
    }

    /// Checks what a step takes; gives what flows on from it.
    fn step(&mut self, step: &'p Step, flow: Flow<'p>) -> Flow<'p> {
        match &step.operation {
            Operation::Map(function) | Operation::FlatMap(function) => {
                self.function(step, function, &flow);
                let giver = Giver { label: format!("step `{}` returns", step.name), function: Some((step, function)) };
                return Flow { shape: function.output.clone(), giver };
            }
            Operation::Filter(function) => {
                self.function(step, function, &flow);
                self.found.extend(answer(step, function));
            }
            Operation::Batch(limits) => {
                self.found.extend(counted(step, limits, &flow));
                return flow.made_by(format!("batch `{}` gives", step.name), |item| Type::List(item.into()));
            }
            Operation::Parser(parser) => {
                self.parser(step, parser, &flow);
                return flow.made_by(format!("parser `{}` gives", step.name), |_| parser.shape.clone());
            }
            Operation::Serializer(serializer) => {
                self.found.extend(serialised(step, serializer.codec, &flow));
                return flow.made_by(format!("serializer `{}` gives", step.name), |_| Type::Bytes);
            }
            Operation::Route(route) => self.function(step, &route.function, &flow),
            Operation::Broadcast(_) => {}
            Operation::Sink(_) => self.sink(step, &flow),
        }
        for branch in step.branches() {
            self.row(&branch.steps, &flow);
        }
        flow
    }

    fn function(&mut self, step: &Step, function: &Function, flow: &Flow<'_>) {
        if flow.is_made_of_the_fields_of(function) {
            return;
        }
        let Err(reason) = agree(&flow.shape, &function.input) else { return };
        let (given, taken) = (python_name(&flow.shape), python_name(&function.input));
        let rule = match function.language {
            Language::Rust => format!("`{}` is Rust; its input type is fixed when it is built", function.name),
            Language::Python => format!("`{}` is annotated to take `Message[{taken}]`", function.name),
        };
        let why = if reason.path.is_empty() { rule } else { format!("{rule}; {reason}") };
        let message = format!("{} `{given}`, but `{}` takes `{taken}`", flow.giver.label, step.name);
        let fix = self.mend(step, function, flow);
        self.found.push(Diagnostic::new(Code::EdgeMismatch, message).at(step.place.clone()).because(why).fix(fix));
    }

    /// The nearest change that makes the edge fit.
    fn mend(&self, step: &Step, function: &Function, flow: &Flow<'_>) -> String {
        let taken = python_name(&function.input);
        match (&flow.shape, &function.input, flow.giver.function) {
            (Type::Bytes, shape, _) if decodable(shape) => {
                format!("add `.apply(Parser({}, {taken}))` before `{}`", self.unused("parse"), step.name)
            }
            (shape, Type::Bytes, _) if unserialisable(shape, Codec::Json).is_none() => {
                format!("add `.apply(Serializer({}))` before `{}`", self.unused("serialize"), step.name)
            }
            (.., Some((giver, function_of_giver))) if function_of_giver.language == Language::Python => {
                format!("let `{}` return `{taken}` and annotate it, or change what `{}` takes", giver.name, step.name)
            }
            _ if function.language == Language::Python => {
                format!("annotate `{}` to take `Message[{}]`", function.name, python_name(&flow.shape))
            }
            _ => format!("add a `Map` before `{}` that turns `{}` into `{taken}`", step.name, python_name(&flow.shape)),
        }
    }

    fn parser(&mut self, step: &Step, parser: &Parser, flow: &Flow<'_>) {
        let Parser { shape, codec } = parser;
        if agree(&flow.shape, &Type::Bytes).is_err() {
            let message = format!(
                "{} `{}`, but parser `{}` takes `bytes`",
                flow.giver.label,
                python_name(&flow.shape),
                step.name
            );
            self.found.push(
                Diagnostic::new(Code::ParserTakesBytes, message)
                    .at(step.place.clone())
                    .because("a parser decodes the bytes of a message")
                    .fix(format!("remove `{}`, or move it before the step that needs no bytes", step.name)),
            );
        }
        if *codec == Codec::Protobuf && !is_rust(shape) {
            let message = format!("parser `{}` makes `{}` of protobuf", step.name, python_name(shape));
            self.found.push(
                Diagnostic::new(Code::BadCodec, message)
                    .at(step.place.clone())
                    .because(NEEDS_RUST)
                    .fix(MESSAGE_OF_RUST),
            );
        } else if let Some(path) = unserialisable(shape, *codec).filter(|path| !path.is_empty()) {
            let (made, name) = (python_name(shape), codec.name());
            let message = format!("parser `{}` makes `{made}`, which {name} cannot hold", step.name);
            let fix = match codec {
                Codec::Json => "give it a type that JSON can hold: text for bytes, `str` for the keys of a dict",
                _ => "give it a type with `str` for the keys of a dict",
            };
            self.found
                .push(Diagnostic::new(Code::UnsupportedType, message).at(step.place.clone()).because(path).fix(fix));
        }
    }

    fn sink(&mut self, step: &Step, flow: &Flow<'_>) {
        if agree(&flow.shape, &Type::Bytes).is_ok() {
            return;
        }
        let fix = match unserialisable(&flow.shape, Codec::Json) {
            None => format!("add `.apply(Serializer({}))` before `{}`", self.unused("serialize"), step.name),
            Some(_) => format!("add a `Map` before `{}` that gives `bytes`", step.name),
        };
        let message =
            format!("{} `{}`, but sink `{}` takes `bytes`", flow.giver.label, python_name(&flow.shape), step.name);
        self.found.push(
            Diagnostic::new(Code::SinkTakesBytes, message)
                .at(step.place.clone())
                .because("a sink writes bytes and does not choose how a value becomes bytes")
                .fix(fix),
        );
    }

    /// A name like `wish` that no step has, as Python writes it.
    fn unused(&self, wish: &str) -> String {
        let taken = |name: &str| self.names.contains(&name);
        let numbered = (2..).map(|number| format!("{wish}-{number}"));
        quote(&std::iter::once(wish.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_default())
    }
}

impl Flow<'_> {
    /// Whether a Rust function gave it whose output has the fields that this one takes, by their hashes: then nothing in them
    /// needs to be looked at.
    fn is_made_of_the_fields_of(&self, taker: &Function) -> bool {
        let given = self.giver.function.and_then(|(_, giver)| giver.hashes).map(|hashes| hashes.output);
        given.filter(|given| *given != 0).is_some_and(|given| taker.hashes.is_some_and(|taken| taken.input == given))
    }

    fn made_by(self, label: String, change: impl FnOnce(Type) -> Type) -> Self {
        Self { shape: change(self.shape), giver: Giver { label, function: None } }
    }
}

/// A filter's function says yes or no.
fn answer(step: &Step, function: &Function) -> Option<Diagnostic> {
    let reason = agree(&function.output, &Type::Bool).err()?;
    let given = python_name(&function.output);
    let (code, fix) = match function.language {
        Language::Python => {
            (Code::FilterGivesBool, format!("return a `bool` from `{}` and annotate it `-> bool`", function.name))
        }
        Language::Rust => (Code::WrongKind, format!("use `{}` with `Map`, or let it return `bool`", function.name)),
    };
    let why = if reason.path.is_empty() {
        "a filter keeps the messages for which its function says `True`".into()
    } else {
        reason.to_string()
    };
    let message =
        format!("filter `{}` needs a function that gives `bool`, but `{}` gives `{given}`", step.name, function.name);
    Some(Diagnostic::new(code, message).at(step.place.clone()).because(why).fix(fix))
}

const NEEDS_RUST: &str = "only a message that Rust knows says how its fields lie in protobuf";
const MESSAGE_OF_RUST: &str = "use a Rust type with `#[payload(codec = \"protobuf\")]`, or another codec";

/// Whether Rust may read and write it; what is not known may be.
fn is_rust(shape: &Type) -> bool {
    matches!(shape, Type::Any) || matches!(shape, Type::Record(record) if record.kind == RecordKind::Rust)
}

fn serialised(step: &Step, codec: Codec, flow: &Flow<'_>) -> Option<Diagnostic> {
    let name = &step.name;
    let (code, message, why, fix) = match (&flow.shape, unserialisable(&flow.shape, codec)) {
        (Type::Bytes, _) => (
            Code::NotSerialisable,
            format!("{} `bytes`, which serializer `{name}` has nothing to do with", flow.giver.label),
            "a serializer turns a value into bytes".into(),
            format!("remove `{name}`"),
        ),
        (shape, _) if codec == Codec::Protobuf && !is_rust(shape) => (
            Code::BadCodec,
            format!(
                "{} `{}`, which serializer `{name}` cannot write as protobuf",
                flow.giver.label,
                python_name(shape)
            ),
            NEEDS_RUST.into(),
            MESSAGE_OF_RUST.into(),
        ),
        (shape, Some(why)) => (
            Code::NotSerialisable,
            format!(
                "{} `{}`, which serializer `{name}` cannot write as {}",
                flow.giver.label,
                python_name(shape),
                codec.name()
            ),
            why,
            format!("add a `Map` before `{name}` that gives what {} can hold", codec.name()),
        ),
        (_, None) => return None,
    };
    Some(Diagnostic::new(code, message).at(step.place.clone()).because(why).fix(fix))
}

/// A limit in bytes on what has no size in bytes: it would never be reached, in silence.
fn counted(step: &Step, limits: &Limits, flow: &Flow<'_>) -> Option<Diagnostic> {
    if limits.bytes.is_none() || flow.shape == Type::Bytes {
        return None;
    }
    let name = &step.name;
    let fix = match flow.giver.function {
        Some((_, giver)) if flow.shape == Type::Any => format!("annotate `{}` `-> bytes`", giver.name),
        _ => format!("put `{name}` before the parser or after a serializer, or use `batch_size`"),
    };
    let message =
        format!("batch `{name}` is limited by `batch_bytes`, but {} `{}`", flow.giver.label, python_name(&flow.shape));
    Some(
        Diagnostic::new(Code::BadLimits, message)
            .at(step.place.clone())
            .because("only payloads of bytes have a size in bytes")
            .fix(fix),
    )
}

/// Can a parser of JSON make it?
fn decodable(shape: &Type) -> bool {
    shape != &Type::None && unserialisable(shape, Codec::Json).is_none()
}

/// Why a codec can't hold a value of the type, if so. Bytes alone are no JSON either, but where they are one of several types
/// the serializer passes them through.
fn unserialisable(shape: &Type, codec: Codec) -> Option<String> {
    match shape {
        Type::Bytes => Some(String::new()),
        Type::Union(members) => {
            members.iter().filter(|member| **member != Type::Bytes).find_map(|member| unserialisable(member, codec))
        }
        other => inside(other, "", codec),
    }
}

fn inside(shape: &Type, path: &str, codec: Codec) -> Option<String> {
    let at = |part: &str| {
        if path.is_empty() || part.starts_with('[') { format!("{path}{part}") } else { format!("{path}.{part}") }
    };
    match shape {
        Type::Bytes if codec == Codec::MsgPack => None,
        Type::Bytes => Some(format!("`{path}` is `bytes`")),
        Type::List(item) => inside(item, &at("[]"), codec),
        Type::Tuple(items) => items.iter().find_map(|item| inside(item, &at("[]"), codec)),
        Type::Union(members) => members.iter().find_map(|member| inside(member, path, codec)),
        Type::Dict(key, _) if agree(key, &Type::Str).is_err() => {
            let place = if path.is_empty() { "it".to_owned() } else { format!("`{path}`") };
            Some(format!("the keys of {place} are `{}`, not `str`", python_name(key)))
        }
        Type::Dict(_, value) => inside(value, &at("[]"), codec),
        Type::Record(record) => record.fields.iter().find_map(|field| inside(&field.shape, &at(&field.name), codec)),
        _ => None,
    }
}
