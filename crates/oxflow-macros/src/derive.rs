//! `derive(Payload)`.

use crate::rename::Rule;
use crate::serde::{Container, Member};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DataEnum, DataStruct, DeriveInput, Error, Expr, Field, Fields, Ident, Lit, Meta, Result, Variant,
};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    refuse_generics(input)?;
    let container = Container::parse(&input.attrs)?;
    match &input.data {
        Data::Struct(data) => record(input, data, &container),
        Data::Enum(data) => choice(input, data, &container),
        Data::Union(data) => {
            Err(Error::new(data.union_token.span, "derive(Payload) takes structs and enums, not unions"))
        }
    }
}

fn refuse_generics(input: &DeriveInput) -> Result<()> {
    if input.generics.params.is_empty() {
        return Ok(());
    }
    Err(Error::new(
        input.generics.span(),
        "derive(Payload) takes a type without parameters: Python must know each of its fields",
    ))
}

fn record(input: &DeriveInput, data: &DataStruct, container: &Container) -> Result<TokenStream> {
    let Fields::Named(fields) = &data.fields else {
        let message = "derive(Payload) takes a struct with named fields; name them, or use `oxflow::convert_via_json!`";
        return Err(Error::new(input.ident.span(), message));
    };
    let fields = fields.named.iter().map(|item| field(item, container)).collect::<Result<Vec<_>>>()?;
    let name = input.ident.unraw().to_string();
    let shape = quote!(scope.record::<Self>(#name, |scope| ::std::vec![#(#fields)*]));
    let ident = &input.ident;
    let payload = payload(input, &shape);
    // An enum is no class in Python: it shows where a field has it.
    Ok(quote! {
        #payload
        ::oxflow::__private::inventory::submit! { ::oxflow::__private::Entry::payload::<#ident>() }
    })
}

fn field(field: &Field, container: &Container) -> Result<TokenStream> {
    let member = Member::parse(&field.attrs)?;
    if member.skip {
        return Ok(TokenStream::new());
    }
    let name = name(field.ident.as_ref(), &member, container.rename_all, Rule::field);
    let (value, may_lack) = (&field.ty, member.default || container.default);
    Ok(quote! {
        ::oxflow::shape::Field {
            name: ::std::string::String::from(#name),
            shape: <#value as ::oxflow::Shape>::describe(scope),
            required: !(#may_lack || <#value as ::oxflow::Shape>::OPTIONAL),
        },
    })
}

fn choice(input: &DeriveInput, data: &DataEnum, container: &Container) -> Result<TokenStream> {
    let shape = if container.untagged { union(data)? } else { literal(data, container)? };
    Ok(payload(input, &shape))
}

fn union(data: &DataEnum) -> Result<TokenStream> {
    let members = present(data)?;
    let members = members.iter().map(|(variant, _)| {
        let Fields::Unnamed(fields) = &variant.fields else { return Err(not_one(variant)) };
        let mut fields = fields.unnamed.iter();
        let (Some(Field { attrs, ty, .. }), None) = (fields.next(), fields.next()) else {
            return Err(not_one(variant));
        };
        Member::parse(attrs)?;
        Ok(quote!(<#ty as ::oxflow::Shape>::describe(scope)))
    });
    let members = members.collect::<Result<Vec<_>>>()?;
    Ok(quote!(scope.union::<Self>(|scope| ::std::vec![#(#members),*])))
}

fn not_one(variant: &Variant) -> Error {
    Error::new(variant.ident.span(), "each variant of an untagged enum holds one type here: `Name(Type)`")
}

fn literal(data: &DataEnum, container: &Container) -> Result<TokenStream> {
    let names = present(data)?.into_iter().map(|(variant, member)| {
        if matches!(variant.fields, Fields::Unit) {
            return Ok(name(Some(&variant.ident), &member, container.rename_all, Rule::variant));
        }
        let message =
            "an enum with values is described only if it is `#[serde(untagged)]`; use `oxflow::convert_via_json!`";
        Err(Error::new(variant.ident.span(), message))
    });
    let names = names.collect::<Result<Vec<_>>>()?;
    Ok(quote!({
        let _ = scope;
        ::oxflow::shape::Type::Literal(::std::vec![#(::std::string::String::from(#names)),*])
    }))
}

fn present(data: &DataEnum) -> Result<Vec<(&Variant, Member)>> {
    let members = data.variants.iter().map(|variant| Ok((variant, Member::parse(&variant.attrs)?)));
    let members = members.filter(|member| !member.as_ref().is_ok_and(|(_, member)| member.skip));
    members.collect()
}

fn name(ident: Option<&Ident>, member: &Member, rule: Option<Rule>, apply: fn(Rule, &str) -> String) -> String {
    let written = || ident.map(|ident| ident.unraw().to_string()).unwrap_or_default();
    let ruled = || rule.map_or_else(written, |rule| apply(rule, &written()));
    member.rename.clone().unwrap_or_else(ruled)
}

fn payload(input: &DeriveInput, shape: &TokenStream) -> TokenStream {
    let (ident, name, doc) = (&input.ident, input.ident.unraw().to_string(), documentation(&input.attrs));
    let scope = Ident::new("scope", Span::call_site());
    quote! {
        #[automatically_derived]
        impl ::oxflow::Shape for #ident {
            fn describe(#scope: &mut ::oxflow::describe::Scope) -> ::oxflow::shape::Type {
                #shape
            }
        }

        #[automatically_derived]
        impl ::oxflow::Payload for #ident {
            fn name() -> &'static str {
                #name
            }

            fn doc() -> &'static str {
                #doc
            }

            fn shape() -> ::oxflow::shape::Type {
                <Self as ::oxflow::Shape>::shape()
            }

            fn decode(bytes: &[u8]) -> ::core::result::Result<Self, ::oxflow::DecodeError> {
                ::oxflow::codec::json::decode(bytes)
            }

            fn encode(&self, out: &mut ::std::vec::Vec<u8>) -> ::core::result::Result<(), ::oxflow::EncodeError> {
                ::oxflow::codec::json::encode(self, out)
            }
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
