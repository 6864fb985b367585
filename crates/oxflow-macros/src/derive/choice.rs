//! Enums: a union of what serde writes for each variant.

use super::attributes::{Container, VariantAttributes};
use super::rename::Rule;
use super::{Described, members};
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{DataEnum, Error, Fields, LitStr, Result, Type, Variant};

pub(super) fn describe(data: &DataEnum, container: &Container) -> Result<Described> {
    if container.rejects_unknown && (container.tag.is_some() || container.untagged) {
        let message = "serde reads this enum from a buffer, where `#[payload(unknown = \"reject\")]` can't see what it drops; \
                       write `#[serde(deny_unknown_fields)]`";
        return Err(Error::new(data.enum_token.span, message));
    }
    let mut choices = Vec::new();
    for variant in &data.variants {
        let attributes = VariantAttributes::parse(&variant.attrs)?;
        if !attributes.skip {
            choices.push(Choice::new(variant, &attributes, container)?);
        }
    }
    let members = choices.iter().map(|choice| &choice.shape);
    let shape = quote!(scope.union::<Self>(|scope| ::std::vec![#(#members),*]));
    Ok(Described::new(shape, form(&choices)))
}

/// How serde tells which variant a value is.
enum Tagging<'a> {
    External,
    Internal(&'a LitStr),
    Adjacent(&'a LitStr, &'a LitStr),
    Untagged,
}

impl<'a> Tagging<'a> {
    fn of(variant: &VariantAttributes, container: &'a Container) -> Self {
        match (&container.tag, &container.content) {
            _ if container.untagged || variant.untagged => Self::Untagged,
            (Some(tag), Some(content)) => Self::Adjacent(tag, content),
            (Some(tag), None) => Self::Internal(tag),
            (None, _) => Self::External,
        }
    }
}

/// A variant as it is written.
struct Choice {
    shape: TokenStream,
    /// A plain name.
    text: bool,
    /// Whether it is an object, as a constant expression; none for no.
    object: Option<TokenStream>,
}

impl Choice {
    fn new(variant: &Variant, attributes: &VariantAttributes, container: &Container) -> Result<Self> {
        let content = Content::new(variant, attributes, container)?;
        let record = format!("_{}", variant.ident.unraw());
        let name = attributes.name(&variant.ident, container.rename_all);
        if attributes.other && matches!(Tagging::of(attributes, container), Tagging::External | Tagging::Untagged) {
            return Err(Error::new(
                variant.ident.span(),
                "`#[serde(other)]` needs an enum with `#[serde(tag = \"..\")]`",
            ));
        }
        let tag = |tag: &LitStr| {
            if attributes.other {
                quote!(::oxflow::describe::Part::any_tag(#tag))
            } else {
                quote!(::oxflow::describe::Part::tag(#tag, #name))
            }
        };
        match Tagging::of(attributes, container) {
            Tagging::External => Ok(content.external(&name, &record)),
            Tagging::Internal(word) => content.internal(variant, &tag(word), &record),
            Tagging::Adjacent(word, holder) => Ok(content.adjacent(&tag(word), holder, &record)),
            Tagging::Untagged => Ok(content.untagged(&record)),
        }
    }

    fn object(record: &str, parts: &[TokenStream]) -> Self {
        Self { shape: self::record(record, parts), text: false, object: Some(quote!(true)) }
    }
}

fn record(record: &str, parts: &[TokenStream]) -> TokenStream {
    quote!(scope.record::<Self>(&::std::format!("{name}{}", #record), |scope| ::std::vec![#(#parts),*]))
}

/// What a variant holds.
enum Content {
    Nothing,
    One(Box<Type>),
    Tuple(TokenStream),
    Fields(Vec<TokenStream>),
}

impl Content {
    fn new(variant: &Variant, attributes: &VariantAttributes, container: &Container) -> Result<Self> {
        if let Some(shape) = attributes.described()? {
            return Ok(Self::One(Box::new(shape.clone())));
        }
        Ok(match &variant.fields {
            Fields::Unit => Self::Nothing,
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => Self::One(Box::new(members::only(fields)?)),
            Fields::Unnamed(fields) => Self::Tuple(members::tuple(fields)?),
            Fields::Named(fields) => {
                let rule = attributes.rename_all.or(container.rename_all_fields);
                Self::Fields(members::parts(fields, &container.of_variant(), rule)?)
            }
        })
    }

    fn external(&self, name: &str, record: &str) -> Choice {
        match self.value(record) {
            None => Choice {
                shape: quote!(::oxflow::shape::Type::Literal(::std::vec![::std::string::String::from(#name)])),
                text: true,
                object: None,
            },
            Some(value) => Choice::object(record, &[quote!(::oxflow::describe::Part::content(#name, #value))]),
        }
    }

    fn internal(&self, variant: &Variant, tag: &TokenStream, record: &str) -> Result<Choice> {
        let mut parts = vec![tag.clone()];
        match self {
            Self::Nothing => {}
            Self::One(held) => parts.push(quote!(::oxflow::describe::Part::beside_tag::<#held>(scope))),
            Self::Fields(fields) => parts.extend(fields.iter().cloned()),
            Self::Tuple(_) => {
                return Err(Error::new(variant.fields.span(), "a tuple has no place beside a tag; name its fields"));
            }
        }
        Ok(Choice::object(record, &parts))
    }

    fn adjacent(&self, tag: &TokenStream, holder: &LitStr, record: &str) -> Choice {
        let content = self.value(record).map(|value| quote!(::oxflow::describe::Part::content(#holder, #value)));
        Choice::object(record, &std::iter::once(tag.clone()).chain(content).collect::<Vec<_>>())
    }

    fn untagged(&self, record: &str) -> Choice {
        match self {
            Self::Nothing => Choice { shape: quote!(::oxflow::shape::Type::None), text: false, object: None },
            Self::One(held) => Choice {
                shape: quote!(<#held as ::oxflow::Shape>::describe(scope)),
                text: false,
                object: Some(quote! {
                    ::core::matches!(<#held as ::oxflow::Shape>::FORM, ::oxflow::describe::Form::Fields)
                }),
            },
            Self::Tuple(items) => Choice { shape: items.clone(), text: false, object: None },
            Self::Fields(fields) => Choice::object(record, fields),
        }
    }

    /// The shape of what stands behind the name of the variant.
    fn value(&self, record: &str) -> Option<TokenStream> {
        match self {
            Self::Nothing => None,
            Self::One(held) => Some(quote!(<#held as ::oxflow::Shape>::describe(scope))),
            Self::Tuple(items) => Some(items.clone()),
            Self::Fields(fields) => Some(self::record(&format!("{record}_Content"), fields)),
        }
    }
}

/// Text if each variant is a plain name, fields if each is an object.
fn form(choices: &[Choice]) -> TokenStream {
    if choices.iter().all(|choice| choice.text) {
        return quote!(::oxflow::describe::Form::Text);
    }
    let objects: Option<Vec<&TokenStream>> = choices.iter().map(|choice| choice.object.as_ref()).collect();
    match objects {
        None => quote!(::oxflow::describe::Form::Value),
        Some(objects) => quote! {
            if #(#objects)&&* { ::oxflow::describe::Form::Fields } else { ::oxflow::describe::Form::Value }
        },
    }
}

impl VariantAttributes {
    fn name(&self, ident: &syn::Ident, rule: Option<Rule>) -> String {
        let written = ident.unraw().to_string();
        match (&self.rename, rule) {
            (Some(name), _) => name.clone(),
            (None, Some(rule)) => rule.variant(&written),
            (None, None) => written,
        }
    }
}
