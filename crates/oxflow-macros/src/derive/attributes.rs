//! What serde's attributes and `#[payload(..)]` say, and a refusal of what no shape can tell.
//!
//! Each attribute of serde is either honoured or an error here: one that is passed over would make the fields that Python
//! sees a lie.

use super::rename::Rule;
use proc_macro2::Span;
use quote::ToTokens;
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned;
use syn::{Attribute, Error, Expr, LitStr, Result, Token, Type};

/// What a function of the user's needs.
pub(super) const OWN_FORM: &str = "derive(Payload) can't know what `with`, `serialize_with` and `deserialize_with` make of a \
                                   value; name a type that looks the same in JSON, as `#[payload(shape = String)]`";

/// Attributes of a struct or enum.
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of serde's")]
#[derive(Default)]
pub(super) struct Container {
    pub(super) rename_all: Option<Rule>,
    pub(super) rename_all_fields: Option<Rule>,
    pub(super) default: bool,
    pub(super) deny_unknown_fields: bool,
    pub(super) rejects_unknown: bool,
    /// It is a message of protobuf; the word that says so.
    pub(super) protobuf: Option<Span>,
    pub(super) transparent: bool,
    pub(super) untagged: bool,
    pub(super) tag: Option<LitStr>,
    pub(super) content: Option<LitStr>,
    from: Option<(Span, Type)>,
    into: Option<(Span, Type)>,
    shape: Option<Type>,
}

/// Attributes of a field.
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of serde's")]
#[derive(Default)]
pub(super) struct Member {
    pub(super) rename: Option<String>,
    pub(super) default: bool,
    pub(super) skip: bool,
    pub(super) rest: bool,
    pub(super) shape: Option<Type>,
    pub(super) flatten: Option<Span>,
    pub(super) skip_deserializing: Option<Span>,
    /// `skip_serializing`, or its `_if`.
    pub(super) unwritten: Option<Span>,
    /// What it holds may lie in the message.
    pub(super) borrow: bool,
    /// A function of the user's reads or writes it.
    pub(super) with: Option<Span>,
    /// An attribute that only a named field can have, as an error that says so.
    pub(super) named_only: Option<Error>,
}

/// Attributes of a variant.
#[derive(Default)]
pub(super) struct VariantAttributes {
    pub(super) rename: Option<String>,
    pub(super) rename_all: Option<Rule>,
    pub(super) skip: bool,
    pub(super) other: bool,
    pub(super) untagged: bool,
    with: Option<Span>,
    shape: Option<Type>,
}

impl Container {
    pub(super) fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut found = Self::default();
        each(attributes, "serde", |meta, word| found.serde(meta, word))?;
        each(attributes, "payload", |meta, word| match word {
            "shape" => set(&mut found.shape, meta.value()?.parse()?),
            "unknown" => {
                let rule: LitStr = meta.value()?.parse()?;
                if rule.value() != "reject" {
                    return Err(Error::new(
                        rule.span(),
                        "unknown fields are dropped, or refused with `unknown = \"reject\"`",
                    ));
                }
                found.rejects_unknown = true;
                Ok(())
            }
            "codec" => {
                let codec: LitStr = meta.value()?.parse()?;
                if codec.value() != "protobuf" {
                    let message =
                        "every payload has JSON and msgpack; a message of protobuf says `codec = \"protobuf\"`";
                    return Err(Error::new(codec.span(), message));
                }
                set(&mut found.protobuf, codec.span())
            }
            _ => Err(meta.error(
                "a type has `#[payload(shape = Type)]`, `#[payload(unknown = \"reject\")]` and \
                 `#[payload(codec = \"protobuf\")]`",
            )),
        })?;
        match found.protobuf {
            Some(span) if found.rejects_unknown => Err(Error::new(
                span,
                "protobuf skips the fields that a message doesn't know: `unknown = \"reject\"` can't see them",
            )),
            _ => Ok(found),
        }
    }

    fn serde(&mut self, meta: &ParseNestedMeta<'_>, word: &str) -> Result<()> {
        match word {
            "rename_all" => set(&mut self.rename_all, Rule::parse(&text(meta)?)?),
            "rename_all_fields" => set(&mut self.rename_all_fields, Rule::parse(&text(meta)?)?),
            "tag" => set(&mut self.tag, text(meta)?),
            "content" => set(&mut self.content, text(meta)?),
            "from" | "try_from" => set(&mut self.from, (meta.path.span(), text(meta)?.parse()?)),
            "into" => set(&mut self.into, (meta.path.span(), text(meta)?.parse()?)),
            "default" => flag(&mut self.default, meta),
            "deny_unknown_fields" => flag(&mut self.deny_unknown_fields, meta),
            "transparent" => flag(&mut self.transparent, meta),
            "untagged" => flag(&mut self.untagged, meta),
            // They change how a refusal is said or what is asked of parameters, not what is written.
            "rename" | "bound" | "expecting" | "crate" => skip_value(meta),
            "remote" => Err(meta.error(
                "a stand-in for a type of another crate is no payload itself: don't derive Payload for it, and write \
                 `#[payload(shape = Type)]` on the fields that use it",
            )),
            _ => Err(refuse(meta, word)),
        }
    }

    /// What stands for the whole type: `#[payload(shape)]`, or the type that serde converts from and into.
    pub(super) fn described_as(&self) -> Result<Option<&Type>> {
        let same =
            |left: &Type, right: &Type| left.to_token_stream().to_string() == right.to_token_stream().to_string();
        match (&self.shape, &self.from, &self.into) {
            (Some(shape), ..) => Ok(Some(shape)),
            (None, None, None) => Ok(None),
            (None, Some((_, from)), Some((_, into))) if same(from, into) => Ok(Some(into)),
            (None, Some((span, _)), _) | (None, None, Some((span, _))) => Err(Error::new(
                *span,
                "what is read and what is written differ; convert `from` (or `try_from`) and `into` the same type, or name \
                 the one that both look like: `#[payload(shape = Type)]`",
            )),
        }
    }

    /// What of it holds inside of a variant.
    pub(super) fn of_variant(&self) -> Self {
        Self { deny_unknown_fields: self.deny_unknown_fields, rejects_unknown: self.rejects_unknown, ..Self::default() }
    }
}

impl Member {
    pub(super) fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut found = Self::default();
        each(attributes, "serde", |meta, word| found.serde(meta, word))?;
        each(attributes, "payload", |meta, word| match word {
            "shape" => set(&mut found.shape, meta.value()?.parse()?),
            "rest" => {
                found.rest = true;
                match found.flatten {
                    Some(_) => Ok(()),
                    None => Err(meta.error("serde must put the rest there, too: write `#[serde(flatten)]` as well")),
                }
            }
            _ => Err(meta.error("a field has `#[payload(shape = Type)]` and `#[payload(rest)]`")),
        })?;
        Ok(found)
    }

    fn serde(&mut self, meta: &ParseNestedMeta<'_>, word: &str) -> Result<()> {
        let span = meta.path.span();
        match word {
            // Read as well as the name, but never written: the shape has the one name.
            "alias" | "bound" => return skip_value(meta),
            "rename" => set(&mut self.rename, text(meta)?.value())?,
            "default" => flag(&mut self.default, meta)?,
            "skip" => self.skip = true,
            "flatten" => self.flatten = Some(span),
            "skip_deserializing" => self.skip_deserializing = Some(span),
            "skip_serializing" => self.unwritten = Some(span),
            "skip_serializing_if" => {
                self.unwritten = Some(span);
                skip_value(meta)?;
            }
            "with" | "serialize_with" | "deserialize_with" => {
                self.with = Some(span);
                return skip_value(meta);
            }
            "borrow" => {
                self.borrow = true;
                return skip_value(meta);
            }
            "getter" => {
                return Err(meta.error(
                    "`getter` belongs to `remote`, whose type is no payload itself: don't derive Payload for it",
                ));
            }
            _ => return Err(refuse(meta, word)),
        }
        self.skip |= self.skip_deserializing.is_some() && self.unwritten.is_some();
        let message = format!("`#[serde({word})]` can be described on named fields only: name the fields");
        self.named_only = Some(Error::new(span, message));
        Ok(())
    }
}

impl VariantAttributes {
    pub(super) fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut found = Self::default();
        each(attributes, "serde", |meta, word| match word {
            "rename" => set(&mut found.rename, text(meta)?.value()),
            "rename_all" => set(&mut found.rename_all, Rule::parse(&text(meta)?)?),
            "skip" => flag(&mut found.skip, meta),
            "other" => flag(&mut found.other, meta),
            "untagged" => flag(&mut found.untagged, meta),
            "alias" | "bound" | "borrow" => skip_value(meta),
            "with" | "serialize_with" | "deserialize_with" => {
                found.with = Some(meta.path.span());
                skip_value(meta)
            }
            "skip_serializing" | "skip_deserializing" => Err(meta
                .error(format!("`{word}`: a variant that goes only one way can't pass from step to step; use `skip`"))),
            _ => Err(refuse(meta, word)),
        })?;
        each(attributes, "payload", |meta, word| match word {
            "shape" => set(&mut found.shape, meta.value()?.parse()?),
            _ => Err(meta.error("a variant has `#[payload(shape = Type)]`")),
        })?;
        Ok(found)
    }

    /// The type that tells the shape of the content.
    pub(super) fn described(&self) -> Result<Option<&Type>> {
        match (&self.shape, self.with) {
            (Some(shape), _) => Ok(Some(shape)),
            (None, None) => Ok(None),
            (None, Some(span)) => Err(Error::new(span, OWN_FORM)),
        }
    }
}

fn each(
    attributes: &[Attribute],
    name: &str,
    mut read: impl FnMut(&ParseNestedMeta<'_>, &str) -> Result<()>,
) -> Result<()> {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident(name)) {
        attribute.parse_nested_meta(|meta| {
            let word = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            read(&meta, &word)
        })?;
    }
    Ok(())
}

#[allow(clippy::unnecessary_wraps, reason = "an arm of a match over attributes")]
fn set<T>(slot: &mut Option<T>, value: T) -> Result<()> {
    *slot = Some(value);
    Ok(())
}

fn flag(slot: &mut bool, meta: &ParseNestedMeta<'_>) -> Result<()> {
    *slot = true;
    skip_value(meta)
}

/// The text of `word = "text"`. A name that differs between reading and writing is refused here: it comes as `word(..)`.
fn text(meta: &ParseNestedMeta<'_>) -> Result<LitStr> {
    if meta.input.peek(syn::token::Paren) {
        return Err(meta.error(
            "derive(Payload) describes one shape: names can't differ between reading and writing; read an old name with `alias`",
        ));
    }
    meta.value()?.parse()
}

/// Reads past `= value` and `(..)`.
fn skip_value(meta: &ParseNestedMeta<'_>) -> Result<()> {
    if meta.input.peek(Token![=]) {
        meta.value()?.parse::<Expr>()?;
    } else if meta.input.peek(syn::token::Paren) {
        meta.input.parse::<proc_macro2::Group>()?;
    }
    Ok(())
}

fn refuse(meta: &ParseNestedMeta<'_>, word: &str) -> Error {
    meta.error(format!(
        "derive(Payload) can't describe `#[serde({word})]` to Python; \
         remove it, or use `oxflow::convert_via_json!` instead of the derive, which describes nothing"
    ))
}
