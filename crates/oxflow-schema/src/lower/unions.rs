//! `oneOf`, `anyOf` and lists of types: enums whose variants are tried one after the other.
//!
//! A variant that takes a value gives the same value back, since structs keep what they don't name; so the first that takes it
//! is as good as any. The order puts the narrow ones first.

use super::{Lowering, Site, doc, is_meaningful, words};
use crate::error::SchemaError;
use crate::model::{Body, ItemId, Type, Variant};
use crate::names::{Taken, pascal};
use crate::node::Node;

impl Lowering {
    /// A schema with `oneOf` or `anyOf`.
    pub(super) fn choice(&mut self, keyword: &'static str, site: &Site<'_>) -> Result<Type, SchemaError> {
        let branches = site.node.items_of(keyword);
        if branches.is_empty() {
            return Err(self.impossible(site, &format!("`{keyword}` is empty")));
        }
        if let Some(texts) = texts_of(branches) {
            return Ok(self.words_of(site, texts));
        }
        let own = site.node.without(&[keyword]);
        if !is_meaningful(&own.without(&["type"])) {
            return self.branches(keyword, branches, site);
        }
        if branches.iter().all(|branch| !is_meaningful(&branch.without(&["required", "type"]))) {
            self.note(&site.base.below(&[keyword]), "no type says which fields there must be together".to_owned());
            return self.content(&Site { node: &own, at: site.at, base: site.base.clone() });
        }
        let own = own.without(&["title", "description"]);
        let merged = branches.iter().map(|branch| self.merged(&[branch.clone(), own.clone()], site));
        let merged = merged.collect::<Result<Vec<_>, _>>()?;
        self.branches(keyword, &merged, site)
    }

    fn branches(&mut self, keyword: &str, branches: &[Node], site: &Site<'_>) -> Result<Type, SchemaError> {
        let mut members = Vec::with_capacity(branches.len());
        for (index, branch) in branches.iter().enumerate() {
            let telling = telling(branch);
            let variant = telling.clone().unwrap_or_else(|| format!("Variant{}", index + 1));
            let hint = format!("{}{variant}", self.holder(site.at));
            let hint = if branches.len() == 1 { self.holder(site.at) } else { hint };
            members.push((self.schema(branch, &site.base.below(&[keyword, &index.to_string()]), &hint)?, telling));
        }
        Ok(self.union(members, site))
    }

    /// A schema with several types.
    pub(super) fn kinds(&mut self, kinds: &[&str], site: &Site<'_>) -> Result<Type, SchemaError> {
        let mut members = Vec::with_capacity(kinds.len());
        for kind in kinds {
            let hint = format!("{}{}", self.holder(site.at), pascal(kind));
            let mut entries = site.node.without(&["type", "title", "description"]);
            if let Node::Object(entries) = &mut entries {
                entries.push(("type".to_owned(), Node::Text((*kind).to_owned())));
            }
            members.push((self.schema(&entries, &site.base.below(&["type", kind]), &hint)?, None));
        }
        Ok(self.union(members, site))
    }

    /// The type that is one of these; each may have a name that tells it from the others.
    fn union(&mut self, members: Vec<(Type, Option<String>)>, site: &Site<'_>) -> Type {
        let itself = self.open.get(site.at).and_then(|open| open.item);
        let mut is_null = false;
        let mut distinct: Vec<Type> = Vec::with_capacity(members.len());
        let mut names = Vec::with_capacity(members.len());
        for (member, name) in members {
            let (member, with_null) = member.split_null();
            is_null |= with_null || member == Type::Unit;
            let is_itself = matches!(member, Type::Item(id) if itself == Some(id));
            if !distinct.contains(&member) && member != Type::Unit && !is_itself {
                distinct.push(member);
                names.push(name);
            }
        }
        let holds = |types: &[Type]| types.iter().all(|found| distinct.contains(found));
        let everything = [Type::Text, Type::Number, Type::Bool, Type::list(Type::Any), Type::map(Type::Any)];
        let content = match distinct.as_slice() {
            _ if distinct.contains(&Type::Any) || holds(&everything) => return Type::Any,
            [] => return Type::Unit,
            [only] => only.clone(),
            _ => self.enumerated(distinct.into_iter().zip(names).collect(), site),
        };
        if is_null { content.or_null() } else { content }
    }

    fn enumerated(&mut self, mut members: Vec<(Type, Option<String>)>, site: &Site<'_>) -> Type {
        let id = self.begin(site.node, site.at);
        members.sort_by_key(|(content, _)| self.rank(content));
        let mut taken = Taken::default();
        let variants = members
            .into_iter()
            .map(|(content, name)| {
                let kind = self.kind_name(&content);
                let unnamed = kind.is_none().then(|| "Tuple".to_owned());
                let names: Vec<String> = [kind, name, unnamed].into_iter().flatten().collect();
                Variant { name: taken.take(&names), content }
            })
            .collect();
        self.fill(id, Body::Union(variants))
    }

    /// What a variant is called by the type that it holds.
    fn kind_name(&self, content: &Type) -> Option<String> {
        let name = match content {
            Type::Unit => "Null",
            Type::Bool => "Boolean",
            Type::Integer | Type::Natural => "Integer",
            Type::Number => "Number",
            Type::Text => "String",
            Type::Any => "Any",
            Type::List(_) => "List",
            Type::Map(_) => "Map",
            Type::Tuple(_) => "Tuple",
            Type::Open(_) => return None,
            Type::Option(inner) => return self.kind_name(inner),
            Type::Item(id) => self.item_name(*id),
        };
        Some(name.to_owned())
    }

    /// What is tried first: integers before the numbers that would take them, arrays before the structs that serde reads from
    /// arrays, too, and words before any text.
    fn rank(&self, content: &Type) -> u32 {
        match content {
            Type::Unit | Type::Bool => 0,
            Type::Natural => 1,
            Type::Integer => 2,
            Type::Number => 3,
            Type::Tuple(_) => 10_000,
            Type::Open(_) => 11_000,
            Type::List(item) => 20_000 + self.rank(item).min(9_999),
            Type::Option(inner) => self.rank(inner),
            Type::Item(ItemId(index)) => match self.items.get(*index).map(|draft| &draft.body) {
                Some(Some(Body::Wrapper(inner) | Body::Alias(inner))) => self.rank(inner),
                Some(Some(Body::Tuple(_))) => 10_000,
                Some(Some(Body::Words(_))) => 70_000,
                Some(Some(Body::Union(variants))) => {
                    variants.iter().map(|variant| self.rank(&variant.content)).min().unwrap_or(40_000)
                }
                _ => 40_000,
            },
            Type::Map(value) => 50_000 + self.rank(value).min(9_999),
            Type::Text => 80_000,
            Type::Any => 90_000,
        }
    }
}

/// The words that each of the branches is, with what they say about themselves.
fn texts_of(branches: &[Node]) -> Option<Vec<(&str, String)>> {
    let mut texts = Vec::new();
    for branch in branches {
        let values = words::values(branch);
        if values.is_empty() {
            return None;
        }
        for value in values {
            texts.push((value.text()?, doc(branch)));
        }
    }
    Some(texts)
}

/// What tells a branch from the others: its title, a constant in it, or the name of what it refers to.
fn telling(branch: &Node) -> Option<String> {
    let constant = branch.entries_of("properties").iter().find_map(|(_, property)| property.text_of("const"));
    let target = branch.text_of("$ref").and_then(|target| target.rsplit('/').next());
    branch.text_of("title").or(constant).or(target).map(pascal).filter(|name| !name.is_empty())
}
