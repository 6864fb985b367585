//! What a payload borrows, in the types that a user wrote.
//!
//! A function names the borrow in its own words (`Event<'_>`, `Event<'a>`, `&[u8]`). What the runtime knows of it needs the
//! type with `'static`, the call needs it with the lifetime of the call.

use proc_macro2::{Group, Ident, Punct, Spacing, TokenStream, TokenTree};
use quote::ToTokens;

/// The lifetime of a call in what the macros write.
pub(crate) const CALL: &str = "oxflow";

/// The type with `'static` for everything that it borrows.
pub(crate) fn unbound(ty: &impl ToTokens) -> TokenStream {
    renamed(ty.to_token_stream(), "static")
}

/// The type with the lifetime [`CALL`] for everything that it borrows.
pub(crate) fn of_call(ty: &impl ToTokens) -> TokenStream {
    renamed(ty.to_token_stream(), CALL)
}

/// Whether it borrows anything.
pub(crate) fn borrows(ty: &impl ToTokens) -> bool {
    of_call(ty).to_string() != unbound(ty).to_string()
}

fn renamed(tokens: TokenStream, name: &str) -> TokenStream {
    let mut out = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), renamed(group.stream(), name));
                inner.set_span(group.span());
                inner.to_tokens(&mut out);
            }
            TokenTree::Punct(mark) if mark.as_char() == '\'' => {
                mark.to_tokens(&mut out);
                if let Some(TokenTree::Ident(old)) = tokens.next() {
                    let kept = old == "static";
                    let new = if kept { old } else { Ident::new(name, old.span()) };
                    new.to_tokens(&mut out);
                }
            }
            TokenTree::Punct(mark) if mark.as_char() == '&' => {
                mark.to_tokens(&mut out);
                let named = matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == '\'');
                if !named {
                    let mut quote = Punct::new('\'', Spacing::Joint);
                    quote.set_span(mark.span());
                    quote.to_tokens(&mut out);
                    Ident::new(name, mark.span()).to_tokens(&mut out);
                }
            }
            other => other.to_tokens(&mut out),
        }
    }
    out
}
