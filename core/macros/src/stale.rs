//! Variables that were yielded in an inner block, and are used after it.
//!
//! They have moved to the body, and what has come back is a variable of that block; of a value that is `Copy` the compiler would show the old one.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Stmt;

/// Where one of `names` is used first in `statements`, before it is bound anew.
pub(crate) fn first(statements: &[Stmt], names: &[Ident]) -> Option<Span> {
    let mut names = names.to_vec();
    for statement in statements {
        let Stmt::Local(local) = statement else {
            if let Some(found) = find(statement.to_token_stream(), &names) {
                return Some(found);
            }
            continue;
        };
        let found = local.init.as_ref();
        if let Some(found) = found.and_then(|init| find(init.expr.to_token_stream(), &names)) {
            return Some(found);
        }
        let pattern = local.pat.to_token_stream();
        names.retain(|name| find(pattern.clone(), std::slice::from_ref(name)).is_none());
    }
    None
}

/// Looks for a variable: not for a field, a method, or the name of a field in front of its value.
fn find(tokens: TokenStream, names: &[Ident]) -> Option<Span> {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let is = |index: usize, mark: char| matches!(tokens.get(index), Some(TokenTree::Punct(punct)) if punct.as_char() == mark);
    for (index, token) in tokens.iter().enumerate() {
        let found = match token {
            TokenTree::Group(group) => find(group.stream(), names),
            TokenTree::Ident(name) if names.contains(name) => {
                let is_member =
                    index > 0 && is(index - 1, '.') && !(index > 1 && is(index - 2, '.'));
                let is_label = is(index + 1, ':') && !is(index + 2, ':');
                (!is_member && !is_label).then(|| name.span())
            }
            // What a format string takes from its surroundings.
            TokenTree::Literal(text) => {
                let text = text.to_string();
                let holds = |name: &Ident| {
                    let begin = format!("{{{name}");
                    let mut after = text.split(&begin).skip(1);
                    after.any(|rest| rest.starts_with(['}', ':']))
                };
                names.iter().any(holds).then(|| token.span())
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}
