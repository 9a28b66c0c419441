//! What the attributes write, in a form that can be read: compared with what is in `snapshots/`.
//!
//! `WITHAL_SNAPSHOTS=overwrite cargo test -p withal-macros` writes it anew.

use std::fs;
use std::path::Path;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{ItemFn, Meta};

/// Expands the attribute on the one function in the file `name`, and compares.
fn check(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots");
    let source = fs::read_to_string(folder.join(format!("{name}.rs"))).unwrap();
    let mut function: ItemFn = syn::parse_str(&source).unwrap();
    let is_ours = |meta: &Meta| meta.path().segments.first().unwrap().ident == "withal";
    let place = function.attrs.iter().position(|other| is_ours(&other.meta));
    let attribute = function.attrs.remove(place.expect("an attribute of ours"));
    let options = match &attribute.meta {
        Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    let which = attribute.path().segments.last().unwrap().ident.to_string();
    let expand = match which.as_str() {
        "scope" => crate::scope::expand,
        "within" => crate::within::expand,
        "main" => crate::program::expand,
        "test" => crate::trial::expand,
        other => panic!("there is no attribute {other}"),
    };
    let expanded = expand(options, function.into_token_stream()).unwrap();
    let found = prettyplease::unparse(&syn::parse2(expanded).unwrap());
    let expected = folder.join(format!("{name}.expanded.rs"));
    if std::env::var_os("WITHAL_SNAPSHOTS").is_some() {
        fs::write(&expected, &found).unwrap();
    }
    let expected = fs::read_to_string(expected).unwrap_or_default();
    assert_eq!(found, expected, "the expansion of {name}.rs");
}

#[test]
fn of_a_scope() {
    check("scope");
}

#[test]
fn of_a_scope_with_everything() {
    check("scope_generic");
}

#[test]
fn of_a_scope_with_a_receiver() {
    check("scope_receiver");
}

#[test]
fn of_a_yield_in_a_match() {
    check("scope_match");
}

#[test]
fn of_a_function_within_scopes() {
    check("within");
}

#[test]
fn of_main() {
    check("main");
}

#[test]
fn of_tests() {
    check("test");
}
