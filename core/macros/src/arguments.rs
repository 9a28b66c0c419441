//! The arguments of a function that is no longer async itself: all of them move into the future, as they do in an `async fn`.

use proc_macro2::Span;
use quote::format_ident;
use syn::{FnArg, Pat, PatIdent, Receiver, ReceiverKind, Signature, Stmt, parse_quote};

/// Gives each argument a plain name, and the statements that bring back what stood there.
pub(crate) fn moved(signature: &mut Signature) -> Vec<Stmt> {
    let mut statements = Vec::new();
    for (number, argument) in signature.inputs.iter_mut().enumerate() {
        let argument = match argument {
            FnArg::Receiver(receiver) => {
                statements.extend(whole(receiver));
                continue;
            }
            FnArg::Typed(argument) => argument,
        };
        let (attrs, pattern) = (argument.attrs.clone(), (*argument.pat).clone());
        let plain = match &pattern {
            Pat::Ident(PatIdent {
                ident,
                by_ref: None,
                subpat: None,
                ..
            }) => Some(ident),
            _ => None,
        };
        let name = match plain {
            Some(ident) if !ident.to_string().starts_with('_') => ident.clone(),
            _ => format_ident!("__withal_argument_{number}", span = Span::mixed_site()),
        };
        *argument.pat = parse_quote!(#name);
        let back = match plain {
            Some(ident) if *ident == name => parse_quote!(#(#attrs)* let #pattern = #name;),
            // A lint dislikes a mere binding of what begins with `_`.
            Some(_) => parse_quote!(#(#attrs)* let (#pattern,) = (#name,);),
            None => {
                // By its name first, for a pattern like `_` moves nothing.
                statements.push(parse_quote!(#(#attrs)* let #name = #name;));
                parse_quote!(#(#attrs)* let #pattern = #name;)
            }
        };
        statements.push(back);
    }
    statements
}

/// Has a receiver that is taken by value move as a whole: else a part that is not used is dropped before the enter.
fn whole(receiver: &Receiver) -> Option<Stmt> {
    match receiver.kind {
        ReceiverKind::Reference(..) => None,
        _ => {
            let token = &receiver.self_token;
            Some(parse_quote!(let _ = &#token;))
        }
    }
}
