//! `#[oxflow::function]`.

use crate::derive::documentation;
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Error, FnArg, ItemFn, PatType, Result, ReturnType, Safety, Signature, Type};

pub(crate) fn expand(arguments: &TokenStream, item: TokenStream) -> Result<TokenStream> {
    if !arguments.is_empty() {
        return Err(Error::new(arguments.span(), "`#[oxflow::function]` takes no arguments"));
    }
    let function: ItemFn = syn::parse2(item)?;
    let signature = &function.sig;
    refuse(signature)?;
    let message = argument(signature)?;
    let ReturnType::Type(_, result) = &signature.output else {
        return Err(Error::new(
            signature.ident.span(),
            "a function of oxflow returns something; a filter returns `bool`",
        ));
    };
    let conditions = function.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    let registration = registration(signature, message, result, &documentation(&function.attrs));
    Ok(quote!(#(#conditions)* const _: () = { #registration };))
}

fn refuse(signature: &Signature) -> Result<()> {
    if let Some(word) = signature.asyncness {
        return Err(Error::new(
            word.span,
            "a function of oxflow can't be `async`: it runs in a batch, on a thread of the runtime",
        ));
    }
    if let Safety::Unsafe(word) = signature.safety {
        return Err(Error::new(word.span, "a function of oxflow can't be `unsafe`: Python can't keep its promise"));
    }
    if !signature.generics.params.is_empty() {
        let message = "a function of oxflow can't be generic: Python calls it with one payload type";
        return Err(Error::new(signature.generics.span(), message));
    }
    Ok(())
}

/// The type of the one argument.
fn argument(signature: &Signature) -> Result<&Type> {
    let mut inputs = signature.inputs.iter();
    match (inputs.next(), inputs.next()) {
        (Some(FnArg::Typed(PatType { ty, .. })), None) => Ok(ty),
        (Some(FnArg::Receiver(receiver)), _) => {
            Err(Error::new(receiver.span(), "a function of oxflow is a plain function: it has no `self`"))
        }
        (_, Some(second)) => Err(Error::new(second.span(), "a function of oxflow takes one argument, the message")),
        (None, None) => {
            Err(Error::new(signature.paren_token.span.join(), "a function of oxflow takes one argument, the message"))
        }
    }
}

fn registration(signature: &Signature, argument: &Type, result: &Type, doc: &str) -> TokenStream {
    let (function, name) = (&signature.ident, signature.ident.unraw().to_string());
    let (message, call, peek) = match argument {
        Type::Reference(reference) => (
            &*reference.elem,
            quote!(#function(&message)),
            quote!(::core::option::Option::Some(|message| #function(message))),
        ),
        owned => (
            owned,
            quote!(#function(message)),
            quote! {{
                #[allow(unused_imports, reason = "which of the two serves depends on the type")]
                use ::oxflow::__private::{ByClone as _, ByNothing as _};
                (&::oxflow::__private::Probe::<Self>(::core::marker::PhantomData)).peek()
            }},
        ),
    };
    let input = quote_spanned!(message.span()=> <#message as ::oxflow::__private::Argument>::Payload);
    let output = quote_spanned!(result.span()=> <#result as ::oxflow::function::Output>::Payload);
    quote! {
        struct Registered;

        impl ::oxflow::function::Function for Registered {
            type Input = #input;
            type Output = #output;
            type Result = #result;
            const FORM: ::oxflow::abi::Form = ::oxflow::abi::Form::Object;
            const NAME: &'static str = #name;
            const DOC: &'static str = #doc;

            fn call(message: ::oxflow::Message<Self::Input>) -> Self::Result {
                #call
            }

            fn peek() -> ::core::option::Option<::oxflow::__private::Peek<Self>> {
                #peek
            }
        }

        ::oxflow::__private::inventory::submit! { ::oxflow::__private::Entry::function::<Registered>() }
        ::oxflow::__refuse_abort! {}
    }
}
