//! When a Rust step may read a message as it came, and not what a parser in the other language made of it.

use oxflow::shape::{RecordKind, Type};

use super::{Chain, Lowering, Open};
use crate::extension::{Function, PayloadType};
use crate::plan::{Codec, Language, Operation, Step, agree};
use crate::run::{ForeignStep, Form};

/// A parser whose run only looks at what it reads.
pub(super) struct LookedAt {
    pub(super) step: usize,
    pub(super) gives: Type,
    /// Whether nothing comes after it yet.
    pub(super) alone: bool,
    /// Whether it takes more than the function's type does.
    pub(super) loose: bool,
}

impl Lowering<'_> {
    /// The parser of the open run, if all that the run does is to read a dictionary from JSON and to ask filters about it, and the
    /// function's type says exactly what the dictionary's type says, or that one says nothing. Then the function can read the
    /// bytes as they came.
    pub(super) fn looked_at(&self, chain: &Chain, function: &Function) -> Option<LookedAt> {
        let Open::Foreign(spec, gives) = &chain.open else { return None };
        let (parser, filters) = spec.operations.split_first()?;
        let looks = spec.input == Form::Raw
            && parser.does == ForeignStep::Parse(Codec::Json)
            && filters.iter().all(|operation| operation.does == ForeignStep::Filter)
            && !spec.operations.iter().any(|operation| self.bindings.retried.contains(&operation.name))
            && (is_loose(gives) || says_exactly(gives, function.input()));
        looks.then(|| LookedAt {
            step: parser.step,
            gives: gives.clone(),
            alone: filters.is_empty(),
            loose: is_loose(gives),
        })
    }

    /// Whether what passes the next Rust filters goes to a function that takes what the parser gives: one in Python that takes
    /// this very type, or one in Rust that can read the bytes as they came.
    pub(super) fn goes_on_as_read(&self, rest: &[Step], parser: &LookedAt) -> bool {
        let Some(next) = rest.iter().find(|step| !is_rust_filter(step)) else { return false };
        let (Operation::Map(function) | Operation::FlatMap(function) | Operation::Filter(function)) = &next.operation
        else {
            return false;
        };
        match function.language {
            Language::Python => function.input == parser.gives,
            Language::Rust => self.bindings.functions.get(&next.name).is_some_and(|function| {
                !function.input().is_bytes() && (parser.loose || says_exactly(&parser.gives, function.input()))
            }),
        }
    }

    /// Whether a filter joins a native run. It must not change what passes it, so it may decode only what is decoded
    /// as its type anyhow: by the run before it, or by the Rust step after it.
    pub(super) fn selects_in_place(&self, chain: &Chain, function: &Function, rest: &[Step]) -> bool {
        let decoded = match &chain.open {
            Open::Native(spec, _) => Some(spec.output()),
            Open::Nothing | Open::Foreign(..) => self.native_consumer(rest),
        };
        decoded.is_some_and(|decoded| decoded.is_same(&function.input())) && function.table().select.is_some()
    }

    /// Whether the next function, or a Rust filter before it, may be called again: it begins a run then, and is not part of the
    /// parser's.
    pub(super) fn is_retried_next(&self, rest: &[Step]) -> bool {
        let before = rest.iter().take_while(|step| is_rust_filter(step)).count();
        rest.iter().take(before + 1).any(|step| self.bindings.retried.contains(&step.name))
    }

    /// The type that the next Rust function takes over as its own, if only Rust filters of the same type stand before it.
    pub(super) fn native_consumer(&self, rest: &[Step]) -> Option<PayloadType> {
        let is_rust = |step: &Step| step.function().is_some_and(|function| function.language == Language::Rust);
        let before = rest.iter().take_while(|step| is_rust_filter(step)).count();
        let (filters, rest) = rest.split_at_checked(before)?;
        let input = |step: &Step| self.bindings.functions.get(&step.name).map(Function::input);
        let calls = |step: &&Step| matches!(step.operation, Operation::Map(_) | Operation::FlatMap(_)) && is_rust(step);
        let consumed = rest.first().filter(calls).and_then(input)?;
        let same = |filter: &Step| input(filter).is_some_and(|input| input.is_same(&consumed));
        filters.iter().all(same).then_some(consumed)
    }
}

fn is_rust_filter(step: &Step) -> bool {
    matches!(&step.operation, Operation::Filter(function) if function.language == Language::Rust)
}

/// A Rust type that says exactly what a dictionary type says checks what it would check.
pub(super) fn says_exactly(parsed: &Type, taken: PayloadType) -> bool {
    let taken = taken.shape();
    matches!(parsed, Type::Record(record) if record.kind == RecordKind::TypedDict)
        && agree(parsed, &taken).is_ok()
        && agree(&taken, parsed).is_ok()
}

/// A type that says nothing of what is in an object. What it takes of the JSON that comes, the next function may still refuse.
pub(super) fn is_loose(parsed: &Type) -> bool {
    let any_object = |key: &Type, value: &Type| *key == Type::Str && *value == Type::Any;
    matches!(parsed, Type::Any) || matches!(parsed, Type::Dict(key, value) if any_object(key, value))
}
