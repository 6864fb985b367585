//! `#[oxflow::function]` on an `impl` block: a function with settings or state.
//!
//! `new` has the arguments that Python gives. `call` is the function; or `add` and `finish` make one of a list, from a copy of
//! what `new` made.

use crate::derive::documentation;
use crate::function::{refuse, result, strip, takes};
use crate::registration::{Registration, Takes};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Attribute, Error, Expr, FnArg, Ident, ImplItem, ImplItemFn, ItemImpl, Pat, PatType, Receiver, ReceiverKind, Result,
    ReturnType, Signature, Type,
};

/// What stands beside the block, and the block without the attributes that only this macro knows.
pub(crate) fn expand(block: &mut ItemImpl) -> Result<TokenStream> {
    refuse_block(block)?;
    let parameters = parameters(block)?;
    let block = &*block;
    let new = method(block, "new").ok_or_else(|| {
        Error::new(block.self_ty.span(), "a function with settings or state is made by `fn new(..) -> Self`")
    })?;
    let name = name_of(&block.self_ty)?;
    let conditions = block.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    let doc = documentation(&block.attrs);
    let (implementations, form) = match (method(block, "call"), method(block, "add"), method(block, "finish")) {
        (Some(call), None, None) => called(block, call, name, doc)?,
        (None, Some(add), Some(finish)) => accumulated(block, add, finish, name, doc)?,
        _ => {
            let message = "a function with settings or state has `fn call(&self, msg: ..)`; one that goes through a list has \
                           `fn add(&mut self, item: T)` and `fn finish(self)`";
            return Err(Error::new(block.self_ty.span(), message));
        }
    };
    let construction = construction(&block.self_ty, &new.sig, &parameters, &form)?;
    let (entry, holder, wrap, own) = (&form.entry, &form.holder, &form.wrap, &block.self_ty);
    Ok(quote! {
        #(#conditions)*
        const _: () = {
            struct __Registered(#holder);

            #implementations
            #construction

            impl ::oxflow::step::Step<__Registered> for #own {
                const ENTRY: ::oxflow::__private::Entry = ::oxflow::__private::Entry::#entry::<__Registered>();

                fn function(self) -> __Registered {
                    __Registered(#wrap(self))
                }
            }

            ::oxflow::__private::inventory::submit! { ::oxflow::__private::Entry::#entry::<__Registered>() }
            ::oxflow::__refuse_abort! {}
        };
    })
}

fn refuse_block(block: &ItemImpl) -> Result<()> {
    if let Some((.., path, _)) = &block.trait_ {
        return Err(Error::new(path.span(), "`#[oxflow::function]` goes on an `impl` block of the type's own methods"));
    }
    if !block.generics.params.is_empty() {
        let message = "a function of oxflow can't be generic: Python calls it with one payload type";
        return Err(Error::new(block.generics.span(), message));
    }
    Ok(())
}

/// How a function is held and entered.
struct Held {
    holder: TokenStream,
    wrap: TokenStream,
    entry: Ident,
    stateful: bool,
}

fn called(block: &ItemImpl, call: &ImplItemFn, name: String, doc: String) -> Result<(TokenStream, Held)> {
    let own = &block.self_ty;
    let signature = &call.sig;
    refuse(signature)?;
    let (receiver, argument) = receiver_and_argument(signature, "call")?;
    let ReceiverKind::Reference(_, _, mutable) = &receiver.kind else {
        return Err(Error::new(receiver.span(), "`call` takes `&self`, or `&mut self` to change its state"));
    };
    let stateful = mutable.is_some();
    let takes = takes(argument);
    let result = result(signature, &takes)?;
    let batch = matches!(takes, Takes::Batch(_));
    let argument = if batch { quote!(batch) } else { quote!(message) };
    let (holder, wrap, function) = if stateful {
        (quote!(::oxflow::__private::State<#own>), quote!(::oxflow::__private::State::new), quote!(self.0.enter()))
    } else {
        (quote!(#own), quote!(::core::convert::identity), quote!(self.0))
    };
    let registration = Registration {
        registered: quote!(__Registered),
        name,
        doc,
        takes,
        result,
        output: None,
        class: true,
        constructed: true,
        stateful,
    };
    let implementations = registration.expand(&quote!(#function.call(#argument)));
    let entry = if batch { format_ident!("constructed_batch") } else { format_ident!("constructed") };
    Ok((implementations, Held { holder, wrap, entry, stateful }))
}

fn accumulated(
    block: &ItemImpl,
    add: &ImplItemFn,
    finish: &ImplItemFn,
    name: String,
    doc: String,
) -> Result<(TokenStream, Held)> {
    let own = &block.self_ty;
    refuse(&add.sig)?;
    refuse(&finish.sig)?;
    let (receiver, argument) = receiver_and_argument(&add.sig, "add")?;
    if !matches!(receiver.kind, ReceiverKind::Reference(_, _, Some(_))) {
        return Err(Error::new(receiver.span(), "`add` takes `&mut self`"));
    }
    if let ReturnType::Type(_, ty) = &add.sig.output {
        return Err(Error::new(ty.span(), "`add` returns nothing; `finish` may return an error"));
    }
    let (item, pass) = match argument {
        Type::Reference(reference) => (&*reference.elem, quote!(&item)),
        owned => (owned, quote!(item)),
    };
    let result = result(&finish.sig, &Takes::List(item))?;
    let registration = Registration {
        registered: quote!(__Registered),
        name,
        doc,
        takes: Takes::List(item),
        result,
        output: None,
        class: true,
        constructed: true,
        stateful: false,
    };
    let implementations = registration.expand(&quote! {{
        let mut accumulator = <#own as ::core::clone::Clone>::clone(&self.0);
        for item in message.take().0 {
            accumulator.add(#pass);
        }
        accumulator.finish()
    }});
    let holder = quote!(#own);
    let wrap = quote!(::core::convert::identity);
    Ok((implementations, Held { holder, wrap, entry: format_ident!("constructed"), stateful: false }))
}

/// A parameter of `new`.
struct Parameter {
    name: Ident,
    ty: Type,
    default: Option<Expr>,
}

/// The parameters of `new`; takes `#[default(..)]` from them, which nobody else knows.
fn parameters(block: &mut ItemImpl) -> Result<Vec<Parameter>> {
    let new = block.items.iter_mut().find_map(|item| match item {
        ImplItem::Fn(method) if method.sig.ident == "new" => Some(method),
        _ => None,
    });
    let Some(new) = new else { return Ok(Vec::new()) };
    refuse(&new.sig)?;
    new.sig.inputs.iter_mut().map(parameter).collect()
}

fn parameter(argument: &mut FnArg) -> Result<Parameter> {
    let FnArg::Typed(PatType { attrs, pat, ty, .. }) = argument else {
        return Err(Error::new(argument.span(), "`new` makes the function: it has no `self`"));
    };
    let Pat::Ident(pattern) = &**pat else {
        return Err(Error::new(pat.span(), "an argument of `new` has a name, which is its name in Python"));
    };
    if let Type::Reference(reference) = strip(ty) {
        let message =
            "an argument of `new` is owned: it comes from Python, and nothing holds it; take a `String` or a `Vec`";
        return Err(Error::new(reference.span(), message));
    }
    let is_default = |attribute: &Attribute| attribute.path().is_ident("default");
    let default = attrs.iter().find(|attribute| is_default(attribute)).map(Attribute::parse_args).transpose()?;
    attrs.retain(|attribute| !is_default(attribute));
    Ok(Parameter { name: pattern.ident.clone(), ty: (**ty).clone(), default })
}

fn construction(own: &Type, new: &Signature, parameters: &[Parameter], form: &Held) -> Result<TokenStream> {
    if let ReturnType::Default = new.output {
        return Err(Error::new(new.ident.span(), "`new` gives `Self`, or a `Result` of it"));
    }
    let (names, types): (Vec<_>, Vec<_>) = parameters.iter().map(|parameter| (&parameter.name, &parameter.ty)).unzip();
    let texts = names.iter().map(|name| name.unraw().to_string());
    let has_default = parameters.iter().map(|parameter| parameter.default.is_some());
    let defaults = parameters.iter().filter_map(|parameter| {
        let (name, ty, default) = (&parameter.name, &parameter.ty, parameter.default.as_ref()?);
        Some(quote!(fn #name() -> #ty { #default }))
    });
    let attributes = parameters.iter().map(|parameter| {
        let path = format!("__Defaults::{}", parameter.name);
        parameter.default.as_ref().map(|_| quote!(#[serde(default = #path)]))
    });
    let known = parameters.iter().map(|Parameter { name, ty, default }| {
        if default.is_none() {
            return quote!(<#ty as ::oxflow::Shape>::OPTIONAL.then(|| ::std::string::String::from("null")));
        }
        quote!(::oxflow::__private::known(|| {
            use ::oxflow::__private::{Unwritten as _, Written as _};
            (&::oxflow::__private::Default(__Defaults::#name())).json()
        }))
    });
    let (wrap, stateful) = (&form.wrap, form.stateful);
    let optional = parameters.iter().map(|Parameter { ty, default, .. }| {
        let has_default = default.is_some();
        quote!((#has_default || <#ty as ::oxflow::Shape>::OPTIONAL))
    });
    let optional: Vec<_> = optional.collect();
    let in_order = optional.iter().zip(optional.iter().skip(1)).map(|(one, next)| quote!(&& (!#one || #next)));
    Ok(quote! {
        const _: () = ::core::assert!(
            true #(#in_order)*,
            "an argument of `new` that may be left out stands after those that may not"
        );

        struct __Defaults;

        impl __Defaults {
            #(#defaults)*
        }

        #[derive(::oxflow::__private::serde::Deserialize)]
        #[serde(crate = "::oxflow::__private::serde", deny_unknown_fields)]
        struct __Arguments {
            #(#attributes #names: #types,)*
        }

        impl ::oxflow::function::Construct for __Registered {
            const STATEFUL: bool = #stateful;

            fn parameters() -> ::std::vec::Vec<::oxflow::shape::Parameter> {
                ::std::vec![#(::oxflow::shape::Parameter {
                    field: ::oxflow::shape::Field {
                        name: ::std::string::String::from(#texts),
                        shape: <#types as ::oxflow::Shape>::shape(),
                        required: !(#has_default || <#types as ::oxflow::Shape>::OPTIONAL),
                        always: false,
                    },
                    default: #known,
                }),*]
            }

            fn create(arguments: &[u8]) -> ::core::result::Result<Self, ::oxflow::function::Failure> {
                let arguments: __Arguments = ::oxflow::__private::read_arguments(arguments)?;
                let made = ::oxflow::__private::Constructed::<#own>::constructed(<#own>::new(#(arguments.#names),*))?;
                ::core::result::Result::Ok(Self(#wrap(made)))
            }
        }
    })
}

fn method<'b>(block: &'b ItemImpl, name: &str) -> Option<&'b ImplItemFn> {
    block.items.iter().find_map(|item| match item {
        ImplItem::Fn(method) if method.sig.ident == name => Some(method),
        _ => None,
    })
}

fn receiver_and_argument<'s>(signature: &'s Signature, name: &str) -> Result<(&'s Receiver, &'s Type)> {
    let mut inputs = signature.inputs.iter();
    let (receiver, argument, more) = (inputs.next(), inputs.next(), inputs.next());
    if let (Some(FnArg::Receiver(receiver)), Some(FnArg::Typed(PatType { ty, .. })), None) = (receiver, argument, more)
    {
        return Ok((receiver, ty));
    }
    let message = format!("`{name}` takes `self` and one argument");
    Err(Error::new(signature.paren_token.span.join(), message))
}

fn name_of(own: &Type) -> Result<String> {
    let Type::Path(path) = own else {
        return Err(Error::new(own.span(), "a function with settings or state is a type of this crate"));
    };
    Ok(path.path.segments.last().map(|segment| segment.ident.unraw().to_string()).unwrap_or_default())
}
