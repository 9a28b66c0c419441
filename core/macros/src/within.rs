//! `#[within]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream, Parser};
use syn::visit::Visit;
use syn::{
    Attribute, Error, Expr, ItemFn, Meta, Result, ReturnType, Token, TypeImplTrait, parse_quote,
};

use crate::{function, options};

const KNOWN: &str = "none but the scope";

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
    let root = options::parse(first.options, KNOWN, |_, _, _| Ok(false))?;
    let mut function = function::parse(item, "within")?;
    let returned = match &function.sig.output {
        ReturnType::Default => parse_quote!(()),
        ReturnType::Type(_, returned) => (**returned).clone(),
    };
    let mut unnamed = Unnamed(None);
    unnamed.visit_type(&returned);
    if let Some(returned) = unnamed.0 {
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
    let mut body = *block;
    for scope in scopes.into_iter().rev() {
        let inner = function::returning(&root, &returned, &body);
        body = parse_quote!({
            use #root::__private::WithinValue as _;
            #root::__private::Within::<#returned>::new().run(#scope, async move |_| -> #returned { #inner }).await
        });
    }
    Ok(quote! {
        #(#attrs)*
        #vis #sig #body
    })
}

/// Looks for an `impl Trait` in a type.
struct Unnamed<'a>(Option<&'a TypeImplTrait>);

impl<'a> Visit<'a> for Unnamed<'a> {
    fn visit_type_impl_trait(&mut self, found: &'a TypeImplTrait) {
        self.0 = Some(found);
    }
}

/// What the attribute says, if it is another one of this kind.
fn inner(attribute: &Attribute) -> Result<Option<Within>> {
    let last = attribute.path().segments.last();
    match &attribute.meta {
        Meta::List(list) if last.is_some_and(|segment| segment.ident == "within") => {
            let within = Within::parse.parse2(list.tokens.clone())?;
            options::parse(within.options.clone(), KNOWN, |_, _, _| Ok(false))?;
            Ok(Some(within))
        }
        _ => Ok(None),
    }
}
