//! Rust types for oxflow out of protobuf.
//!
//! The messages are those that prost makes, with the traits of serde and of a payload: they are read from and written as
//! protobuf, and Python sees their fields. `protox` compiles the files, so no `protoc` is needed. Nothing of this is part of a
//! user's build: only the text is.
//!
//! ```no_run
//! let types = oxflow_protobuf::generate(&["protos/order.proto".into()], &["protos".into()])?;
//! std::fs::write("src/order.rs", types.file())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod packages;

use protox::prost_reflect::prost_types::FileDescriptorSet;
use std::path::{Path, PathBuf};

/// Types made of protobuf.
#[derive(Clone, Debug)]
pub struct Types {
    /// The items, in a module for each package.
    pub code: String,
    /// The messages of the files that were asked for, with their modules; not those inside of others.
    pub messages: Vec<String>,
    /// The names of the files that were asked for.
    files: Vec<String>,
}

impl Types {
    /// The text of a source file.
    pub fn file(&self) -> String {
        let names: Vec<String> = self.files.iter().map(|name| format!("`{name}`")).collect();
        let sources = if names.len() > 3 { format!("{} files", names.len()) } else { names.join(", ") };
        format!(
            "//! Types of {sources}, made by `oxflow schema`; what is changed by hand is lost when they are made anew.\n//!\n\
             //! They need the crate `prost` 0.14.\n\n\
             #![allow(clippy::all, clippy::pedantic, dead_code, missing_docs)]\n\n{}",
            self.code
        )
    }
}

/// Protobuf can't become types.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct ProtobufError {
    /// The file, if it is known.
    pub file: Option<String>,
    /// The line in it, from 1; 0 if it isn't known.
    pub line: u32,
    /// What is wrong.
    pub text: String,
}

/// Makes the types of `.proto` files. What they import is looked for in `includes`, or beside the files if there are none.
pub fn generate(files: &[PathBuf], includes: &[PathBuf]) -> Result<Types, ProtobufError> {
    let beside: Vec<PathBuf> = files.iter().map(|file| folder_of(file)).collect();
    let includes = if includes.is_empty() { beside.as_slice() } else { includes };
    let mut compiler = protox::Compiler::new(includes).map_err(|error| told(&error))?;
    compiler.include_imports(true).include_source_info(true);
    for file in files {
        compiler.open_file(file).map_err(|error| told(&error))?;
    }
    let asked: Vec<String> =
        compiler.files().filter(|file| !file.is_import()).map(|file| file.name().to_owned()).collect();
    let set = compiler.file_descriptor_set();
    let messages = messages_of(&set, &asked);
    Ok(Types { code: packages::text(set)?, messages, files: asked })
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn messages_of(set: &FileDescriptorSet, asked: &[String]) -> Vec<String> {
    let files = set.file.iter().filter(|file| asked.iter().any(|name| name == file.name()));
    files
        .flat_map(|file| {
            let module = packages::path(file.package());
            file.message_type.iter().map(move |message| format!("{module}{}", packages::type_name(message.name())))
        })
        .collect()
}

/// The compiler's error, which shows as `file:line:column: what` where it knows that.
fn told(error: &protox::Error) -> ProtobufError {
    let whole = format!("{error:?}");
    let file = error.file().map(str::to_owned);
    let after = file.as_deref().and_then(|file| whole.strip_prefix(file)).and_then(|rest| rest.strip_prefix(':'));
    let line = after.and_then(|rest| rest.split(':').next()).and_then(|line| line.parse().ok()).unwrap_or(0);
    let text = if whole.is_empty() || line > 0 { error.to_string() } else { whole };
    ProtobufError { file, line, text }
}
