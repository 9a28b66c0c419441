//! `#[within]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, Error, Expr, ItemFn, Meta, Result, ReturnType, Token, Type, parse_quote};

use crate::{function, options};

/// What an attribute says: a scope, and perhaps another name of the crate.
struct Within {
    scope: Expr,
    options: TokenStream,
}

impl Parse for Within {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.is_empty() {
            let message = "`#[within(scope)]` takes the scope, made anew for each call";
            return Err(input.error(message));
        }
        let scope = input.parse()?;
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        let options = input.parse()?;
        Ok(Self { scope, options })
    }
}

pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let first: Within = syn::parse2(attribute)?;
    let root = options::parse(first.options, "none but the scope", |_, _, _| Ok(false))?;
    let mut function = function::parse(item, "within")?;
    let returned = match &function.sig.output {
        ReturnType::Default => parse_quote!(()),
        ReturnType::Type(_, returned) => (**returned).clone(),
    };
    if let Type::ImplTrait(returned) = &returned {
        let message = "`#[within]` needs the type that the function returns, by its name";
        return Err(Error::new_spanned(returned, message));
    }
    // The first attribute is the outermost scope: those below it are wrapped around the body before it.
    let mut scopes = vec![first.scope];
    let mut others = Vec::new();
    for attribute in std::mem::take(&mut function.attrs) {
        match inner(&attribute)? {
            Some(inner) => scopes.push(inner.scope),
            None => others.push(attribute),
        }
    }
    function.attrs = others;
    let ItemFn {
        attrs,
        vis,
        sig,
        block,
        ..
    } = function;
    let mut body = quote!(#block);
    for scope in scopes.into_iter().rev() {
        body = quote!({
            #[allow(unused_imports)]
            use #root::WithinValue as _;
            #root::Within::<#returned>::new().run(#scope, async |_| -> #returned #body).await
        });
    }
    Ok(quote! {
        #(#attrs)*
        #vis #sig #body
    })
}

/// What the attribute says, if it is another one of this kind.
fn inner(attribute: &Attribute) -> Result<Option<Within>> {
    let last = attribute.path().segments.last();
    match &attribute.meta {
        Meta::List(list) if last.is_some_and(|segment| segment.ident == "within") => {
            Within::parse.parse2(list.tokens.clone()).map(Some)
        }
        _ => Ok(None),
    }
}
