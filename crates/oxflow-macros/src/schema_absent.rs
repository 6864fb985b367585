//! What `schema!` says without the feature `schema`.

use proc_macro2::TokenStream;
use syn::{Error, LitStr, Result};

pub(crate) fn expand(file: &LitStr) -> Result<TokenStream> {
    let message =
        "`oxflow::schema!` needs the feature `schema`: oxflow = { version = \"0.1\", features = [\"schema\"] }";
    Err(Error::new(file.span(), message))
}
