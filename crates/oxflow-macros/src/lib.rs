//! The procedural macros of oxflow. Use them through the crate `oxflow`, which re-exports them.

mod constructed;
mod derive;
mod error_policy;
mod function;
mod lifetimes;
mod module;
mod registration;
mod rust_function;
#[cfg(feature = "schema")]
mod schema;
#[cfg(not(feature = "schema"))]
#[path = "schema_absent.rs"]
mod schema;

use proc_macro::TokenStream;
use syn::spanned::Spanned;
use syn::{Item, parse_macro_input};

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

/// Says what is done with the message that an error of this type came from, in place of the step's `on_error`.
///
/// `#[on_error(..)]` on a variant, or on the type for all of it, says `fail`, `skip`, `dead_letter`, or
/// `retry(times = 3, backoff_ms = 100, then = fail)`, whose settings may be left out. A variant without it leaves it to the
/// configuration.
///
/// ```text
/// #[derive(Debug, thiserror::Error, ErrorPolicy)]
/// enum Refused {
///     #[error("the service is busy")]
///     #[on_error(retry(times = 5, then = dead_letter))]
///     Busy,
///     #[error("a test message")]
///     #[on_error(skip)]
///     Test,
/// }
/// ```
#[proc_macro_derive(ErrorPolicy, attributes(on_error))]
pub fn derive_error_policy(input: TokenStream) -> TokenStream {
    error_policy::expand(&parse_macro_input!(input)).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes a function a step. The function itself stays as it is.
///
/// It takes a `Message<T>`, a `&Message<T>`, or a `&[Message<T>]` and then returns a `Vec` with a result for each.
///
/// ```text
/// #[oxflow::function]
/// fn keep(msg: &Message<Reading<'_>>) -> bool {
///     msg.payload().weight.is_some()
/// }
/// ```
///
/// `#[oxflow::function(step = Keep)]` also makes a type `Keep`, which a pipeline that is built in Rust calls the function by.
///
/// On an `impl` block it makes a function with settings, given in Python to the class of that name. With `&mut self` it has
/// state: each lane has a function of its own then, and what it holds is gone when the process ends.
///
/// ```text
/// #[oxflow::function]
/// impl Above {
///     fn new(limit: f64, #[default("kg".to_owned())] unit: String) -> Result<Self, BadUnit> { .. }
///     fn call(&self, msg: &Message<Reading<'_>>) -> bool { .. }
/// }
/// ```
///
/// With `add` and `finish` in place of `call` it goes through a list, as a `Batch` makes them: each list begins with a clone of
/// what `new` made.
///
/// ```text
/// #[oxflow::function]
/// impl Mean {
///     fn new() -> Self { .. }
///     fn add(&mut self, reading: Reading<'_>) { .. }
///     fn finish(self) -> f64 { .. }
/// }
/// ```
#[proc_macro_attribute]
pub fn function(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let (item, arguments): (proc_macro2::TokenStream, proc_macro2::TokenStream) = (item.into(), arguments.into());
    // With an error, too, the function stays: otherwise each use of it would be a second error.
    with_registration(&arguments, item.clone())
        .unwrap_or_else(|error| {
            let error = error.into_compile_error();
            quote::quote!(#item #error)
        })
        .into()
}

fn with_registration(
    arguments: &proc_macro2::TokenStream,
    item: proc_macro2::TokenStream,
) -> syn::Result<proc_macro2::TokenStream> {
    let known: Option<function::Known> =
        if arguments.is_empty() { None } else { Some(syn::parse2(arguments.clone())?) };
    match syn::parse2(item)? {
        Item::Fn(function) => {
            let added = function::expand(&function, known.as_ref())?;
            Ok(quote::quote!(#function #added))
        }
        Item::Impl(block) if known.is_some() => Err(syn::Error::new(
            block.self_ty.span(),
            "a function with settings or state is known by its own type: leave out `step`",
        )),
        Item::Impl(mut block) => {
            let added = constructed::expand(&mut block)?;
            Ok(quote::quote!(#block #added))
        }
        other => Err(syn::Error::new(other.span(), "`#[oxflow::function]` goes on a function or an `impl` block")),
    }
}

/// Makes a function from a closure: name, payload that it takes, payload that it gives, closure.
///
/// The closure returns that payload, or what `oxflow::function::Output` makes of it: an `Option`, `Vec` or `Result`, or a
/// `Message`. The name is a type with an associated function `call`, for tests; in Python it is a class.
///
/// ```text
/// oxflow::rust_function!(
///     /// Splits into words.
///     Words, String, String,
///     |msg: Message<String>| -> Vec<String> {
///         msg.payload().split_whitespace().map(str::to_owned).collect()
///     }
/// );
///
/// assert_eq!(Words::call(Message::new("to be".to_owned())), ["to", "be"]);
/// ```
#[proc_macro]
pub fn rust_function(input: TokenStream) -> TokenStream {
    rust_function::expand(&parse_macro_input!(input)).into()
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

/// Puts the types of a JSON Schema here: those that `oxflow schema` writes.
///
/// The path is relative to the folder of the crate's `Cargo.toml`. When the file or one that it refers to changes, the crate is
/// compiled anew. Needs the feature `schema`.
///
/// ```text
/// oxflow::schema!("schemas/event.json");
/// ```
#[proc_macro]
pub fn schema(input: TokenStream) -> TokenStream {
    schema::expand(&parse_macro_input!(input)).unwrap_or_else(syn::Error::into_compile_error).into()
}
