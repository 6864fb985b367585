//! Arrays: lists of any length, and tuples.

use super::{Lowering, Site};
use crate::error::SchemaError;
use crate::model::{Body, Type};
use crate::node::Node;

/// The longest tuple that serde reads.
const LONGEST: usize = 16;
/// The longest that has no name of its own.
const SHORT: usize = 3;

impl Lowering {
    pub(super) fn list(&mut self, site: &Site<'_>) -> Result<Type, SchemaError> {
        let (keyword, places) = match site.node.get("items") {
            Some(Node::Array(places)) => ("items", places.as_slice()),
            _ => ("prefixItems", site.node.items_of("prefixItems")),
        };
        if places.is_empty() {
            return self.items(site);
        }
        if places.len() > LONGEST {
            let text =
                format!("a tuple of more than {LONGEST} items has no type of its own: it is a list of any values");
            self.note(&site.base, text);
            return Ok(Type::list(Type::Any));
        }
        self.tuple(keyword, places, site)
    }

    fn items(&mut self, site: &Site<'_>) -> Result<Type, SchemaError> {
        match site.node.get("items") {
            None | Some(Node::Bool(_)) => Ok(Type::list(Type::Any)),
            Some(item) => {
                let hint = format!("{}Item", self.holder(site.at));
                Ok(Type::list(self.schema(item, &site.base.below(&["items"]), &hint)?))
            }
        }
    }

    fn tuple(&mut self, keyword: &str, places: &[Node], site: &Site<'_>) -> Result<Type, SchemaError> {
        let mut parts = Vec::with_capacity(places.len());
        for (index, place) in places.iter().enumerate() {
            let hint = format!("{}{}", self.holder(site.at), ordinal(index));
            parts.push(self.schema(place, &site.base.below(&[keyword, &index.to_string()]), &hint)?);
        }
        let length = |keyword: &str| site.node.get(keyword) == Some(&Node::Number(places.len().into()));
        if !length("minItems") {
            self.note(
                &site.base,
                format!("a tuple has {} items here: lists that are shorter are refused", places.len()),
            );
        }
        let rest = if keyword == "prefixItems" { "items" } else { "additionalItems" };
        let is_closed = length("maxItems") || site.node.get(rest) == Some(&Node::Bool(false));
        if parts.len() <= SHORT && parts.iter().all(is_simple) {
            let tuple = Type::Tuple(parts);
            return Ok(if is_closed { tuple } else { Type::Open(Box::new(tuple)) });
        }
        if is_closed {
            let id = self.begin(site.node, site.at);
            return Ok(self.fill(id, Body::Tuple(parts)));
        }
        let name = format!("{}Items", self.holder(site.at));
        let id = self.draft(&[name], site.at.document);
        Ok(Type::Open(Box::new(self.fill(id, Body::Tuple(parts)))))
    }
}

fn is_simple(part: &Type) -> bool {
    match part {
        Type::Option(inner) => is_simple(inner),
        Type::Item(_) | Type::List(_) | Type::Map(_) | Type::Tuple(_) | Type::Open(_) => false,
        _ => true,
    }
}

fn ordinal(index: usize) -> String {
    let names = ["First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth"];
    names.get(index).map_or_else(|| format!("Item{}", index + 1), |&name| name.to_owned())
}
