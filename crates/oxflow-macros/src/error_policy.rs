//! `derive(ErrorPolicy)`: what is done with the message that an error came from, by `#[on_error(..)]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Error, Ident, LitInt, Result, parenthesized};

const WORDS: &str =
    "an error is met with `fail`, `skip`, `dead_letter` or `retry(times = 3, backoff_ms = 100, then = fail)`";

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let general = policy(&input.attrs)?;
    let Data::Enum(data) = &input.data else {
        let policy =
            general.ok_or_else(|| Error::new(input.ident.span(), "say what it is met with: `#[on_error(skip)]`"))?;
        return Ok(implementation(
            input,
            std::slice::from_ref(&policy),
            &quote!(::core::option::Option::Some(#policy)),
        ));
    };
    let mut policies = Vec::new();
    let mut arms = Vec::new();
    for variant in &data.variants {
        if let Some(policy) = policy(&variant.attrs)?.or_else(|| general.clone()) {
            let name = &variant.ident;
            arms.push(quote!(Self::#name { .. } => ::core::option::Option::Some(#policy),));
            policies.push(policy);
        }
    }
    let rest = (arms.len() < data.variants.len()).then(|| quote!(_ => ::core::option::Option::None,));
    Ok(implementation(input, &policies, &quote!(match *self { #(#arms)* #rest })))
}

fn implementation(input: &DeriveInput, policies: &[TokenStream], policy: &TokenStream) -> TokenStream {
    let ident = &input.ident;
    let (implementing, arguments, bounds) = input.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #implementing ::oxflow::ErrorPolicy for #ident #arguments #bounds {
            const POLICIES: &'static [::oxflow::error_policy::Policy] = &[#(#policies),*];

            fn policy(&self) -> ::core::option::Option<::oxflow::error_policy::Policy> {
                #policy
            }
        }
    }
}

/// The policy that the attributes name, as an expression.
fn policy(attributes: &[Attribute]) -> Result<Option<TokenStream>> {
    let mut found: Option<TokenStream> = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("on_error")) {
        attribute.parse_nested_meta(|meta| {
            if found.is_some() {
                return Err(meta.error("one policy is enough"));
            }
            found = Some(one(&meta)?);
            Ok(())
        })?;
        if found.is_none() {
            return Err(Error::new(attribute.span(), WORDS));
        }
    }
    Ok(found)
}

fn one(meta: &ParseNestedMeta<'_>) -> Result<TokenStream> {
    let word = meta.path.get_ident().map(Ident::to_string).unwrap_or_default();
    if word == "retry" {
        return retry(meta);
    }
    let name = plain(&word).ok_or_else(|| meta.error(WORDS))?;
    Ok(quote!(::oxflow::error_policy::Policy::#name))
}

fn plain(word: &str) -> Option<Ident> {
    let name = match word {
        "fail" => "Fail",
        "skip" => "Skip",
        "dead_letter" => "DeadLetter",
        _ => return None,
    };
    Some(format_ident!("{name}"))
}

fn retry(meta: &ParseNestedMeta<'_>) -> Result<TokenStream> {
    let (mut times, mut backoff_ms, mut then) = (3, 100, format_ident!("Fail"));
    if meta.input.peek(syn::token::Paren) {
        let settings;
        parenthesized!(settings in meta.input);
        while !settings.is_empty() {
            let name: Ident = settings.parse()?;
            settings.parse::<syn::Token![=]>()?;
            match name.to_string().as_str() {
                "times" => times = positive(&settings.parse()?)?,
                "backoff_ms" => backoff_ms = settings.parse::<LitInt>()?.base10_parse::<u64>()?,
                "then" => {
                    let word: Ident = settings.parse()?;
                    let message = "what comes after the last call is `fail`, `skip` or `dead_letter`";
                    then = plain(&word.to_string()).ok_or_else(|| Error::new(word.span(), message))?;
                }
                _ => return Err(Error::new(name.span(), "a retry has `times`, `backoff_ms` and `then`")),
            }
            settings.parse::<Option<syn::Token![,]>>()?;
        }
    }
    Ok(quote! {
        ::oxflow::error_policy::Policy::Retry {
            times: #times,
            backoff_ms: #backoff_ms,
            then: ::oxflow::error_policy::Then::#then,
        }
    })
}

fn positive(number: &LitInt) -> Result<u32> {
    let value: u32 = number.base10_parse()?;
    if value == 0 {
        Err(Error::new(number.span(), "at least 1; to call it once only, leave `retry` out"))
    } else {
        Ok(value)
    }
}
