//! Rust types for oxflow out of JSON Schema.
//!
//! The types keep all of a message: what a struct doesn't name lies in a map beside its fields, what was absent stays absent and
//! what was null stays null. They say what a value looks like, not more: bounds, patterns and formats are not checked.
//!
//! ```no_run
//! let types = oxflow_schema::generate(&["event.schema.json".into()])?;
//! std::fs::write("src/event.rs", types.file())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! On the way a schema is read with all that it refers to (`documents.rs`), becomes a list of types (`lower/`, `model.rs`), and
//! these become text (`print/`).

mod documents;
mod error;
mod lower;
mod model;
mod names;
mod node;
mod print;

pub use error::{Note, Place, Problem, SchemaError};

use documents::Documents;
use lower::Lowering;
use std::path::{Path, PathBuf};

/// Types made of schemas.
#[derive(Clone, Debug)]
pub struct Types {
    /// The items: of one schema as they are, of several in a module each.
    pub code: String,
    /// What the types don't say.
    pub notes: Vec<Note>,
    /// The type of the messages of each schema, with its module if it has one. What is nothing but definitions has none.
    pub messages: Vec<String>,
    /// All files that were read, those that were asked for first.
    pub files: Vec<PathBuf>,
    asked: usize,
}

impl Types {
    /// The text of a source file.
    pub fn file(&self) -> String {
        let asked = self.files.iter().take(self.asked);
        let names: Vec<String> = asked.map(|file| format!("`{}`", file_name(file))).collect();
        let sources = if names.len() > 3 { format!("{} schemas", names.len()) } else { names.join(", ") };
        format!(
            "//! Types of {sources}, made by `oxflow schema`; what is changed by hand is lost when they are made anew.\n{}\n\
             #![allow(clippy::all, clippy::pedantic, dead_code, missing_docs)]\n\n{}",
            self.told(),
            self.code
        )
    }

    /// Of one schema, which of the types is that of its messages; of several each module says it.
    fn told(&self) -> String {
        match self.messages.as_slice() {
            [only] if self.asked == 1 => format!("//!\n//! A message is a [`{only}`].\n"),
            _ => String::new(),
        }
    }
}

/// Makes the types of JSON Schemas.
pub fn generate(files: &[PathBuf]) -> Result<Types, SchemaError> {
    let mut documents = Documents::default();
    let mut roots = Vec::with_capacity(files.len());
    for file in files {
        let document = documents.read(file)?;
        if !roots.contains(&document) {
            roots.push(document);
        }
    }
    let modules = roots.len() > 1;
    let mut lowering = Lowering::new(documents, modules);
    let made = roots.iter().map(|root| lowering.root(*root)).collect::<Result<Vec<_>, _>>()?;
    let (items, documents, notes) = lowering.finish();
    if modules {
        refuse_same_modules(&documents)?;
    }
    let code = print::text(&items, &documents, modules, &made);
    let messages = made.into_iter().flatten().map(|id| print::path(&items, &documents, modules, id)).collect();
    let files = documents.all.into_iter().map(|document| document.path).collect();
    Ok(Types { code, notes, messages, files, asked: roots.len() })
}

fn refuse_same_modules(documents: &Documents) -> Result<(), SchemaError> {
    let mut known: Vec<(String, &Path)> = Vec::new();
    for document in &documents.all {
        let module = print::module_name(&document.path);
        if let Some((_, other)) = known.iter().find(|(name, _)| *name == module) {
            let place = Place { file: document.path.clone(), pointer: String::new() };
            let problem = Problem::ModuleTwice { module, other: (*other).to_owned() };
            return Err(SchemaError { place, problem });
        }
        known.push((module, &document.path));
    }
    Ok(())
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The name of a file without the endings that say that it is a schema.
pub(crate) fn stem(name: &str) -> String {
    let stem = name.strip_suffix(".json").unwrap_or(name);
    stem.strip_suffix(".schema").or_else(|| stem.strip_suffix("_schema")).unwrap_or(stem).to_owned()
}
