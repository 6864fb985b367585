//! `rust_function!`: a function from a closure.

use crate::derive::documentation;
use crate::lifetimes::{CALL, borrows, of_call};
use crate::registration::{Registration, Takes};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Expr, Ident, Lifetime, Result, ReturnType, Token, Type, Visibility};

/// Name, payload that it takes, payload that it gives, closure.
pub(crate) struct RustFunction {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    name: Ident,
    input: Type,
    output: Type,
    function: Expr,
}

impl Parse for RustFunction {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let (visibility, name) = (input.parse()?, input.parse()?);
        input.parse::<Token![,]>()?;
        let takes = input.parse()?;
        input.parse::<Token![,]>()?;
        let output = input.parse()?;
        input.parse::<Token![,]>()?;
        let function = input.parse()?;
        input.parse::<Option<Token![,]>>()?;
        Ok(Self { attributes, visibility, name, input: takes, output, function })
    }
}

pub(crate) fn expand(function: &RustFunction) -> TokenStream {
    let RustFunction { attributes, visibility, name, input, output, function } = function;
    let result = match function {
        Expr::Closure(closure) => match &closure.output {
            ReturnType::Type(_, result) => &**result,
            ReturnType::Default => output,
        },
        _ => output,
    };
    let registration = Registration {
        registered: name.to_token_stream(),
        name: name.unraw().to_string(),
        doc: documentation(attributes),
        takes: Takes::Payload(input),
        result,
        output: Some(output),
        class: true,
        constructed: false,
        stateful: false,
    };
    let implementations = registration.expand(&quote!(#name::call(message)));
    let lifetime = Lifetime::new(&format!("'{CALL}"), Span::call_site());
    let lifetime = (borrows(input) || borrows(result)).then(|| quote!(<#lifetime>));
    let (taken, given) = (of_call(input), of_call(result));
    quote! {
        #(#attributes)*
        #visibility struct #name;

        impl #name {
            /// Calls the function, as a pipeline does for each message.
            #[allow(dead_code, reason = "for tests, which not every crate has")]
            #visibility fn call #lifetime (message: ::oxflow::Message<#taken>) -> #given {
                let function: fn(::oxflow::Message<#taken>) -> #given = #function;
                function(message)
            }
        }

        #implementations

        impl ::oxflow::step::Step<Self> for #name {
            const ENTRY: ::oxflow::__private::Entry = ::oxflow::__private::Entry::function::<Self>();

            fn function(self) -> Self {
                self
            }
        }

        impl ::oxflow::step::Make<Self, Self> for #name {
            fn make(&self) -> ::core::result::Result<Self, ::std::string::String> {
                ::core::result::Result::Ok(Self)
            }
        }

        ::oxflow::__private::inventory::submit! { ::oxflow::__private::Entry::function::<#name>() }
        ::oxflow::__refuse_abort! {}
    }
}
