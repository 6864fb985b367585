//! `enum` and `const`: enums of words, and values that no type of Rust singles out.

use super::{Lowering, Site};
use crate::error::SchemaError;
use crate::model::{Body, Type, Word};
use crate::names::{Taken, pascal};
use crate::node::Node;

impl Lowering {
    pub(super) fn words(&mut self, site: &Site<'_>) -> Result<Type, SchemaError> {
        let values = values(site.node);
        let (words, others): (Vec<&Node>, Vec<&Node>) =
            values.iter().copied().filter(|value| **value != Node::Null).partition(|value| value.text().is_some());
        let is_null = values.contains(&&Node::Null);
        let content = if others.is_empty() && words.is_empty() {
            Type::Unit
        } else if others.is_empty() {
            self.words_of(site, words.iter().filter_map(|word| word.text()).map(|text| (text, String::new())).collect())
        } else if words.is_empty() {
            kind_of(&others)
        } else {
            Type::Any
        };
        if values.is_empty() {
            return Err(self.impossible(site, "`enum` is empty"));
        }
        Ok(if is_null { content.or_null() } else { content })
    }

    /// The enum of these words, each with what is said about it.
    pub(super) fn words_of(&mut self, site: &Site<'_>, texts: Vec<(&str, String)>) -> Type {
        let id = self.begin(site.node, site.at);
        let mut taken = Taken::default();
        let mut words: Vec<Word> = Vec::with_capacity(texts.len());
        for (text, doc) in texts {
            if words.iter().all(|word| word.text != text) {
                let name = taken.take(&[variant(text)]);
                words.push(Word { name, text: text.to_owned(), doc });
            }
        }
        self.fill(id, Body::Words(words))
    }
}

/// The values that a schema lists.
pub(super) fn values(node: &Node) -> Vec<&Node> {
    match node.get("const") {
        Some(value) => vec![value],
        None => node.items_of("enum").iter().collect(),
    }
}

/// In words, the values that the type doesn't show.
pub(super) fn said(node: &Node) -> Option<String> {
    let values = values(node);
    let shown: Option<Vec<String>> = values
        .iter()
        .map(|value| match value {
            Node::Number(number) => Some(format!("`{number}`")),
            Node::Bool(value) => Some(format!("`{value}`")),
            _ => None,
        })
        .collect();
    let shown = shown.filter(|shown| !shown.is_empty())?;
    Some(if shown.len() == 1 { format!("Always {}.", shown.join("")) } else { format!("One of {}.", shown.join(", ")) })
}

fn kind_of(values: &[&Node]) -> Type {
    let is_integer = |value: &&Node| matches!(value, Node::Number(number) if number.is_i64());
    if values.iter().all(|value| matches!(value, Node::Bool(_))) {
        Type::Bool
    } else if values.iter().all(is_integer) {
        Type::Integer
    } else if values.iter().all(|value| matches!(value, Node::Number(_))) {
        Type::Number
    } else {
        Type::Any
    }
}

fn variant(text: &str) -> String {
    match pascal(text) {
        name if !name.is_empty() => name,
        _ if text.is_empty() => "Empty".to_owned(),
        _ => "Other".to_owned(),
    }
}
