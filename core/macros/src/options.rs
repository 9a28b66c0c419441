//! The arguments of the attributes.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Error, Ident, LitStr, Path, Result, Token};

/// The path by which the expansion names the crate `withal`.
pub(crate) struct Root(TokenStream);

impl Default for Root {
    fn default() -> Self {
        Self(quote!(::withal))
    }
}

impl ToTokens for Root {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}

/// Parses arguments with commas between them.
///
/// `option` takes the value of the one that is called so, if there is such an option; `crate` is everybody's.
pub(crate) fn parse(
    options: TokenStream,
    known: &str,
    mut option: impl FnMut(&str, &Ident, ParseStream<'_>) -> Result<bool>,
) -> Result<Root> {
    let mut root = Root::default();
    let mut seen = Vec::new();
    let parser = |input: ParseStream<'_>| {
        while !input.is_empty() {
            let name = Ident::parse_any(input)?;
            if seen.contains(&name) {
                return Err(Error::new(name.span(), "this has been said already"));
            }
            seen.push(name.clone());
            if name == "crate" {
                let path: LitStr = value(&name, input)?;
                root = Root(path.parse::<Path>()?.into_token_stream());
            } else if !option(&name.to_string(), &name, input)? {
                let message = format!("there is no such option; there are: {known}, `crate`");
                return Err(Error::new(name.span(), message));
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    };
    parser.parse2(options)?;
    Ok(root)
}

/// The value of the option `name`, after `=`.
pub(crate) fn value<T: Parse>(name: &Ident, input: ParseStream<'_>) -> Result<T> {
    if input.is_empty() {
        let message = format!("this takes a value: `{name} = ..`");
        return Err(Error::new(name.span(), message));
    }
    input.parse::<Token![=]>()?;
    input.parse()
}
