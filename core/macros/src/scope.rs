//! `#[scope]`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::{Error, ItemFn, Result, ReturnType, Type, parse_quote};

use crate::{arguments, function, options, yields};

pub(crate) fn expand(options: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let mut guard: Type = parse_quote!(());
    let mut local = false;
    let root = options::parse(options, "`yields = Type`, `local`", |name, ident, input| {
        match name {
            "yields" => guard = options::value(ident, input)?,
            "local" => local = true,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let ItemFn {
        attrs,
        vis,
        mut sig,
        mut block,
        ..
    } = function::parse(item, "scope")?;
    let ReturnType::Type(_, returned) = std::mem::replace(&mut sig.output, ReturnType::Default)
    else {
        let message = "the function of a scope returns a `Result`: `Result<(), E>`, or `Result<Recover, E>` if it may suppress the error of the body";
        return Err(Error::new(sig.ident.span(), message));
    };
    // Of this macro only; and no constant has such a name.
    let provide = Ident::new("__withal_provide", Span::mixed_site());
    if let Err(error) = yields::lend(&mut block, &sig.ident, &provide) {
        // Those who call it are told nothing beside that.
        sig.asyncness = None;
        let error = error.into_compile_error();
        return Ok(quote! {
            #error
            #(#attrs)*
            #[allow(unused_variables)] // for its body is gone
            #vis #sig -> #root::ErasedFn<#guard, #returned> {
                loop {}
            }
        });
    }
    block.stmts.splice(0..0, arguments::moved(&mut sig));
    let body = function::returning(&root, &returned, &block);
    let name = sig.ident.unraw().to_string();
    let send = (!local).then(|| quote!(+ ::core::marker::Send));
    sig.asyncness = None;
    sig.output = parse_quote! {
        -> #root::ScopeFn<#guard, impl ::core::future::Future<Output = #returned> #send>
    };
    Ok(quote! {
        #(#attrs)*
        #vis #sig {
            #root::scope_fn(async move |#provide: #root::Provide<#guard>| -> #returned {
                #body
            })
            .called(#name)
        }
    })
}
