//! YAML text to nodes with their lines.
//!
//! Limits keep a hostile file from eating the machine: its size, its depth, and how much an alias may multiply.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{AliasLimits, MergeKeyPolicy};
use serde_saphyr::{Options, Spanned, UserMessageFormatter};

use super::failure::{Failure, Problem};
use super::node::{Entry, Node, Origin, Value};

/// More than a megabyte is no configuration.
const MAX_BYTES: usize = 1 << 20;

/// Reads a whole file. An empty one is an empty map.
pub(crate) fn parse(text: &str) -> Result<Node, Failure> {
    if text.len() > MAX_BYTES {
        return Err(Failure::new(
            Problem::Unreadable(format!("it has {} bytes, more than {MAX_BYTES}", text.len())),
            None,
        ));
    }
    let spanned: Option<Spanned<Raw>> = serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
        let line = error.location().map(|location| at(&location));
        Failure::new(Problem::Unreadable(reason(&error)), line)
    })?;
    Ok(spanned.map_or_else(|| Node::new(Value::Map(Vec::new()), Origin::File(1, 1)), into_node))
}

/// Reads one scalar, as a value in the file would be read. What is no scalar is taken as text.
pub(super) fn scalar(text: &str) -> Value {
    match serde_saphyr::from_str_with_options(text, options()) {
        Ok(Raw(Value::List(_) | Value::Map(_))) | Err(_) => Value::Text(text.to_owned()),
        Ok(Raw(value)) => value,
    }
}

fn options() -> Options {
    let mut limits = AliasLimits::default();
    limits.max_total_replayed_events = 10_000;
    limits.max_replay_stack_depth = 8;
    serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: 32, max_nodes: 100_000 },
        alias_limits: limits,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        with_snippet: false,
    }
}

/// What the parser met, without the place, which is shown with the line itself.
fn reason(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().render_with_formatter(&UserMessageFormatter);
    text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason).to_owned()
}

fn at(location: &serde_saphyr::Location) -> Origin {
    let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    Origin::File(number(location.line()), number(location.column()))
}

fn into_node(spanned: Spanned<Raw>) -> Node {
    Node::new(spanned.value.0, at(&spanned.referenced))
}

/// A value as YAML types it.
struct Raw(Value);

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor).map(Self)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(u64::try_from(value).map_or(Value::Signed(value), Value::Unsigned))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Unsigned(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut nodes = Vec::new();
        while let Some(item) = items.next_element::<Spanned<Raw>>()? {
            nodes.push(into_node(item));
        }
        Ok(Value::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = map.next_entry::<Spanned<String>, Spanned<Raw>>()? {
            let origin = at(&key.referenced);
            entries.push(Entry { key: key.value, origin, node: into_node(value) });
        }
        Ok(Value::Map(entries))
    }
}
