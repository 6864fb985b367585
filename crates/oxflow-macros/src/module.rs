//! `module!`: macros by example can't join names, so this one makes the name of the `PyInit_` function.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Ident;

pub(crate) fn expand(name: &Ident) -> TokenStream {
    let initialise = format_ident!("PyInit_{name}");
    quote!(::oxflow::__python_module! { #name, #initialise })
}
