//! `#[oxflow::function]` on a plain function.

use crate::derive::documentation;
use crate::registration::{Registration, Takes};
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{
    Error, FnArg, GenericArgument, GenericParam, Ident, ItemFn, PatType, PathArguments, Result, ReturnType, Safety,
    Signature, Token, Type,
};

/// `step = Name`: the type that the function is called by in a pipeline that is built in Rust.
pub(crate) struct Known(Ident);

impl Parse for Known {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let word: Ident = input.parse()?;
        if word != "step" {
            return Err(Error::new(word.span(), "`#[oxflow::function]` takes `step = Name` and nothing else"));
        }
        input.parse::<Token![=]>()?;
        Ok(Self(input.parse()?))
    }
}

pub(crate) fn expand(function: &ItemFn, known: Option<&Known>) -> Result<TokenStream> {
    let signature = &function.sig;
    refuse(signature)?;
    let takes = takes(only_argument(signature)?);
    let result = result(signature, &takes)?;
    let conditions = function.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    let registration = Registration {
        registered: quote!(__Registered),
        name: signature.ident.unraw().to_string(),
        doc: documentation(&function.attrs),
        takes,
        result,
        output: None,
        class: false,
        constructed: false,
        stateful: false,
    };
    let ident = &signature.ident;
    let argument = if let Takes::Batch(_) = registration.takes { quote!(batch) } else { quote!(message) };
    let implementations = registration.expand(&quote!(#ident(#argument)));
    let entry = if let Takes::Batch(_) = registration.takes { quote!(batch_function) } else { quote!(function) };
    let conditions: Vec<_> = conditions.collect();
    let declared = known.map(|Known(name)| {
        let (visibility, text) =
            (&function.vis, format!("The function [`{ident}`] in a pipeline that is built in Rust."));
        quote! {
            #(#conditions)*
            #[doc = #text]
            #[derive(Clone, Copy, Debug)]
            #visibility struct #name;
        }
    });
    let step = known.map(|Known(name)| {
        quote! {
            impl ::oxflow::step::Step<__Registered> for #name {
                const ENTRY: ::oxflow::__private::Entry = ::oxflow::__private::Entry::#entry::<__Registered>();

                fn function(self) -> __Registered {
                    __Registered
                }
            }

            impl ::oxflow::step::Make<__Registered, Self> for #name {
                fn make(&self) -> ::core::result::Result<Self, ::std::string::String> {
                    ::core::result::Result::Ok(Self)
                }
            }
        }
    });
    Ok(quote! {
        #declared

        #(#conditions)*
        const _: () = {
            struct __Registered;

            #implementations
            #step

            ::oxflow::__private::inventory::submit! { ::oxflow::__private::Entry::#entry::<__Registered>() }
            ::oxflow::__refuse_abort! {}
        };
    })
}

/// What no function of oxflow can be.
pub(crate) fn refuse(signature: &Signature) -> Result<()> {
    if let Some(word) = signature.asyncness {
        return Err(Error::new(
            word.span,
            "a function of oxflow can't be `async`: it runs in a batch, on a thread of the runtime",
        ));
    }
    if let Safety::Unsafe(word) = signature.safety {
        return Err(Error::new(word.span, "a function of oxflow can't be `unsafe`: Python can't keep its promise"));
    }
    let generic = signature.generics.params.iter().find(|parameter| !matches!(parameter, GenericParam::Lifetime(_)));
    if let Some(generic) = generic {
        let message = "a function of oxflow can't be generic: Python calls it with one payload type";
        return Err(Error::new(generic.span(), message));
    }
    Ok(())
}

/// The type of the one argument.
fn only_argument(signature: &Signature) -> Result<&Type> {
    let mut inputs = signature.inputs.iter();
    match (inputs.next(), inputs.next()) {
        (Some(FnArg::Typed(PatType { ty, .. })), None) => Ok(ty),
        (Some(FnArg::Receiver(receiver)), _) => Err(Error::new(
            receiver.span(),
            "a function of oxflow is a plain function, without `self`; one with settings or state is an `impl` block with \
             `#[oxflow::function]` on it",
        )),
        (_, Some(second)) => Err(Error::new(second.span(), "a function of oxflow takes one argument, the message")),
        (None, None) => {
            Err(Error::new(signature.paren_token.span.join(), "a function of oxflow takes one argument, the message"))
        }
    }
}

/// How a function takes its messages, by its argument's type.
pub(crate) fn takes(argument: &Type) -> Takes<'_> {
    match strip(argument) {
        Type::Reference(reference) => match strip(&reference.elem) {
            Type::Slice(slice) => Takes::Batch(&slice.elem),
            message => Takes::Reference(message),
        },
        message => Takes::Message(message),
    }
}

/// What a function returns; for a batch, what it returns for each message.
pub(crate) fn result<'s>(signature: &'s Signature, takes: &Takes<'_>) -> Result<&'s Type> {
    let ReturnType::Type(_, result) = &signature.output else {
        return Err(Error::new(
            signature.ident.span(),
            "a function of oxflow returns something; a filter returns `bool`",
        ));
    };
    match takes {
        Takes::Batch(_) => item_of_vec(result).ok_or_else(|| {
            Error::new(
                result.span(),
                "a function of a batch returns a `Vec` that has a result for each of its messages",
            )
        }),
        _ => Ok(result),
    }
}

/// The type without what a macro put around it.
pub(crate) fn strip(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => strip(&group.elem),
        Type::Paren(paren) => strip(&paren.elem),
        other => other,
    }
}

fn item_of_vec(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = strip(ty) else { return None };
    let last = path.path.segments.last().filter(|segment| segment.ident == "Vec")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(item) => Some(item),
        _ => None,
    }
}
