//! Types as text, in the form that `rustfmt` leaves alone.

mod words;

use crate::documents::Documents;
use crate::model::{Body, Field, Item, ItemId, Rest, Struct, Type, Variant, Word, endless, ordered, within_unions};
use std::collections::BTreeSet;
use std::path::Path;
use words::{attribute, doc_comment, literal};

/// The longest line that `rustfmt` makes.
const WIDTH: usize = 100;
/// The longest list of a tuple struct's fields that it leaves on one line.
const TUPLE_WIDTH: usize = 60;

const ORDINARY: &str = "Clone, Debug, PartialEq, Serialize, Deserialize, Payload";
const DEFAULTED: &str = "Clone, Debug, Default, PartialEq, Serialize, Deserialize, Payload";
const WORDS: &str = "Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Payload";

/// All types, in one list or in a module for each document.
pub(crate) fn text(items: &[Item], documents: &Documents, modules: bool, messages: &[Option<ItemId>]) -> String {
    let order = ordered(items, messages);
    let strict = within_unions(items);
    if !modules {
        return Printer { items, documents, order: &order, strict: &strict, module: None }.items();
    }
    let homes: BTreeSet<usize> = items.iter().map(|item| item.document).collect();
    let printed = homes.into_iter().map(|home| {
        let message = messages.iter().flatten().filter_map(|id| items.get(id.0)).find(|item| item.document == home);
        Printer { items, documents, order: &order, strict: &strict, module: Some(home) }.module(home, message)
    });
    printed.collect::<Vec<_>>().join("\n")
}

/// How a type is named from outside of the text.
pub(crate) fn path(items: &[Item], documents: &Documents, modules: bool, id: ItemId) -> String {
    let Some(item) = items.get(id.0) else { return String::new() };
    match documents.all.get(item.document) {
        Some(document) if modules => format!("{}::{}", module_name(&document.path), item.name),
        _ => item.name.clone(),
    }
}

/// The module of a file.
pub(crate) fn module_name(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    crate::names::written(&crate::names::snake(&crate::stem(&name)))
}

struct Printer<'a> {
    items: &'a [Item],
    documents: &'a Documents,
    order: &'a [ItemId],
    /// Those that take no null for what is absent.
    strict: &'a BTreeSet<ItemId>,
    /// The document whose module this is, if each has one.
    module: Option<usize>,
}

impl Printer<'_> {
    fn module(&self, document: usize, message: Option<&Item>) -> String {
        let Some(document) = self.documents.all.get(document) else { return String::new() };
        let file = document.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut text = format!("pub mod {} {{\n    //! Types of `{file}`.\n", module_name(&document.path));
        if let Some(message) = message {
            text.push_str("    //!\n    //! A message is a [`");
            text.push_str(&message.name);
            text.push_str("`].\n");
        }
        text.push('\n');
        for line in self.items().lines() {
            if !line.is_empty() {
                text.push_str("    ");
                text.push_str(line);
            }
            text.push('\n');
        }
        text.push_str("}\n");
        text
    }

    fn items(&self) -> String {
        let mut text = self.imports();
        for id in self.order {
            if let Some(item) = self.items.get(id.0).filter(|item| self.is_here(item)) {
                text.push('\n');
                text.push_str(&self.item(*id, item));
            }
        }
        text
    }

    fn is_here(&self, item: &Item) -> bool {
        self.module.is_none_or(|module| module == item.document)
    }

    fn width(&self) -> usize {
        if self.module.is_some() { WIDTH - 4 } else { WIDTH }
    }

    /// Only what is used, so that nobody is warned.
    fn imports(&self) -> String {
        let here: Vec<&Item> = self.items.iter().filter(|item| self.is_here(item)).collect();
        let any =
            |find: fn(&Type) -> bool| here.iter().flat_map(|item| item.body.types()).any(|found| contains(found, find));
        let keeps = here.iter().any(|item| matches!(&item.body, Body::Struct(Struct { rest: Rest::Kept(..), .. })));
        let optional = |item: &&Item| match &item.body {
            Body::Struct(body) => body.fields.iter().any(|field| self.is_nullable(field)),
            _ => false,
        };
        let mut lines = Vec::new();
        if here.iter().any(|item| !matches!(item.body, Body::Alias(_))) {
            let nullable = here.iter().any(optional).then_some("Nullable");
            let open = any(|found| matches!(found, Type::Open(_))).then_some("OpenTuple");
            let names: Vec<&str> = [nullable, open, Some("Payload")].into_iter().flatten().collect();
            lines.push(match names.as_slice() {
                [only] => format!("use oxflow::{only};"),
                several => format!("use oxflow::{{{}}};", several.join(", ")),
            });
            lines.push("use serde::{Deserialize, Serialize};".to_owned());
        }
        if any(|found| *found == Type::Any) {
            lines.push("use serde_json::Value;".to_owned());
        }
        if keeps || any(|found| matches!(found, Type::Map(_))) {
            lines.push("use std::collections::BTreeMap;".to_owned());
        }
        lines.push(String::new());
        lines.join("\n")
    }

    /// Whether a field may be absent and may be null.
    fn is_nullable(&self, field: &Field) -> bool {
        !field.required && field.content.takes_null(self.items)
    }

    fn item(&self, id: ItemId, item: &Item) -> String {
        let name = &item.name;
        let doc = doc_comment(&item.doc, "");
        match &item.body {
            Body::Struct(body) => format!("{doc}{}", self.structure(id, name, body)),
            Body::Words(words) => format!("{doc}#[derive({WORDS})]\npub enum {name} {{\n{}}}\n", variants_of(words)),
            Body::Union(variants) => {
                let variants: String = variants.iter().map(|variant| self.variant(id, variant)).collect();
                format!("{doc}#[derive({ORDINARY})]\n#[serde(untagged)]\npub enum {name} {{\n{variants}}}\n")
            }
            Body::Wrapper(inner) => {
                let start = format!("pub struct {name}(");
                format!("{doc}#[derive({ORDINARY})]\n{}", self.around(&start, "pub ", &self.held(id, inner), ");"))
            }
            Body::Tuple(parts) => format!("{doc}#[derive({ORDINARY})]\n{}", self.parts(id, name, parts)),
            Body::Alias(inner) => format!("{doc}pub type {name} = {};\n", self.written(inner)),
        }
    }

    /// A tuple struct, on one line if it is short.
    fn parts(&self, id: ItemId, name: &str, parts: &[Type]) -> String {
        let parts = parts.iter().map(|part| format!("pub {}", self.held(id, part))).collect::<Vec<_>>();
        let line = parts.join(", ");
        if line.chars().count() <= TUPLE_WIDTH {
            return format!("pub struct {name}({line});\n");
        }
        format!("pub struct {name}(\n    {},\n);\n", parts.join(",\n    "))
    }

    fn structure(&self, id: ItemId, name: &str, body: &Struct) -> String {
        let is_default = body.fields.iter().all(|field| !field.required);
        let derives = if is_default { DEFAULTED } else { ORDINARY };
        let closed = if matches!(body.rest, Rest::Refused) { "#[serde(deny_unknown_fields)]\n" } else { "" };
        let fields: String = body.fields.iter().map(|field| self.field(id, field)).collect();
        let rest = match &body.rest {
            Rest::Refused => String::new(),
            Rest::Kept(name, values) => {
                let held = format!("BTreeMap<String, {}>", self.written(values));
                let attributes = "    #[serde(flatten)]\n    #[payload(rest)]\n";
                format!("    /// The fields that have no name here.\n{attributes}{}", self.line(name, &held))
            }
        };
        if fields.is_empty() && rest.is_empty() {
            return format!("#[derive({derives})]\n{closed}pub struct {name} {{}}\n");
        }
        format!("#[derive({derives})]\n{closed}pub struct {name} {{\n{fields}{rest}}}\n")
    }

    fn field(&self, id: ItemId, field: &Field) -> String {
        let mut text = doc_comment(&field.doc, "    ");
        if field.name.strip_prefix("r#").unwrap_or(&field.name) != field.key {
            text.push_str(&attribute(&format!("rename = {}", literal(&field.key)), "    "));
        }
        let held = if self.is_nullable(field) {
            text.push_str(&attribute("default, skip_serializing_if = \"Nullable::is_absent\"", "    "));
            let inner = field.content.clone().split_null().0;
            format!("Nullable<{}>", self.held(id, &inner))
        } else if field.required {
            self.held(id, &field.content)
        } else {
            let inner = self.held(id, &field.content);
            text.push_str(&self.optional(id, &inner));
            format!("Option<{inner}>")
        };
        text.push_str(&self.line(&field.name, &held));
        text
    }

    /// The attributes of a field that may be absent but not null.
    fn optional(&self, id: ItemId, inner: &str) -> String {
        let unwritten = attribute("skip_serializing_if = \"Option::is_none\"", "    ");
        if !self.strict.contains(&id) {
            return unwritten;
        }
        let present = attribute("default, deserialize_with = \"oxflow::present\"", "    ");
        format!("{present}{unwritten}    #[payload(shape = {inner})]\n")
    }

    fn line(&self, name: &str, held: &str) -> String {
        let line = format!("    pub {name}: {held},");
        if line.chars().count() <= self.width() {
            return format!("{line}\n");
        }
        format!("    pub {name}:\n        {held},\n")
    }

    fn variant(&self, id: ItemId, variant: &Variant) -> String {
        let start = format!("    {}(", variant.name);
        self.around(&start, "", &self.held(id, &variant.content), "),")
    }

    /// Something in parentheses, on a line of its own if it is too long.
    fn around(&self, start: &str, before: &str, held: &str, end: &str) -> String {
        let line = format!("{start}{before}{held}{end}");
        if line.chars().count() <= self.width() {
            return format!("{line}\n");
        }
        let indent = " ".repeat(start.len() - start.trim_start().len());
        format!("{start}\n{indent}    {before}{held},\n{indent}{end}\n")
    }

    /// A type inside of a named one, with a box where it would hold itself.
    fn held(&self, id: ItemId, content: &Type) -> String {
        match content {
            Type::Item(other) if endless(self.items, id, *other) => format!("Box<{}>", self.written(content)),
            Type::Option(inner) => format!("Option<{}>", self.held(id, inner)),
            Type::Tuple(parts) => tuple(&parts.iter().map(|part| self.held(id, part)).collect::<Vec<_>>()),
            Type::Open(inner) => format!("OpenTuple<{}>", self.held(id, inner)),
            other => self.written(other),
        }
    }

    fn written(&self, content: &Type) -> String {
        match content {
            Type::Unit => "()".to_owned(),
            Type::Bool => "bool".to_owned(),
            Type::Integer => "i64".to_owned(),
            Type::Natural => "u64".to_owned(),
            Type::Number => "f64".to_owned(),
            Type::Text => "String".to_owned(),
            Type::Any => "Value".to_owned(),
            Type::List(item) => format!("Vec<{}>", self.written(item)),
            Type::Map(value) => format!("BTreeMap<String, {}>", self.written(value)),
            Type::Tuple(parts) => tuple(&parts.iter().map(|part| self.written(part)).collect::<Vec<_>>()),
            Type::Option(inner) => format!("Option<{}>", self.written(inner)),
            Type::Open(inner) => format!("OpenTuple<{}>", self.written(inner)),
            Type::Item(ItemId(index)) => self.items.get(*index).map(|item| self.path(item)).unwrap_or_default(),
        }
    }

    fn path(&self, item: &Item) -> String {
        match self.documents.all.get(item.document) {
            Some(document) if !self.is_here(item) => format!("super::{}::{}", module_name(&document.path), item.name),
            _ => item.name.clone(),
        }
    }
}

fn variants_of(words: &[Word]) -> String {
    let variant = |word: &Word| {
        let doc = doc_comment(&word.doc, "    ");
        let rename = if word.name == word.text {
            String::new()
        } else {
            attribute(&format!("rename = {}", literal(&word.text)), "    ")
        };
        format!("{doc}{rename}    {},\n", word.name)
    };
    words.iter().map(variant).collect()
}

fn tuple(parts: &[String]) -> String {
    if let [only] = parts { format!("({only},)") } else { format!("({})", parts.join(", ")) }
}

fn contains(content: &Type, find: fn(&Type) -> bool) -> bool {
    find(content)
        || match content {
            Type::List(inner) | Type::Map(inner) | Type::Option(inner) | Type::Open(inner) => contains(inner, find),
            Type::Tuple(parts) => parts.iter().any(|part| contains(part, find)),
            _ => false,
        }
}
