//! `allOf`, and what stands beside a `$ref`: several schemas that hold at once, as one schema.

use super::{Lowering, Site};
use crate::documents::Spot;
use crate::error::{Problem, SchemaError};
use crate::node::{Node, Object, set};

/// So many schemas one in the other are an endless one.
const DEEPEST: usize = 64;

impl Lowering {
    /// One schema that says what all of these say.
    pub(super) fn merged(&mut self, parts: &[Node], site: &Site<'_>) -> Result<Node, SchemaError> {
        let mut merged = Object::new();
        for part in parts {
            self.merge(&mut merged, part, &site.base.clone(), site, 0)?;
        }
        Ok(Node::Object(merged))
    }

    fn merge(
        &mut self,
        into: &mut Object,
        part: &Node,
        from: &Spot,
        site: &Site<'_>,
        depth: usize,
    ) -> Result<(), SchemaError> {
        if depth > DEEPEST {
            return Err(self.documents.error(&site.base, Problem::EndlessReference));
        }
        if *part == Node::Bool(false) {
            return Err(self.impossible(site, "one of its parts is `false`"));
        }
        let own = self.documents.movable(&part.without(&["$ref", "allOf", "definitions", "$defs"]), from)?;
        for (key, value) in own.entries() {
            self.merge_keyword(into, key, value, site)?;
        }
        if let Some(reference) = part.text_of("$ref") {
            let target = self.documents.resolve(reference, from)?;
            let node = self.documents.node(&target).cloned().unwrap_or(Node::Bool(true));
            self.merge(into, &node, &target, site, depth + 1)?;
        }
        for branch in part.items_of("allOf") {
            self.merge(into, branch, from, site, depth + 1)?;
        }
        Ok(())
    }

    fn merge_keyword(&self, into: &mut Object, key: &str, value: &Node, site: &Site<'_>) -> Result<(), SchemaError> {
        let Some((_, old)) = into.iter().find(|(name, _)| name == key) else {
            into.push((key.to_owned(), value.clone()));
            return Ok(());
        };
        if old == value {
            return Ok(());
        }
        let both = match key {
            "properties" | "patternProperties" => both_maps(old, value),
            "required" => union(old, value),
            "type" => {
                let kinds = common_kinds(old, value);
                if kinds.is_empty() {
                    return Err(self.impossible(site, "its parts have different types"));
                }
                Node::Array(kinds)
            }
            "enum" => Node::Array(old.items().iter().filter(|word| value.items().contains(word)).cloned().collect()),
            "const" => return Err(self.impossible(site, "its parts have different constants")),
            "additionalProperties" | "items" | "additionalItems" => both_schemas(old, value),
            "oneOf" => {
                return Err(self.documents.error(&site.base, Problem::Unsupported { keyword: "oneOf within allOf" }));
            }
            "anyOf" => {
                return Err(self.documents.error(&site.base, Problem::Unsupported { keyword: "anyOf within allOf" }));
            }
            // Words are those of the outermost; bounds make no difference but for the sign of integers.
            _ => old.clone(),
        };
        set(into, key, both);
        Ok(())
    }
}

fn both_schemas(old: &Node, new: &Node) -> Node {
    match (old, new) {
        (Node::Bool(true), other) | (other, Node::Bool(true)) => other.clone(),
        (Node::Bool(false), _) | (_, Node::Bool(false)) => Node::Bool(false),
        _ => Node::Object(vec![("allOf".to_owned(), Node::Array(vec![old.clone(), new.clone()]))]),
    }
}

fn both_maps(old: &Node, new: &Node) -> Node {
    let mut entries = old.entries().to_vec();
    for (key, value) in new.entries() {
        let both = match old.get(key) {
            Some(known) if known != value => both_schemas(known, value),
            _ => value.clone(),
        };
        set(&mut entries, key, both);
    }
    Node::Object(entries)
}

fn union(old: &Node, new: &Node) -> Node {
    let mut items = old.items().to_vec();
    items.extend(new.items().iter().filter(|item| !old.items().contains(item)).cloned());
    Node::Array(items)
}

/// The types that both allow; an integer is a number.
fn common_kinds(old: &Node, new: &Node) -> Vec<Node> {
    let list = |node: &Node| match node {
        Node::Array(kinds) => kinds.clone(),
        other => vec![other.clone()],
    };
    let (old, new) = (list(old), list(new));
    let has = |kinds: &[Node], kind: &Node| {
        kinds.contains(kind) || (kind.text() == Some("integer") && kinds.contains(&Node::Text("number".to_owned())))
    };
    let mut common: Vec<Node> = old.iter().filter(|kind| has(&new, kind)).cloned().collect();
    common.extend(new.iter().filter(|kind| has(&old, kind) && !old.contains(kind)).cloned());
    common
}
