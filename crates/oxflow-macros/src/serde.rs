//! The serde attributes that a shape can express, and a refusal of all others.

use crate::rename::Rule;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Error, Expr, LitStr, Result, Token};

/// What serde's attributes on a struct or enum say.
#[derive(Default)]
pub(crate) struct Container {
    pub(crate) rename_all: Option<Rule>,
    pub(crate) default: bool,
    pub(crate) untagged: bool,
}

/// What serde's attributes on a field or variant say.
#[derive(Default)]
pub(crate) struct Member {
    pub(crate) rename: Option<String>,
    pub(crate) default: bool,
    pub(crate) skip: bool,
}

impl Container {
    pub(crate) fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut container = Self::default();
        each(attributes, |meta, word| {
            match word {
                "rename_all" => container.rename_all = Some(Rule::parse(&text(meta)?)?),
                "default" => container.default = skip_value(meta)?,
                "untagged" => container.untagged = true,
                // They change what is refused or how it is said, not which fields there are.
                "rename" | "deny_unknown_fields" | "expecting" | "crate" => {
                    skip_value(meta)?;
                }
                _ => return Err(refuse(meta, word)),
            }
            Ok(())
        })?;
        Ok(container)
    }
}

impl Member {
    pub(crate) fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut member = Self::default();
        each(attributes, |meta, word| {
            match word {
                "rename" => member.rename = Some(text(meta)?.value()),
                "default" | "skip_serializing_if" => member.default = skip_value(meta)?,
                "skip" => member.skip = true,
                _ => return Err(refuse(meta, word)),
            }
            Ok(())
        })?;
        Ok(member)
    }
}

fn each(attributes: &[Attribute], mut read: impl FnMut(&ParseNestedMeta<'_>, &str) -> Result<()>) -> Result<()> {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        attribute.parse_nested_meta(|meta| {
            let word = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            read(&meta, &word)
        })?;
    }
    Ok(())
}

/// The text of `word = "text"`. A name that differs between reading and writing is refused here: it comes as `word(..)`.
fn text(meta: &ParseNestedMeta<'_>) -> Result<LitStr> {
    if meta.input.peek(syn::token::Paren) {
        return Err(meta.error("derive(Payload) describes one shape: names can't differ between reading and writing"));
    }
    meta.value()?.parse()
}

/// Reads past `= value` if there is one; true, so that it reads well where a flag is set.
fn skip_value(meta: &ParseNestedMeta<'_>) -> Result<bool> {
    if meta.input.peek(Token![=]) {
        meta.value()?.parse::<Expr>()?;
    }
    Ok(true)
}

fn refuse(meta: &ParseNestedMeta<'_>, word: &str) -> Error {
    meta.error(format!(
        "derive(Payload) can't describe `#[serde({word})]` to Python; \
         remove it, or use `oxflow::convert_via_json!` instead of the derive, which describes nothing"
    ))
}
