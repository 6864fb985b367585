//! The fields of structs and variants.

use super::Described;
use super::attributes::{Container, Member, OWN_FORM};
use super::rename::Rule;
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Error, Field, Fields, FieldsNamed, FieldsUnnamed, Ident, Result, Type};

/// The parts of a record.
pub(super) fn parts(fields: &FieldsNamed, container: &Container, rule: Option<Rule>) -> Result<Vec<TokenStream>> {
    let mut parts = Vec::new();
    for field in &fields.named {
        let member = Member::parse(&field.attrs)?;
        if !member.skip {
            parts.push(part(field, &member, container, rule)?);
        }
    }
    Ok(parts)
}

fn part(field: &Field, member: &Member, container: &Container, rule: Option<Rule>) -> Result<TokenStream> {
    let described = member.described(&field.ty)?;
    refuse_copies(&field.ty, member)?;
    if member.rest {
        return Ok(quote!(::oxflow::describe::Part::rest::<#described>()));
    }
    if let Some(flatten) = member.flatten {
        if container.rejects_unknown {
            let message = "`#[payload(unknown = \"reject\")]` can't see what serde drops beside a flattened field; \
                           write the fields out, or keep the rest in a map with `#[payload(rest)]`";
            return Err(Error::new(flatten, message));
        }
        return Ok(quote!(::oxflow::describe::Part::flat::<#described>(scope)));
    }
    let defaulted = member.default || container.default || member.skip_deserializing.is_some();
    refuse_one_way(field, member, container, defaulted)?;
    let name = field.ident.as_ref().map(|ident| member.name(ident, rule, Rule::field)).unwrap_or_default();
    let exactly = member.with.is_some().then(|| quote!(.exactly()));
    let defaulted = defaulted.then(|| quote!(.defaulted()));
    let unwritten = member.unwritten.is_some().then(|| quote!(.unwritten()));
    Ok(quote!(::oxflow::describe::Part::of::<#described>(scope, #name) #exactly #defaulted #unwritten))
}

/// Serde reads a `Cow` as a `String`, without a word, unless it is the whole field and `borrow` stands on it.
fn refuse_copies(ty: &Type, member: &Member) -> Result<()> {
    let whole = matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Cow"));
    match borrowing_cow(ty.to_token_stream()) {
        Some(span) if !whole => {
            let message = "serde copies a `Cow` inside of another type; `oxflow::Text` is borrowed there, too";
            Err(Error::new(span, message))
        }
        Some(span) if !member.borrow && member.with.is_none() => {
            Err(Error::new(span, "serde copies this text, unless `#[serde(borrow)]` stands on the field"))
        }
        _ => Ok(()),
    }
}

/// Where `Cow<'a` stands in a type, with any lifetime but `'static`.
fn borrowing_cow(tokens: TokenStream) -> Option<Span> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let words: Vec<String> = tokens.iter().map(ToString::to_string).collect();
    let here = words.windows(4).position(|words| {
        matches!(words, [cow, open, quote, name] if cow == "Cow" && open == "<" && quote == "'" && name != "static")
    });
    here.and_then(|index| tokens.get(index)).map(TokenTree::span).or_else(|| {
        tokens
            .iter()
            .find_map(|token| if let TokenTree::Group(group) = token { borrowing_cow(group.stream()) } else { None })
    })
}

/// What is written must be readable: the next step of the pipeline takes it.
fn refuse_one_way(field: &Field, member: &Member, container: &Container, defaulted: bool) -> Result<()> {
    if let Some(span) = member.unwritten.filter(|_| !defaulted && (member.with.is_some() || !is_option(&field.ty))) {
        let message = "with `skip_serializing` or `skip_serializing_if` a field must have a default, or what is written \
                       can't be read: add `#[serde(default)]`";
        return Err(Error::new(span, message));
    }
    match member.skip_deserializing.filter(|_| container.deny_unknown_fields || container.rejects_unknown) {
        None => Ok(()),
        Some(span) => {
            let message = "with `skip_deserializing` a field is written that a type which refuses unknown fields can't read; \
                           remove one of the two";
            Err(Error::new(span, message))
        }
    }
}

fn is_option(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path.segments.last().is_some_and(|segment| segment.ident == "Option")
}

/// The field that `#[serde(transparent)]` makes the whole value.
pub(super) fn transparent(ident: &Ident, fields: &Fields) -> Result<Described> {
    let mut members = fields.iter().map(|field| Ok((field, Member::parse(&field.attrs)?)));
    let held =
        members.find(|member| !member.as_ref().is_ok_and(|(field, member)| member.skip || is_phantom(&field.ty)));
    match held {
        Some(held) => held.and_then(|(field, member)| Ok(Described::like(member.described(&field.ty)?))),
        None => Err(Error::new(ident.span(), "`#[serde(transparent)]` needs a field that isn't skipped")),
    }
}

fn is_phantom(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path.segments.last().is_some_and(|segment| segment.ident == "PhantomData")
}

/// The type of the only field.
pub(super) fn only(fields: &FieldsUnnamed) -> Result<Type> {
    let mut described = unnamed(fields)?;
    described.pop().ok_or_else(|| Error::new(fields.span(), "there is no field here"))
}

/// A list of exactly these items.
pub(super) fn tuple(fields: &FieldsUnnamed) -> Result<TokenStream> {
    let items = unnamed(fields)?;
    Ok(quote!(::oxflow::shape::Type::Tuple(::std::vec![#(<#items as ::oxflow::Shape>::describe(scope)),*])))
}

fn unnamed(fields: &FieldsUnnamed) -> Result<Vec<Type>> {
    let described = fields.unnamed.iter().map(|field| {
        let member = Member::parse(&field.attrs)?;
        if let Some(error) = member.named_only {
            return Err(error);
        }
        Ok(member.described(&field.ty)?.clone())
    });
    described.collect()
}

impl Member {
    /// The name in JSON.
    pub(super) fn name(&self, ident: &Ident, rule: Option<Rule>, apply: fn(Rule, &str) -> String) -> String {
        let written = ident.unraw().to_string();
        match (&self.rename, rule) {
            (Some(name), _) => name.clone(),
            (None, Some(rule)) => apply(rule, &written),
            (None, None) => written,
        }
    }

    /// The type that tells the shape.
    fn described<'a>(&'a self, own: &'a Type) -> Result<&'a Type> {
        match (&self.shape, self.with) {
            (Some(shape), _) => Ok(shape),
            (None, None) => Ok(own),
            (None, Some(span)) => Err(Error::new(span, OWN_FORM)),
        }
    }
}
