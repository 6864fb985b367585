//! Objects: structs that keep what they don't name, and maps.

use super::{Lowering, Site, doc, is_meaningful};
use crate::error::SchemaError;
use crate::model::{Body, Field, Rest, Struct, Type};
use crate::names::{Taken, pascal, snake, written};
use crate::node::Node;

impl Lowering {
    pub(super) fn object(&mut self, site: &Site<'_>) -> Result<Type, SchemaError> {
        let properties = site.node.entries_of("properties");
        let required: Vec<&str> = site.node.items_of("required").iter().filter_map(Node::text).collect();
        if properties.is_empty() && required.is_empty() && !is_closed(site.node) {
            let values = self.values(site)?.unwrap_or(Type::Any);
            return Ok(Type::map(values));
        }
        let id = self.begin(site.node, site.at);
        let mut body = Struct::default();
        let mut taken = Taken::default();
        for (key, property) in properties {
            if *property == Node::Bool(false) {
                self.note(
                    &site.base.below(&["properties", key]),
                    format!("a field `{key}` is taken, though it is not valid"),
                );
                continue;
            }
            let hint = format!("{}{}", self.item_name(id), pascal(key));
            let content = self.schema(property, &site.base.below(&["properties", key]), &hint)?;
            let name = written(&taken.take(&[snake(key)]));
            let is_required = required.contains(&key.as_str());
            body.fields.push(Field { name, key: key.clone(), doc: doc(property), content, required: is_required });
        }
        for key in required.iter().filter(|key| properties.iter().all(|(name, _)| name != *key)) {
            let name = written(&taken.take(&[snake(key)]));
            let (key, doc) = ((*key).to_owned(), String::new());
            body.fields.push(Field { name, key, doc, content: Type::Any, required: true });
        }
        if let Some(values) = self.values(site)? {
            body.rest = Rest::Kept(taken.take(&["rest".to_owned(), "other_fields".to_owned()]), values);
        }
        Ok(self.fill(id, Body::Struct(body)))
    }

    /// The type of the fields that have no name in the schema; none if there may be no such fields.
    fn values(&mut self, site: &Site<'_>) -> Result<Option<Type>, SchemaError> {
        let patterns = site.node.entries_of("patternProperties");
        let holder = self.holder(site.at);
        let mut values = Vec::new();
        for (pattern, schema) in patterns {
            let hint = format!("{holder}Value");
            values.push(self.schema(schema, &site.base.below(&["patternProperties", pattern]), &hint)?);
        }
        match site.node.get("additionalProperties") {
            Some(Node::Bool(false)) => {}
            Some(schema) if is_meaningful(schema) => {
                let hint = format!("{holder}Value");
                values.push(self.schema(schema, &site.base.below(&["additionalProperties"]), &hint)?);
            }
            _ => values.push(Type::Any),
        }
        values.dedup();
        Ok(match values.len() {
            0 | 1 => values.pop(),
            // Which of them a field has is told by its name, so no type holds the one or the other.
            _ => Some(Type::Any),
        })
    }
}

fn is_closed(node: &Node) -> bool {
    node.get("additionalProperties") == Some(&Node::Bool(false)) && node.entries_of("patternProperties").is_empty()
}
