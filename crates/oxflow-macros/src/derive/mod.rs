//! `derive(Payload)`: the shape of what serde writes, and the conversions.
//!
//! `attributes` reads what serde and the user say, `members` describes fields, `choice` enums; here is what they have in common.

mod attributes;
mod choice;
mod members;
mod rename;

use attributes::Container;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DataStruct, DeriveInput, Error, Expr, Fields, GenericParam, Generics, Ident, LifetimeParam, Lit,
    Meta, Result, parse_quote,
};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let lifetime = lifetime(&input.generics)?;
    let container = Container::parse(&input.attrs)?;
    refuse_protobuf(input, &container, lifetime.is_some())?;
    let shape = match (container.described_as()?, &input.data) {
        (Some(other), _) => Described::like(other),
        (None, Data::Struct(data)) => structure(input, data, &container)?,
        (None, Data::Enum(data)) => choice::describe(data, &container)?,
        (None, Data::Union(data)) => {
            return Err(Error::new(data.union_token.span, "derive(Payload) takes structs and enums, not unions"));
        }
    };
    // An enum is no class in Python: it shows where a field has it. Nor is a type whose parameters are open.
    let published = matches!(input.data, Data::Struct(_)) && input.generics.type_params().next().is_none();
    let ident = &input.ident;
    let unbound = lifetime.map(|_| quote!(<'static>));
    let entry = published.then(|| {
        quote!(::oxflow::__private::inventory::submit! { ::oxflow::__private::Entry::payload::<#ident #unbound>() })
    });
    let (described, payload) =
        (implement_shape(input, &shape), implement_payload(input, &container, lifetime.is_some()));
    Ok(quote!(#described #payload #entry))
}

/// What the type borrows from the message, if it does.
fn lifetime(generics: &Generics) -> Result<Option<&LifetimeParam>> {
    let mut lifetime = None;
    for parameter in &generics.params {
        match parameter {
            GenericParam::Lifetime(other) if lifetime.is_some() => {
                let message = "a payload borrows from one message: one lifetime is enough";
                return Err(Error::new(other.span(), message));
            }
            GenericParam::Lifetime(first) => lifetime = Some(first),
            GenericParam::Type(ty) if lifetime.is_some() => {
                let message = "a payload that borrows takes no type parameters; write the types out";
                return Err(Error::new(ty.span(), message));
            }
            GenericParam::Type(_) => {}
            GenericParam::Const(number) => {
                let message = "derive(Payload) takes no const parameters; write the number out";
                return Err(Error::new(number.span(), message));
            }
        }
    }
    Ok(lifetime)
}

/// Protobuf has messages, which prost makes structs that own what they hold.
fn refuse_protobuf(input: &DeriveInput, container: &Container, borrows: bool) -> Result<()> {
    match container.protobuf {
        Some(span) if borrows => {
            Err(Error::new(span, "prost copies what it reads: a message of protobuf can't borrow"))
        }
        Some(span) if !matches!(input.data, Data::Struct(_)) => {
            Err(Error::new(span, "a message of protobuf is a struct; an enum is one of its fields"))
        }
        _ => Ok(()),
    }
}

/// What the trait `Shape` says of a type: three expressions.
struct Described {
    shape: TokenStream,
    form: TokenStream,
    optional: TokenStream,
}

impl Described {
    fn new(shape: TokenStream, form: TokenStream) -> Self {
        Self { shape, form, optional: quote!(false) }
    }

    /// As another type says.
    fn like(other: &impl ToTokens) -> Self {
        Self {
            shape: quote!(<#other as ::oxflow::Shape>::describe(scope)),
            form: quote!(<#other as ::oxflow::Shape>::FORM),
            optional: quote!(<#other as ::oxflow::Shape>::OPTIONAL),
        }
    }

    fn value(shape: TokenStream) -> Self {
        Self::new(shape, quote!(::oxflow::describe::Form::Value))
    }

    fn fields(shape: TokenStream) -> Self {
        Self::new(shape, quote!(::oxflow::describe::Form::Fields))
    }
}

fn structure(input: &DeriveInput, data: &DataStruct, container: &Container) -> Result<Described> {
    if let Some(tag) = container.tag.as_ref().filter(|_| container.content.is_none()) {
        let message = "serde writes the tag of a struct but never reads it; give the struct a field for it";
        return Err(Error::new(tag.span(), message));
    }
    if container.transparent {
        return members::transparent(&input.ident, &data.fields);
    }
    match &data.fields {
        Fields::Named(fields) => {
            let parts = members::parts(fields, container, container.rename_all)?;
            Ok(Described::fields(quote!(scope.record::<Self>(&name, |scope| ::std::vec![#(#parts),*]))))
        }
        // An `Option` in a newtype may not be absent: serde asks the newtype, not the `Option`.
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
            Ok(Described { optional: quote!(false), ..Described::like(&members::only(fields)?) })
        }
        Fields::Unnamed(fields) => Ok(Described::value(members::tuple(fields)?)),
        Fields::Unit => Ok(Described::value(quote!(::oxflow::shape::Type::None))),
    }
}

fn implement_shape(input: &DeriveInput, described: &Described) -> TokenStream {
    let Described { shape, form, optional } = described;
    let (ident, name) = (&input.ident, input.ident.unraw().to_string());
    let mut generics = input.generics.clone();
    let parameters: Vec<Ident> = generics.type_params().map(|parameter| parameter.ident.clone()).collect();
    let bounds = generics.make_where_clause();
    bounds.predicates.extend(
        parameters.iter().map(|parameter| -> syn::WherePredicate { parse_quote!(#parameter: ::oxflow::Shape) }),
    );
    let (implementing, arguments, bounds) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #implementing ::oxflow::Shape for #ident #arguments #bounds {
            const FORM: ::oxflow::describe::Form = #form;
            const OPTIONAL: bool = #optional;

            fn describe(scope: &mut ::oxflow::describe::Scope) -> ::oxflow::shape::Type {
                let name = ::oxflow::__private::generic_name(#name, &[#(<#parameters as ::oxflow::Shape>::shape()),*]);
                let _ = &name;
                #shape
            }
        }
    }
}

fn implement_payload(input: &DeriveInput, container: &Container, borrows: bool) -> TokenStream {
    let (ident, name, doc) = (&input.ident, input.ident.unraw().to_string(), documentation(&input.attrs));
    let mut generics = input.generics.clone();
    if !generics.params.is_empty() && !borrows {
        // Serde's own impls know what they ask of the parameters: `#[serde(bound)]` may have changed it.
        generics.make_where_clause().predicates.push(parse_quote! {
            Self: ::oxflow::Shape + ::oxflow::__private::serde::Serialize
                + ::oxflow::__private::serde::de::DeserializeOwned + ::core::marker::Send + 'static
        });
    }
    let (implementing, arguments, bounds) = generics.split_for_impl();
    let borrowed = if borrows { quote!(#ident<'oxflow>) } else { quote!(Self) };
    let rejects_unknown = container.rejects_unknown;
    let methods = if container.protobuf.is_some() { quote!(__protobuf_payload) } else { quote!(__serde_payload) };
    quote! {
        #[automatically_derived]
        impl #implementing ::oxflow::Payload for #ident #arguments #bounds {
            type Borrowed<'oxflow> = #borrowed;
            const REJECTS_UNKNOWN: bool = #rejects_unknown;
            const DIRECT: bool = true;

            fn name() -> &'static str {
                #name
            }

            fn doc() -> &'static str {
                #doc
            }

            fn shape() -> ::oxflow::shape::Type {
                <Self as ::oxflow::Shape>::shape()
            }

            ::oxflow::#methods! {}
        }
    }
}

/// The text of doc comments, as written.
pub(crate) fn documentation(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n")
}
