//! The function under an attribute.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Block, Error, ItemFn, Result, Safety, Signature, Type};

use crate::options::Root;

/// Expands an attribute, or says by an error of the compiler why it cannot.
///
/// Beside the error stands what `stand_in` makes of the function, so that its callers do not miss it, too.
pub(crate) fn expand(
    attribute: fn(TokenStream, TokenStream) -> Result<TokenStream>,
    stand_in: fn(ItemFn) -> TokenStream,
    options: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    let item = TokenStream::from(item);
    let expanded = attribute(options.into(), item.clone()).unwrap_or_else(|error| {
        let mut tokens = error.into_compile_error();
        tokens.extend(syn::parse2(item).map(stand_in));
        tokens
    });
    expanded.into()
}

/// The function as it is.
pub(crate) fn unchanged(function: ItemFn) -> TokenStream {
    function.into_token_stream()
}

/// No function: what calls it has to do without.
pub(crate) fn nothing(_: ItemFn) -> TokenStream {
    TokenStream::new()
}

/// A function that only has the name.
pub(crate) fn empty(function: ItemFn) -> TokenStream {
    let name = function.sig.ident;
    quote!(fn #name() {})
}

/// The code of a closure that returns what `block`, the body of a function, does.
///
/// A closure coerces nothing that it returns, unless the type is known from the first `return` on.
pub(crate) fn returning(root: &Root, returned: &Type, block: &Block) -> TokenStream {
    quote! {
        if false {
            return #root::__private::never::<#returned>();
        }
        #block
    }
}

/// Whether it looks like an `async fn` with a body, so that what is wrong is inside of it.
fn is_async_fn(item: TokenStream) -> bool {
    let words: Vec<_> = item.into_iter().collect();
    let is = |token: &TokenTree, word| matches!(token, TokenTree::Ident(name) if name == word);
    let mut pairs = words.windows(2);
    pairs.any(|pair| is(&pair[0], "async") && is(&pair[1], "fn"))
        && matches!(words.last(), Some(TokenTree::Group(_)))
}

/// Parses the function under the attribute `name`, which must be a plain `async fn`.
pub(crate) fn parse(item: TokenStream, name: &str) -> Result<ItemFn> {
    let message = format!("`#[{name}]` stands on an `async fn` with a body");
    let function: ItemFn = syn::parse2(item.clone()).map_err(|error| {
        if is_async_fn(item.clone()) {
            return error;
        }
        Error::new_spanned(item, &message)
    })?;
    let Signature {
        constness,
        asyncness,
        safety,
        abi,
        variadic,
        fn_token,
        ..
    } = &function.sig;
    let refuse = |span, what| {
        let message = format!("`#[{name}]` makes another function of it, which cannot be {what}");
        Err(Error::new(span, message))
    };
    if let Some(token) = constness {
        return refuse(token.span(), "`const`");
    }
    if !matches!(safety, Safety::Default) {
        return refuse(safety.span(), "`unsafe`");
    }
    if let Some(abi) = abi {
        return refuse(abi.span(), "`extern`");
    }
    if let Some(variadic) = variadic {
        return refuse(variadic.span(), "variadic");
    }
    if asyncness.is_none() {
        return Err(Error::new(fn_token.span(), message));
    }
    Ok(function)
}
