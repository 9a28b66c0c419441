//! The function under an attribute.

use proc_macro2::TokenStream;
use syn::spanned::Spanned;
use syn::{Error, ItemFn, Result, Safety, Signature};

/// Expands an attribute, or says by an error of the compiler why it cannot.
pub(crate) fn expand(
    attribute: fn(TokenStream, TokenStream) -> Result<TokenStream>,
    options: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    attribute(options.into(), item.into())
        .unwrap_or_else(Error::into_compile_error)
        .into()
}

/// Parses the function under the attribute `name`, which must be a plain `async fn`.
pub(crate) fn parse(item: TokenStream, name: &str) -> Result<ItemFn> {
    let message = format!("`#[{name}]` stands on an `async fn` with a body");
    let function: ItemFn =
        syn::parse2(item.clone()).map_err(|_| Error::new_spanned(item, &message))?;
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
