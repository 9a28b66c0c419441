//! `#[main]`.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Error, Expr, Ident, ItemFn, Result, ReturnType, Type, Visibility, parse_quote};

use crate::trial::{launcher, runtime_argument};
use crate::{function, options};

const KNOWN: &str =
    "`tokio`, `smol`, `async_std`, `futures`, `current_thread`, `exit_budget = Duration`";

pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let mut runtime: Option<Ident> = None;
    let mut current_thread: Option<Ident> = None;
    let mut budget: Option<Expr> = None;
    let root = options::parse(attribute, KNOWN, |name, ident, input| {
        match name {
            "tokio" | "smol" | "async_std" | "futures" => {
                if runtime.replace(ident.clone()).is_some() {
                    return Err(Error::new(ident.span(), "a program runs on one runtime"));
                }
            }
            "current_thread" => current_thread = Some(ident.clone()),
            "exit_budget" => budget = Some(options::value(ident, input)?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let function = function::parse(item, "main")?;
    let name = &function.sig.ident;
    let Some(runtime) = runtime else {
        let message =
            "`#[main(tokio)]` says on which runtime: `tokio`, `smol`, `async_std` or `futures`";
        return Err(Error::new(name.span(), message));
    };
    // Of this macro only: the function may be called so.
    let here = Span::mixed_site();
    let (rt, start) = (
        Ident::new("__withal_runtime", here),
        Ident::new("__withal_launcher", here),
    );
    let argument = runtime_argument(&function.sig, &rt)?;
    if let Some(only) = current_thread.as_ref().filter(|_| runtime != "tokio") {
        return Err(Error::new(only.span(), "only tokio has this flavour"));
    }
    let launcher = launcher(&root, &runtime, current_thread.is_some());
    let budget = budget.map(|budget| quote!(.with_exit_budget(#budget)));
    let mut body = quote!(#name(#argument));
    let returned: Type = match &function.sig.output {
        ReturnType::Default => parse_quote!(()),
        ReturnType::Type(_, returned) if matches!(**returned, Type::Never(_)) => {
            // A type that has no name where it stands for another one.
            body = quote!(async { #body.await; });
            parse_quote!(())
        }
        ReturnType::Type(_, returned) => (**returned).clone(),
    };
    let vis = &function.vis;
    // Other attributes are said of the code, and one may ask for an `async fn`.
    let (of_item, of_code) = function
        .attrs
        .iter()
        .cloned()
        .partition::<Vec<_>, _>(|other| {
            let name = other.path();
            name.is_ident("doc") || name.is_ident("cfg")
        });
    let inner = ItemFn {
        attrs: of_code,
        vis: Visibility::Inherited,
        ..function.clone()
    };
    Ok(quote! {
        #(#of_item)*
        #vis fn #name() -> #root::__private::Ended<#returned> {
            #inner
            let #start = #launcher #budget;
            let #rt = #root::Launch::runtime(&#start);
            #root::__private::Ended::from(#root::Launch::run(&#start, #body))
        }
    })
}
