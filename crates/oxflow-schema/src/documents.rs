//! The files of a set of schemas, and what their `$ref`s lead to.
//!
//! References lead into the same file, to files beside it or by `file://`, and to any file of the set by its `$id`. Nothing
//! is fetched.

use crate::error::{Place, Problem, SchemaError};
use crate::node::{Node, escaped};
use std::fs;
use std::path::{Path, PathBuf};

/// A part of one of the documents.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Spot {
    pub(crate) document: usize,
    pub(crate) pointer: String,
}

impl Spot {
    pub(crate) fn root(document: usize) -> Self {
        Self { document, pointer: String::new() }
    }

    pub(crate) fn below(&self, keys: &[&str]) -> Self {
        let mut pointer = self.pointer.clone();
        for key in keys {
            pointer.push('/');
            pointer.push_str(&escaped(key));
        }
        Self { document: self.document, pointer }
    }
}

pub(crate) struct Document {
    pub(crate) path: PathBuf,
    pub(crate) root: Node,
}

/// The documents, those that were asked for first.
#[derive(Default)]
pub(crate) struct Documents {
    pub(crate) all: Vec<Document>,
}

/// How a reference that was moved into another document says which one it came from.
const MOVED: &str = "oxflow-document:";

impl Documents {
    /// Reads a file, unless it was read before.
    pub(crate) fn read(&mut self, path: &Path) -> Result<usize, SchemaError> {
        let known = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let same = |document: &Document| fs::canonicalize(&document.path).is_ok_and(|path| path == known);
        if let Some(index) = self.all.iter().position(same) {
            return Ok(index);
        }
        let error = |problem| SchemaError { place: Place { file: path.to_owned(), pointer: String::new() }, problem };
        let bytes = fs::read(path).map_err(|source| error(Problem::Unreadable(source)))?;
        let root = serde_json::from_slice(&bytes).map_err(|source| error(Problem::NotJson(source)))?;
        self.all.push(Document { path: path.to_owned(), root });
        Ok(self.all.len() - 1)
    }

    pub(crate) fn place(&self, spot: &Spot) -> Place {
        let file = self.all.get(spot.document).map(|document| document.path.clone()).unwrap_or_default();
        Place { file, pointer: spot.pointer.clone() }
    }

    pub(crate) fn error(&self, spot: &Spot, problem: Problem) -> SchemaError {
        SchemaError { place: self.place(spot), problem }
    }

    pub(crate) fn node(&self, spot: &Spot) -> Option<&Node> {
        self.all.get(spot.document)?.root.pointed(&spot.pointer)
    }

    /// Where a reference leads that stands at `from`.
    pub(crate) fn resolve(&mut self, reference: &str, from: &Spot) -> Result<Spot, SchemaError> {
        let (target, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let document = self.document(target, from)?;
        let spot = Spot { document, pointer: percent_decoded(fragment) };
        let found = if fragment.is_empty() || fragment.starts_with('/') {
            self.node(&spot).map(|_| spot)
        } else {
            let root = self.all.get(document).map(|document| &document.root);
            root.and_then(|root| anchored(root, fragment, "")).map(|pointer| Spot { document, pointer })
        };
        found.ok_or_else(|| self.error(from, Problem::MissingTarget { target: reference.to_owned() }))
    }

    fn document(&mut self, target: &str, from: &Spot) -> Result<usize, SchemaError> {
        if target.is_empty() {
            return Ok(from.document);
        }
        if let Some(index) = target.strip_prefix(MOVED).and_then(|index| index.parse().ok()) {
            return Ok(index);
        }
        let id = |document: &Document| {
            document.root.text_of("$id").or_else(|| document.root.text_of("id")).map(|id| id.trim_end_matches('#'))
                == Some(target)
        };
        if let Some(index) = self.all.iter().position(id) {
            return Ok(index);
        }
        let path = target.strip_prefix("file://").unwrap_or(target);
        if path.contains("://") {
            return Err(self.error(from, Problem::RemoteReference { target: target.to_owned() }));
        }
        let here = self.place(from).file;
        let file = here.parent().unwrap_or(Path::new("")).join(percent_decoded(path));
        // Absolute, or beside the file all the same: `file://name.json` is written by people who mean the latter.
        self.read(&file).map_err(|error| match error.problem {
            Problem::Unreadable(source) => self.error(from, Problem::MissingFile { file, source }),
            problem => SchemaError { problem, ..error },
        })
    }

    /// A schema in which each reference says which document it leads to, so that it can be put elsewhere.
    pub(crate) fn movable(&mut self, node: &Node, from: &Spot) -> Result<Node, SchemaError> {
        Ok(match node {
            Node::Array(items) => {
                Node::Array(items.iter().map(|item| self.movable(item, from)).collect::<Result<_, _>>()?)
            }
            Node::Object(entries) => {
                let moved = entries.iter().map(|(key, value)| Ok((key.clone(), self.moved(key, value, from)?)));
                Node::Object(moved.collect::<Result<_, SchemaError>>()?)
            }
            other => other.clone(),
        })
    }

    fn moved(&mut self, key: &str, value: &Node, from: &Spot) -> Result<Node, SchemaError> {
        match value {
            Node::Text(reference) if key == "$ref" => {
                let (target, fragment) = reference.split_once('#').unwrap_or((reference, ""));
                let document = self.document(target, from)?;
                Ok(Node::Text(format!("{MOVED}{document}#{fragment}")))
            }
            other => self.movable(other, from),
        }
    }
}

/// The pointer of the schema with this anchor.
fn anchored(node: &Node, name: &str, pointer: &str) -> Option<String> {
    let named = |key: &str, text: &str| node.text_of(key).is_some_and(|found| found == text);
    let id = format!("#{name}");
    if named("$anchor", name) || named("$id", &id) || named("id", &id) {
        return Some(pointer.to_owned());
    }
    let entries = node.entries().iter().map(|(key, value)| (escaped(key), value));
    let items = node.items().iter().enumerate().map(|(index, value)| (index.to_string(), value));
    entries.chain(items).find_map(|(key, value)| anchored(value, name, &format!("{pointer}/{key}")))
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if first == b'%' => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}
