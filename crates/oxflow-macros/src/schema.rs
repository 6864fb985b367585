//! `schema!`: the types of a JSON Schema, where the macro stands.

use oxflow_schema::{SchemaError, Types};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use std::env;
use std::error::Error as _;
use std::path::{Path, PathBuf};
use syn::{Error, LitStr, Result};

pub(crate) fn expand(file: &LitStr) -> Result<TokenStream> {
    let crate_folder = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let types = oxflow_schema::generate(&[crate_folder.join(file.value())]);
    let types = types.map_err(|error| Error::new(file.span(), told(&error)))?;
    let code: TokenStream = types.code.parse().map_err(|error| Error::new(file.span(), error))?;
    let watched = watched(&types);
    // A module, so that what the types are made with doesn't meet what the user imports.
    let module = format_ident!("__oxflow_schema_{}", identifier(&file.value()));
    Ok(quote! {
        #[allow(clippy::all, clippy::pedantic, dead_code, missing_docs, reason = "written by a generator")]
        mod #module {
            #code
            #watched
        }
        #[allow(unused_imports, reason = "a schema may have types that nobody names")]
        pub use #module::*;
    })
}

/// Reads the files as the compiler sees it, so that it compiles anew when they change.
fn watched(types: &Types) -> TokenStream {
    let absolute = |file: &PathBuf| Path::new(file).canonicalize().unwrap_or_else(|_| file.clone());
    let files = types.files.iter().map(|file| absolute(file).to_string_lossy().into_owned());
    quote!(#(const _: &[u8] = ::core::include_bytes!(#files);)*)
}

fn told(error: &SchemaError) -> String {
    let why = error.problem.source().map(|source| format!(" ({source})")).unwrap_or_default();
    format!("{error}{why}; {}", error.problem.fix())
}

fn identifier(text: &str) -> String {
    text.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}
