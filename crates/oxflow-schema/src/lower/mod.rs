//! Schemas become types.
//!
//! Each part of a schema has a [`Spot`], and a spot becomes one type, however often it is referred to. What needs a name gets it
//! from its definition, its title, or from what holds it.

mod lists;
mod merge;
mod objects;
mod unions;
mod words;

use crate::documents::{Documents, Spot};
use crate::error::{Note, Problem, SchemaError};
use crate::model::{Body, Item, ItemId, Type};
use crate::names::{Taken, pascal};
use crate::node::Node;
use std::collections::BTreeMap;
use std::slice;

/// Keywords that say what a value is; the others describe it, or forbid some values.
const MEANINGFUL: [&str; 14] = [
    "$ref",
    "type",
    "properties",
    "patternProperties",
    "additionalProperties",
    "required",
    "items",
    "prefixItems",
    "additionalItems",
    "enum",
    "const",
    "allOf",
    "anyOf",
    "oneOf",
];
/// Keywords that can't become a type, and without which the types only take more.
const UNCHECKED: [&str; 11] = [
    "not",
    "if",
    "then",
    "else",
    "dependencies",
    "dependentSchemas",
    "dependentRequired",
    "contains",
    "propertyNames",
    "unevaluatedProperties",
    "unevaluatedItems",
];
/// Keywords that would lead somewhere.
const UNSUPPORTED: [&str; 2] = ["$dynamicRef", "$recursiveRef"];

pub(crate) struct Lowering {
    pub(crate) documents: Documents,
    pub(crate) notes: Vec<Note>,
    items: Vec<Draft>,
    done: BTreeMap<Spot, Type>,
    open: BTreeMap<Spot, Open>,
    claimed: BTreeMap<Spot, String>,
    taken: BTreeMap<usize, Taken>,
    /// Whether each document is a module, with names of its own.
    modules: bool,
}

/// A named type whose inside may not be known yet.
struct Draft {
    name: String,
    document: usize,
    doc: String,
    body: Option<Body>,
}

/// A spot whose type is being made.
struct Open {
    hint: String,
    item: Option<ItemId>,
}

/// A schema, and where it is: `base` is where its parts are counted from, which differs for one that was merged.
struct Site<'a> {
    node: &'a Node,
    at: &'a Spot,
    base: Spot,
}

impl<'a> Site<'a> {
    fn new(node: &'a Node, at: &'a Spot) -> Self {
        Self { node, at, base: at.clone() }
    }
}

impl Lowering {
    pub(crate) fn new(documents: Documents, modules: bool) -> Self {
        let mut lowering = Self {
            documents,
            notes: Vec::new(),
            items: Vec::new(),
            done: BTreeMap::new(),
            open: BTreeMap::new(),
            claimed: BTreeMap::new(),
            taken: BTreeMap::new(),
            modules,
        };
        lowering.claim_names();
        lowering
    }

    /// Definitions have their names before anything that is named after its title or holder.
    fn claim_names(&mut self) {
        let mut wanted = Vec::new();
        for (index, document) in self.documents.all.iter().enumerate() {
            let root = Spot::root(index);
            for group in ["definitions", "$defs"] {
                let keys = document.root.entries_of(group).iter().map(|(key, _)| key.clone());
                wanted.extend(keys.map(|key| (root.below(&[group, &key]), vec![pascal(&key)])));
            }
            if document.root.get("$ref").is_none() {
                wanted.push((root, self.root_names(index)));
            }
        }
        for (spot, names) in wanted {
            let name = self.taken_in(spot.document).take(&names);
            self.claimed.insert(spot, name);
        }
    }

    /// What the type of a whole document may be called: its title, or the name of the file.
    fn root_names(&self, document: usize) -> Vec<String> {
        let Some(document) = self.documents.all.get(document) else { return Vec::new() };
        let stem = document.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let title = document.root.text_of("title").filter(|title| title.len() <= 60).map(pascal);
        let mut names: Vec<String> = title.into_iter().chain([pascal(&crate::stem(&stem))]).collect();
        names.retain(|name| !name.is_empty());
        names.push(format!("{}Message", names.first().map_or("", String::as_str)));
        names
    }

    fn taken_in(&mut self, document: usize) -> &mut Taken {
        self.taken.entry(if self.modules { document } else { 0 }).or_insert_with(Taken::types)
    }

    /// The type of a whole document, which is a named one; none if it is nothing but definitions.
    pub(crate) fn root(&mut self, document: usize) -> Result<Option<ItemId>, SchemaError> {
        let at = Spot::root(document);
        let Some(node) = self.documents.node(&at).cloned() else { return Ok(None) };
        if !is_meaningful(&node) && self.definitions(&node, &at)? {
            return Ok(None);
        }
        let content = self.spot(&at)?;
        let names = self.root_names(document);
        if let Type::Item(id) = content
            && self.items.get(id.0).is_some_and(|draft| {
                self.claimed.get(&at) == Some(&draft.name)
                    || (self.is_beside(draft, document) && names.contains(&draft.name))
            })
        {
            return Ok(Some(id));
        }
        let name = self.claimed.get(&at).cloned().unwrap_or_else(|| self.taken_in(document).take(&names));
        let body = if matches!(content, Type::Item(_)) { Body::Alias(content) } else { Body::Wrapper(content) };
        self.items.push(Draft { name, document, doc: doc(&node), body: Some(body) });
        Ok(Some(ItemId(self.items.len() - 1)))
    }

    /// Whether a named type is in the module of a document.
    fn is_beside(&self, draft: &Draft, document: usize) -> bool {
        !self.modules || draft.document == document
    }

    /// The types of a document that is nothing but definitions; whether there are any.
    fn definitions(&mut self, node: &Node, at: &Spot) -> Result<bool, SchemaError> {
        let mut any = false;
        for group in ["definitions", "$defs"] {
            for (key, _) in node.entries_of(group) {
                self.spot(&at.below(&[group, key]))?;
                any = true;
            }
        }
        Ok(any)
    }

    pub(crate) fn finish(self) -> (Vec<Item>, Documents, Vec<Note>) {
        let made = |draft: Draft| {
            let body = draft.body.unwrap_or(Body::Wrapper(Type::Any));
            Item { name: draft.name, document: draft.document, doc: draft.doc, body }
        };
        (self.items.into_iter().map(made).collect(), self.documents, self.notes)
    }

    /// The type of a part of a document that something refers to.
    fn spot(&mut self, at: &Spot) -> Result<Type, SchemaError> {
        let Some(node) = self.documents.node(at).cloned() else {
            return Err(self.documents.error(at, Problem::MissingTarget { target: at.pointer.clone() }));
        };
        let hint = match at.pointer.rsplit('/').next() {
            Some(key) if !at.pointer.is_empty() => pascal(key),
            _ => self.root_names(at.document).into_iter().next().unwrap_or_default(),
        };
        self.schema(&node, at, &hint)
    }

    /// The type of a schema; `hint` names it if nothing else does.
    fn schema(&mut self, node: &Node, at: &Spot, hint: &str) -> Result<Type, SchemaError> {
        if let Some(done) = self.done.get(at) {
            return Ok(done.clone());
        }
        if self.open.contains_key(at) {
            let item = Type::Item(self.begin(node, at));
            return Ok(if takes_null(node) { item.or_null() } else { item });
        }
        self.open.insert(at.clone(), Open { hint: hint.to_owned(), item: None });
        let content = self.content(&Site::new(node, at));
        let item = self.open.remove(at).and_then(|open| open.item);
        let content = self.named(content?, item, at)?;
        self.done.insert(at.clone(), content.clone());
        Ok(content)
    }

    /// Puts a type into the name that a recursion had to give it.
    fn named(&mut self, content: Type, item: Option<ItemId>, at: &Spot) -> Result<Type, SchemaError> {
        let Some((id, draft)) = item.and_then(|id| self.items.get_mut(id.0).map(|draft| (id, draft))) else {
            return Ok(content);
        };
        if draft.body.is_some() {
            return Ok(content);
        }
        let (inner, is_null) = content.split_null();
        if inner == Type::Item(id) {
            return Err(self.documents.error(at, Problem::EndlessReference));
        }
        draft.body = Some(Body::Wrapper(inner));
        let item = Type::Item(id);
        Ok(if is_null { item.or_null() } else { item })
    }

    /// The named type of a spot, made if there is none yet.
    fn begin(&mut self, node: &Node, at: &Spot) -> ItemId {
        let open = self.open.get(at);
        if let Some(id) = open.and_then(|open| open.item) {
            return id;
        }
        let hint = open.map(|open| open.hint.clone()).unwrap_or_default();
        let name = self.name(node, at, hint);
        let id = ItemId(self.items.len());
        self.items.push(Draft { name, document: at.document, doc: doc(node), body: None });
        if let Some(open) = self.open.get_mut(at) {
            open.item = Some(id);
        }
        id
    }

    /// A named type that no schema of its own stands for.
    fn draft(&mut self, names: &[String], document: usize) -> ItemId {
        let name = self.taken_in(document).take(names);
        self.items.push(Draft { name, document, doc: String::new(), body: None });
        ItemId(self.items.len() - 1)
    }

    fn name(&mut self, node: &Node, at: &Spot, hint: String) -> String {
        if let Some(name) = self.claimed.get(at) {
            return name.clone();
        }
        let is_definition = at.pointer.rsplit('/').nth(1).is_some_and(|group| matches!(group, "definitions" | "$defs"));
        let title = node.text_of("title").filter(|title| title.len() <= 60).map(pascal);
        let mut candidates: Vec<String> = title.into_iter().chain([hint]).collect();
        if is_definition {
            candidates.reverse();
        }
        self.taken_in(at.document).take(&candidates)
    }

    fn fill(&mut self, id: ItemId, body: Body) -> Type {
        if let Some(draft) = self.items.get_mut(id.0) {
            draft.body = Some(body);
        }
        Type::Item(id)
    }

    fn item_name(&self, id: ItemId) -> &str {
        self.items.get(id.0).map_or("", |draft| &draft.name)
    }

    /// What the types in a spot are named after.
    fn holder(&self, at: &Spot) -> String {
        match self.open.get(at) {
            Some(Open { item: Some(id), .. }) => self.item_name(*id).to_owned(),
            Some(open) => self.claimed.get(at).unwrap_or(&open.hint).clone(),
            None => String::new(),
        }
    }

    fn content(&mut self, site: &Site<'_>) -> Result<Type, SchemaError> {
        match site.node {
            Node::Bool(true) => return Ok(Type::Any),
            Node::Bool(false) => return Err(self.impossible(site, "the schema is `false`")),
            Node::Object(_) => {}
            Node::Null => return Err(self.no_schema(site, "null")),
            Node::Number(_) => return Err(self.no_schema(site, "a number")),
            Node::Text(_) => return Err(self.no_schema(site, "a text")),
            Node::Array(_) => return Err(self.no_schema(site, "an array")),
        }
        self.look_at_keywords(site)?;
        if let Some(reference) = site.node.text_of("$ref") {
            return self.reference(reference, site);
        }
        if site.node.get("allOf").is_some() {
            return self.all_of(site);
        }
        if let Some(keyword) = ["oneOf", "anyOf"].into_iter().find(|keyword| site.node.get(keyword).is_some()) {
            return self.choice(keyword, site);
        }
        if site.node.get("const").is_some() || site.node.get("enum").is_some() {
            return self.words(site);
        }
        self.typed(site)
    }

    fn look_at_keywords(&mut self, site: &Site<'_>) -> Result<(), SchemaError> {
        for keyword in UNSUPPORTED {
            if site.node.get(keyword).is_some() {
                return Err(self.documents.error(&site.base, Problem::Unsupported { keyword }));
            }
        }
        for keyword in UNCHECKED {
            if site.node.get(keyword).is_some() {
                self.note(
                    &site.base.below(&[keyword]),
                    format!("no type says `{keyword}`: values that it excludes are taken"),
                );
            }
        }
        Ok(())
    }

    fn reference(&mut self, reference: &str, site: &Site<'_>) -> Result<Type, SchemaError> {
        let target = self.documents.resolve(reference, &site.base)?;
        let more = site.node.without(&["$ref", "type"]);
        if !is_meaningful(&more) {
            return self.spot(&target);
        }
        let merged = self.merged(slice::from_ref(site.node), site)?;
        self.content(&Site { node: &merged, at: site.at, base: site.base.below(&["$ref"]) })
    }

    fn all_of(&mut self, site: &Site<'_>) -> Result<Type, SchemaError> {
        let branches = site.node.items_of("allOf");
        let own = site.node.without(&["allOf"]);
        if let ([only], false) = (branches, is_meaningful(&own)) {
            let hint = self.holder(site.at);
            return self.schema(only, &site.base.below(&["allOf", "0"]), &hint);
        }
        let merged = self.merged(slice::from_ref(site.node), site)?;
        self.content(&Site { node: &merged, at: site.at, base: site.base.below(&["allOf"]) })
    }

    /// By `type`, or by what else is there.
    fn typed(&mut self, site: &Site<'_>) -> Result<Type, SchemaError> {
        let kinds: Vec<&str> = match site.node.get("type") {
            Some(Node::Text(kind)) => vec![kind],
            Some(Node::Array(kinds)) => kinds.iter().filter_map(Node::text).collect(),
            _ => implied(site.node).into_iter().collect(),
        };
        let is_null = kinds.contains(&"null");
        let others: Vec<&str> = kinds.iter().copied().filter(|kind| *kind != "null").collect();
        let content = match others.as_slice() {
            [] if is_null => return Ok(Type::Unit),
            [] => return Ok(Type::Any),
            [only] => self.kind(only, site)?,
            several => self.kinds(several, site)?,
        };
        Ok(if is_null { content.or_null() } else { content })
    }

    fn kind(&mut self, kind: &str, site: &Site<'_>) -> Result<Type, SchemaError> {
        Ok(match kind {
            "boolean" => Type::Bool,
            "integer" if is_natural(site.node) => Type::Natural,
            "integer" => Type::Integer,
            "number" => Type::Number,
            "string" => Type::Text,
            "array" => self.list(site)?,
            "object" => self.object(site)?,
            _ => return Err(self.impossible(site, &format!("there is no type `{kind}`"))),
        })
    }

    fn note(&mut self, at: &Spot, text: String) {
        let note = Note { place: self.documents.place(at), text };
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    fn impossible(&self, site: &Site<'_>, why: &str) -> SchemaError {
        self.documents.error(&site.base, Problem::Impossible { why: why.to_owned() })
    }

    fn no_schema(&self, site: &Site<'_>, found: &'static str) -> SchemaError {
        self.documents.error(&site.base, Problem::NotASchema { found })
    }
}

fn is_meaningful(node: &Node) -> bool {
    MEANINGFUL.iter().any(|keyword| node.get(keyword).is_some())
}

/// The type that the keywords of a schema without `type` are for.
fn implied(node: &Node) -> Option<&'static str> {
    let has = |keywords: &[&str]| keywords.iter().any(|keyword| node.get(keyword).is_some());
    if has(&["properties", "additionalProperties", "patternProperties", "required"]) {
        return Some("object");
    }
    has(&["items", "prefixItems"]).then_some("array")
}

fn is_natural(node: &Node) -> bool {
    ["minimum", "exclusiveMinimum"].iter().any(|keyword| node.number_of(keyword).is_some_and(|least| least >= 0.0))
}

/// Whether a schema says of itself that null is valid.
fn takes_null(node: &Node) -> bool {
    let is_null = |kind: &Node| kind.text() == Some("null");
    node.get("type").is_some_and(|kind| is_null(kind) || kind.items().iter().any(is_null))
        || node.items_of("enum").contains(&Node::Null)
        || ["oneOf", "anyOf"].iter().any(|keyword| node.items_of(keyword).iter().any(takes_null))
}

/// What a schema says about itself in words.
fn doc(node: &Node) -> String {
    let title = node.text_of("title").filter(|title| title.trim().contains(' '));
    let words = title.into_iter().chain(node.text_of("description"));
    let mut lines: Vec<String> = words.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect();
    lines.dedup();
    lines.extend(words::said(node));
    lines.join("\n\n")
}
