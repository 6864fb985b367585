//! The procedural macros of oxflow. Use them through the crate `oxflow`, which re-exports them.

mod derive;
mod function;
mod module;

use proc_macro::TokenStream;
use syn::parse_macro_input;

/// Makes a type with serde's two traits a payload whose fields Python knows.
///
/// It takes structs and enums of every form, with type parameters, too. Each attribute of serde is honoured or refused when
/// you compile. Its own attributes:
///
/// - `#[payload(shape = Type)]` on a field, variant or type: it looks in JSON like `Type`. What serde's `with` writes, and
///   types of other crates, need it.
/// - `#[serde(flatten)] #[payload(rest)]` on a field that is a map: it takes the fields that no other one names, and they
///   are written again.
/// - `#[payload(unknown = "reject")]` on a type: a message with a field that is named nowhere in it is an error.
///
/// ```text
/// /// A measurement as it arrives.
/// #[derive(Serialize, Deserialize, Payload)]
/// struct Reading {
///     sensor: String,
///     #[serde(rename = "type")]
///     kind: Kind,
///     weight: Option<f64>,
/// }
/// ```
#[proc_macro_derive(Payload, attributes(serde, payload))]
pub fn derive_payload(input: TokenStream) -> TokenStream {
    derive::expand(&parse_macro_input!(input)).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes a plain function of a `Message<T>` or `&Message<T>` a step. The function itself stays as it is.
///
/// ```text
/// #[oxflow::function]
/// fn keep(msg: &Message<Reading>) -> bool {
///     msg.payload().weight.is_some()
/// }
/// ```
#[proc_macro_attribute]
pub fn function(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let item: proc_macro2::TokenStream = item.into();
    let added = function::expand(&arguments.into(), item.clone()).unwrap_or_else(syn::Error::into_compile_error);
    // With an error, too, the function stays: otherwise each use of it would be a second error.
    quote::quote!(#item #added).into()
}

/// Makes the crate a Python module of this name, which is the name of its library.
///
/// Needs the feature `python`.
///
/// ```text
/// oxflow::module!(my_steps);
/// ```
#[proc_macro]
pub fn module(input: TokenStream) -> TokenStream {
    module::expand(&parse_macro_input!(input)).into()
}
