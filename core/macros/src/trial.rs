//! `#[test]`.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::spanned::Spanned;
use syn::{Attribute, Error, Expr, FnArg, Ident, Meta, Result, Signature, Type};

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
    let root = options::parse(attribute, known, |name, ident, input| {
        match name {
            "timeout" => limit = Some(options::value(ident, input)?),
            name if FLAVOURS.iter().any(|flavour| flavour.runtime == name) => {
                only.push(name.to_owned());
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let mut function = function::parse(item, "test")?;
    let name = &function.sig.ident;
    // Of this macro only: the function may be called so.
    let rt = Ident::new("__withal_runtime", Span::mixed_site());
    let argument = runtime_argument(&function.sig, &rt)?;
    let limit = match limit {
        Some(limit) => quote!(#limit),
        None => quote!(::core::time::Duration::from_secs(60)),
    };
    let is_wanted =
        |flavour: &&Flavour| only.is_empty() || only.iter().any(|name| name == flavour.runtime);
    let attrs = std::mem::take(&mut function.attrs);
    if let Some(other) = attrs.iter().find(|other| other.path().is_ident("test")) {
        let message = "`#[withal::test]` makes tests of it: this attribute goes";
        return Err(Error::new_spanned(other, message));
    }
    let of_tests: Vec<_> = attrs.iter().filter(|other| is_of_tests(other)).collect();
    let of_function = attrs.iter().filter(|other| is_of_function(other));
    let tests = FLAVOURS.iter().filter(is_wanted).map(|flavour| {
        let test = format_ident!("{name}_on_{}", flavour.name, span = name.span());
        let on = format_ident!("on_{}", flavour.runtime);
        let runtime = format_ident!("{}", flavour.runtime);
        let launcher = launcher(&root, &runtime, flavour.current_thread);
        let called = test.to_string();
        quote! {
            #root::__private::enabled::#on! {
                #[::core::prelude::v1::test]
                #(#of_tests)*
                fn #test() {
                    #root::__private::trial(
                        #called,
                        #limit,
                        || #launcher,
                        async |#rt| #name(#argument).await,
                    );
                }
            }
        }
    });
    // A test that never runs is no test.
    let mut runtimes: Vec<_> = FLAVOURS
        .iter()
        .filter(is_wanted)
        .map(|flavour| flavour.runtime)
        .collect();
    runtimes.dedup();
    let features = runtimes.join("`, `");
    let message =
        format!("this test runs nowhere: turn on a feature of withal, one of `{features}`")
            .replace('_', "-");
    let mut none = quote!(#[cfg(test)] ::core::compile_error!(#message););
    for runtime in runtimes {
        let off = format_ident!("off_{runtime}");
        none = quote!(#root::__private::enabled::#off! { #none });
    }
    Ok(quote! {
        #(#of_function)*
        #[cfg(test)]
        #function
        #(#tests)*
        #none
    })
}

/// Whether an attribute says how a test is run.
fn is_of_tests(attribute: &Attribute) -> bool {
    let is_ours = |name: &str| {
        matches!(name, "should_panic" | "ignore" | "allow" | "cfg") || name.starts_with("test_")
    };
    match &attribute.meta {
        // The other arguments of `cfg_attr` are attributes.
        Meta::List(list) if attribute.path().is_ident("cfg_attr") => {
            let words = list.tokens.clone().into_iter();
            words.into_iter().any(|word| is_ours(&word.to_string()))
        }
        meta => meta
            .path()
            .get_ident()
            .is_some_and(|name| is_ours(&name.to_string())),
    }
}

/// Whether an attribute says something of the code of a test.
fn is_of_function(attribute: &Attribute) -> bool {
    let name = attribute.path();
    name.is_ident("allow") || name.is_ident("cfg") || !is_of_tests(attribute)
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
pub(crate) fn runtime_argument(signature: &Signature, rt: &Ident) -> Result<TokenStream> {
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
    let mut ty = &*argument.ty;
    // What a macro has put in for one of its arguments.
    while let Type::Group(group) = ty {
        ty = &group.elem;
    }
    Ok(match ty {
        Type::Reference(_) => quote!(&#rt),
        _ => quote!(#rt),
    })
}
