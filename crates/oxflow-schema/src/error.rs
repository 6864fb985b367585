//! What keeps a schema from becoming types: where it stands, what it is, and what to do.

use std::fmt;
use std::path::PathBuf;

/// A schema can't become types.
#[derive(Debug, thiserror::Error)]
#[error("{file}{pointer}: {problem}", file = place.file.display(), pointer = fragment(&place.pointer))]
pub struct SchemaError {
    /// Where it stands.
    pub place: Place,
    /// What it is.
    #[source]
    pub problem: Problem,
}

/// A part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The JSON pointer of the part; empty for all of it.
    pub pointer: String,
}

/// What types can't say. The types take more than the schema does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where it stands.
    pub place: Place,
    /// What it is.
    pub text: String,
}

/// What keeps a schema from becoming types.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The file can't be opened.
    #[error("the file cannot be read")]
    Unreadable(#[source] std::io::Error),
    /// The file holds no JSON.
    #[error("the file is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// The kind of a file isn't known.
    #[error("neither JSON Schema nor protobuf: the file ends in neither `.json` nor `.proto`")]
    UnknownKind,
    /// JSON, but no schema.
    #[error("a schema is an object or a boolean, this is {found}")]
    NotASchema {
        /// What stands there.
        found: &'static str,
    },
    /// A reference over the network.
    #[error("`$ref` leads to `{target}`, which is no file")]
    RemoteReference {
        /// What it refers to.
        target: String,
    },
    /// A reference to a file that isn't there.
    #[error("`$ref` leads to the file `{file}`, which cannot be read")]
    MissingFile {
        /// The file.
        file: PathBuf,
        /// Why it can't be read.
        #[source]
        source: std::io::Error,
    },
    /// A reference to nothing.
    #[error("`$ref` leads to `{target}`, where nothing is")]
    MissingTarget {
        /// What it refers to.
        target: String,
    },
    /// References that lead only to each other.
    #[error("this refers to itself and to nothing else")]
    EndlessReference,
    /// Something that this crate doesn't turn into a type.
    #[error("`{keyword}` cannot become a type")]
    Unsupported {
        /// The keyword of JSON Schema.
        keyword: &'static str,
    },
    /// No value is allowed here.
    #[error("no value is valid here: {why}")]
    Impossible {
        /// What excludes the one from the other.
        why: String,
    },
    /// Two files would become the same module.
    #[error("`{other}` would become the module `{module}`, too")]
    ModuleTwice {
        /// The name of the module.
        module: String,
        /// The other file.
        other: PathBuf,
    },
}

impl Problem {
    /// What to do about it.
    pub fn fix(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "give the path of a file",
            Self::NotJson(_) => "give a file with one JSON Schema in it",
            Self::UnknownKind => "name it as what it is",
            Self::NotASchema { .. } => "write a schema there, `{}` for any value",
            Self::RemoteReference { .. } => {
                "nothing is fetched: save that schema and name its file too, or refer to the file"
            }
            Self::MissingFile { .. } => "files are looked for beside the one that refers to them: put it there",
            Self::MissingTarget { .. } => "write what is there, as `#/definitions/Name`",
            Self::EndlessReference => "let one of them say what it is",
            Self::Unsupported { .. } => "write it with `$ref`, `oneOf`, `properties` and `items`",
            Self::Impossible { .. } => "take one of the contradicting parts out",
            Self::ModuleTwice { .. } => "rename one of the files, or write two outputs",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.file.display(), fragment(&self.pointer))
    }
}

fn fragment(pointer: &str) -> String {
    if pointer.is_empty() { String::new() } else { format!("#{pointer}") }
}
