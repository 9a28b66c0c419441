//! `#[test]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::spanned::Spanned;
use syn::{Error, Expr, FnArg, Ident, Result, Signature, Type};

use crate::options::Root;
use crate::{function, options};

/// A flavour of a runtime: the end of the test's name, and whether tokio runs on one thread.
struct Flavour {
    name: &'static str,
    runtime: &'static str,
    current_thread: bool,
}

/// Every flavour there is; which of them are enabled the facade knows.
const FLAVOURS: [Flavour; 5] = [
    flavour("tokio", "tokio", false),
    flavour("tokio_current_thread", "tokio", true),
    flavour("smol", "smol", false),
    flavour("async_std", "async_std", false),
    flavour("futures", "futures", false),
];

const fn flavour(name: &'static str, runtime: &'static str, current_thread: bool) -> Flavour {
    Flavour {
        name,
        runtime,
        current_thread,
    }
}

pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let mut only = Vec::new();
    let mut limit: Option<Expr> = None;
    let known = "`tokio`, `smol`, `async_std`, `futures`, `timeout = Duration`";
    let root = options::parse(attribute, known, |name, _, input| {
        match name {
            "timeout" => limit = Some(options::value(input)?),
            name if FLAVOURS.iter().any(|flavour| flavour.runtime == name) => {
                only.push(name.to_owned());
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let mut function = function::parse(item, "test")?;
    let name = &function.sig.ident;
    let argument = runtime_argument(&function.sig)?;
    let limit = match limit {
        Some(limit) => quote!(#limit),
        None => quote!(::core::time::Duration::from_secs(60)),
    };
    let is_wanted =
        |flavour: &&Flavour| only.is_empty() || only.iter().any(|name| name == flavour.runtime);
    let attrs = std::mem::take(&mut function.attrs);
    let (docs, attrs): (Vec<_>, Vec<_>) = attrs
        .into_iter()
        .partition(|attribute| attribute.path().is_ident("doc"));
    let tests = FLAVOURS.iter().filter(is_wanted).map(|flavour| {
        let test = format_ident!("{name}_on_{}", flavour.name, span = name.span());
        let on = format_ident!("on_{}", flavour.runtime);
        let runtime = format_ident!("{}", flavour.runtime);
        let launcher = launcher(&root, &runtime, flavour.current_thread);
        let called = test.to_string();
        quote! {
            #root::enabled::#on! {
                #[::core::prelude::v1::test]
                #(#attrs)*
                fn #test() {
                    #root::trial(
                        #called,
                        #limit,
                        || #launcher,
                        async |runtime| #name(#argument).await,
                    );
                }
            }
        }
    });
    let none = match only.is_empty() {
        true => quote! {
            #root::enabled::on_none! {
                ::core::compile_error!("no runtime is enabled: turn on a feature of withal, such as `tokio`");
            }
        },
        false => quote!(),
    };
    Ok(quote! {
        #(#docs)*
        #[cfg(test)]
        #function
        #(#tests)*
        #none
    })
}

/// Makes the launcher of a runtime.
pub(crate) fn launcher(root: &Root, runtime: &Ident, current_thread: bool) -> TokenStream {
    let start = match (runtime == "tokio", current_thread) {
        (true, true) => quote!(current_thread().expect("tokio starts")),
        (true, false) => quote!(multi_thread().expect("tokio starts")),
        (false, _) => quote!(new()),
    };
    quote!(#root::#runtime::Launcher::#start)
}

/// What is handed to a function that takes the runtime, or nothing.
pub(crate) fn runtime_argument(signature: &Signature) -> Result<TokenStream> {
    let mut inputs = signature.inputs.iter();
    let argument = match inputs.next() {
        None => return Ok(quote!()),
        Some(FnArg::Receiver(receiver)) => {
            return Err(Error::new(receiver.span(), "this is no method"));
        }
        Some(FnArg::Typed(argument)) => argument,
    };
    if let Some(second) = inputs.next() {
        let message = "it takes the runtime, and nothing else";
        return Err(Error::new(second.span(), message));
    }
    Ok(match *argument.ty {
        Type::Reference(_) => quote!(&runtime),
        _ => quote!(runtime),
    })
}
