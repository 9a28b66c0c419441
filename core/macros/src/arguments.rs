//! The arguments of a function that is no longer async itself: all of them move into the future, as they do in an `async fn`.

use proc_macro2::Span;
use quote::format_ident;
use syn::{FnArg, Pat, PatIdent, Signature, Stmt, parse_quote};

/// Gives each argument a plain name, and the statements that bring back what stood there.
pub(crate) fn moved(signature: &mut Signature) -> Vec<Stmt> {
    let mut statements = Vec::new();
    for (number, argument) in signature.inputs.iter_mut().enumerate() {
        let FnArg::Typed(argument) = argument else {
            continue;
        };
        let pattern = (*argument.pat).clone();
        let name = match &pattern {
            Pat::Ident(PatIdent {
                ident,
                by_ref: None,
                subpat: None,
                ..
            }) => ident.clone(),
            _ => {
                let name = format_ident!("argument_{number}", span = Span::mixed_site());
                // By its name first, for a pattern like `_` moves nothing.
                statements.push(parse_quote!(let #name = #name;));
                name
            }
        };
        *argument.pat = parse_quote!(#name);
        statements.push(parse_quote!(let #pattern = #name;));
    }
    statements
}
