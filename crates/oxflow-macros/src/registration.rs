//! What every form of a function becomes: a type that implements the traits of `oxflow::function`.

use crate::lifetimes::{CALL, of_call, unbound};
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Lifetime, Type};

/// A function, as its macro found it.
pub(crate) struct Registration<'a> {
    /// The type that stands for it.
    pub(crate) registered: TokenStream,
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) takes: Takes<'a>,
    /// What it returns: for a batch, what it returns for each message.
    pub(crate) result: &'a Type,
    /// The payload that it is said to give, where it says so.
    pub(crate) output: Option<&'a Type>,
    /// A class in Python, or an object.
    pub(crate) class: bool,
    /// `self` is needed to call it.
    pub(crate) constructed: bool,
    /// A call changes it.
    pub(crate) stateful: bool,
}

/// What a function takes.
pub(crate) enum Takes<'a> {
    /// `Message<T>`, by the tokens of that type.
    Message(&'a Type),
    /// `&Message<T>`.
    Reference(&'a Type),
    /// `&[Message<T>]`.
    Batch(&'a Type),
    /// Lists of this payload, one at a time.
    List(&'a Type),
    /// A message with this payload.
    Payload(&'a Type),
}

impl Registration<'_> {
    /// The implementations. `call` gives what the function returns, from the variable `message` (or `batch`) and, if the
    /// function is constructed, `self`.
    pub(crate) fn expand(&self, call: &TokenStream) -> TokenStream {
        let described = self.described();
        let function = match self.takes {
            Takes::Batch(_) => self.batch_function(call),
            _ => self.function(call),
        };
        quote!(#described #function)
    }

    fn described(&self) -> TokenStream {
        let Self { registered, name, doc, .. } = self;
        let input = self.input();
        let result = unbound(self.result);
        let output = self.output.map_or_else(
            || quote_spanned!(self.result.span()=> <#result as ::oxflow::function::Output>::Payload),
            unbound,
        );
        let form = if self.class { quote!(Class) } else { quote!(Object) };
        let only = if self.constructed { quote!(None) } else { quote!(Some(&#registered)) };
        quote! {
            impl ::oxflow::function::Described for #registered {
                type Input = #input;
                type Output = #output;
                const FORM: ::oxflow::abi::Form = ::oxflow::abi::Form::#form;
                const NAME: &'static str = #name;
                const DOC: &'static str = #doc;
                const KIND: ::oxflow::abi::Kind = <#result as ::oxflow::function::Output>::KIND;
                const ONLY: ::core::option::Option<&'static Self> = ::core::option::Option::#only;

                fn wishes() -> &'static [::oxflow::error_policy::Policy] {
                    #[allow(unused_imports, reason = "which of the two serves depends on the type")]
                    use ::oxflow::__private::{ByConfiguration as _, ByPolicy as _};
                    (&::oxflow::__private::Errors::<<#result as ::oxflow::function::Output>::Error>(
                        ::core::marker::PhantomData,
                    )).wishes()
                }
            }
        }
    }

    fn input(&self) -> TokenStream {
        match self.takes {
            Takes::Message(message) | Takes::Reference(message) | Takes::Batch(message) => {
                let unbound = unbound(message);
                quote_spanned!(message.span()=> <#unbound as ::oxflow::__private::Argument>::Payload)
            }
            Takes::List(item) => {
                let item = unbound(item);
                quote!(::oxflow::List<#item>)
            }
            Takes::Payload(payload) => unbound(payload),
        }
    }

    fn function(&self, call: &TokenStream) -> TokenStream {
        let (registered, lifetime) = (&self.registered, lifetime());
        let emit = self.emit(call);
        let peek = if matches!(self.takes, Takes::Reference(_)) {
            let this = if self.constructed { quote!(function) } else { quote!(_function) };
            quote!(::core::option::Option::Some(|#this, message, to| #registered::emit(#this, message, to)))
        } else {
            quote! {{
                #[allow(unused_imports, reason = "which of the two serves depends on the type")]
                use ::oxflow::__private::{ByClone as _, ByNothing as _};
                (&::oxflow::__private::Probe::<Self>(::core::marker::PhantomData)).peek()
            }}
        };
        let (by_reference, called) = if matches!(self.takes, Takes::Reference(_)) {
            let emitting = quote! {
                impl #registered {
                    fn emit<#lifetime>(
                        &self,
                        message: &::oxflow::Message<::oxflow::function::In<#lifetime, Self>>,
                        to: ::oxflow::function::Emitter<'_, ::oxflow::function::Out<#lifetime, Self>>,
                    ) -> ::core::result::Result<(), ::oxflow::function::Failure> {
                        #emit
                    }
                }
            };
            (Some(emitting), quote!(self.emit(&message, to)))
        } else {
            (None, emit)
        };
        quote! {
            #by_reference

            impl ::oxflow::function::Function for #registered {
                #[inline]
                fn call<#lifetime>(
                    &self,
                    message: ::oxflow::Message<::oxflow::function::In<#lifetime, Self>>,
                    to: ::oxflow::function::Emitter<'_, ::oxflow::function::Out<#lifetime, Self>>,
                ) -> ::core::result::Result<(), ::oxflow::function::Failure> {
                    #called
                }

                fn peek<#lifetime>() -> ::core::option::Option<::oxflow::function::Peek<#lifetime, Self>> {
                    #peek
                }
            }
        }
    }

    /// Calls the function and hands over what it returns.
    fn emit(&self, call: &TokenStream) -> TokenStream {
        let failure = self.failure();
        quote! {
            let result = #call;
            ::oxflow::function::Output::emit(result, to).map_err(|error| {
                let failure = #failure;
                failure(&error)
            })
        }
    }

    /// What makes a `Failure` of an error.
    fn failure(&self) -> TokenStream {
        let result = of_call(self.result);
        quote! {
            |error: &<#result as ::oxflow::function::Output>::Error| {
                #[allow(unused_imports, reason = "which of the two serves depends on the type")]
                use ::oxflow::__private::{ByConfiguration as _, ByPolicy as _};
                (&::oxflow::__private::Errors::<<#result as ::oxflow::function::Output>::Error>(
                    ::core::marker::PhantomData,
                )).failure(error)
            }
        }
    }

    fn batch_function(&self, call: &TokenStream) -> TokenStream {
        let (registered, lifetime, failure) = (&self.registered, lifetime(), self.failure());
        let stateful = self.stateful;
        quote! {
            impl ::oxflow::function::BatchFunction for #registered {
                const STATEFUL: bool = #stateful;

                fn call<#lifetime>(
                    &self,
                    batch: &[::oxflow::Message<::oxflow::function::In<#lifetime, Self>>],
                    to: ::oxflow::function::Collector<'_, '_, ::oxflow::function::Out<#lifetime, Self>>,
                ) {
                    let results = #call;
                    to.take(results, #failure);
                }
            }
        }
    }
}

fn lifetime() -> Lifetime {
    Lifetime::new(&format!("'{CALL}"), Span::call_site())
}
