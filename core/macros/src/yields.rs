//! The yield point of a function: found, checked, and made a call that lends the guard.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::quote;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{
    Arm, Attribute, Block, Error, Expr, ExprAssign, ExprAsync, ExprCall, ExprClosure, ExprConst,
    ExprForLoop, ExprLoop, ExprReturn, ExprWhile, ExprYield, Item, Macro, Result, Stmt, Token,
    parse_quote, parse_quote_spanned,
};

use crate::stale;

/// The place of a yield that may run again.
const LOOP: &str = "inside of a loop";

/// Makes of the one `yield_!(guard)` in `block` a call of `provide`.
pub(crate) fn lend(block: &mut Block, function: &Ident, provide: &Ident) -> Result<()> {
    let mut search = Search::default();
    search.visit_block(block);
    let early = search.early;
    if let Some(span) = search.bare {
        let message = "the yield of a scope is a macro: `yield_!(guard)`";
        return Err(Error::new(span, message));
    }
    let mut found = search.found.into_iter();
    match found.next() {
        None => {
            let message = "there is no `yield_!(guard)` in this function: what comes before it is the enter of the scope, what comes after it is the exit";
            return Err(Error::new(function.span(), message));
        }
        Some((span, Some(place))) => {
            let message = format!("a scope yields once, and so not {place}");
            return Err(Error::new(span, message));
        }
        Some((_, None)) => {}
    }
    if let Some((span, _)) = found.next() {
        let message = "this function yields a second time: a scope has one enter and one exit";
        return Err(Error::new(span, message));
    }
    if let Some(span) = early {
        let message =
            "here the scope would end without having yielded: an enter that fails returns an `Err`";
        return Err(Error::new(span, message));
    }
    let mut lending = Lending {
        provide,
        names: Vec::new(),
        done: Ok(false),
    };
    lending.visit_block_mut(block);
    lending.done.map(|_| ())
}

fn is_yield(mac: &Macro) -> bool {
    let last = mac.path.segments.last();
    last.is_some_and(|segment| segment.ident == "yield_")
}

fn is_ok(expr: &Expr) -> bool {
    let Expr::Call(call) = expr else { return false };
    matches!(&*call.func, Expr::Path(path) if path.path.is_ident("Ok"))
}

fn as_yield(expr: &Expr) -> Option<&Macro> {
    match expr {
        Expr::Macro(expr) if is_yield(&expr.mac) => Some(&expr.mac),
        _ => None,
    }
}

/// Looks for yields, and notes those that stand where they may run twice, or not at all.
#[derive(Default)]
struct Search {
    found: Vec<(Span, Option<&'static str>)>,
    place: Option<&'static str>,
    /// A `return Ok(..)` before the first yield: as a yield is in no loop, what stands before it is never after it.
    early: Option<Span>,
    /// The keyword alone.
    bare: Option<Span>,
}

impl Search {
    fn inside(&mut self, place: &'static str, visit: impl FnOnce(&mut Self)) {
        let before = self.place.replace(place);
        visit(self);
        self.place = before;
    }

    /// In the arguments of another macro.
    fn scan(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) => self.scan(group.stream()),
                TokenTree::Ident(name) if name == "yield_" => {
                    if let Some(TokenTree::Punct(mark)) = tokens.peek()
                        && mark.as_char() == '!'
                    {
                        self.found
                            .push((name.span(), Some("inside of another macro")));
                    }
                }
                _ => {}
            }
        }
    }
}

impl<'a> Visit<'a> for Search {
    fn visit_macro(&mut self, mac: &'a Macro) {
        if is_yield(mac) {
            self.found.push((mac.path.span(), self.place));
        }
        self.scan(mac.tokens.clone());
    }

    fn visit_expr_return(&mut self, expr: &'a ExprReturn) {
        if self.found.is_empty()
            && self.place.is_none_or(|place| place == LOOP)
            && expr.expr.as_deref().is_some_and(is_ok)
        {
            self.early.get_or_insert(expr.return_token.span());
        }
        visit::visit_expr_return(self, expr);
    }

    fn visit_item(&mut self, item: &'a Item) {
        self.inside("inside of another item", |me| visit::visit_item(me, item));
    }

    fn visit_expr_closure(&mut self, expr: &'a ExprClosure) {
        self.inside("inside of a closure", |me| {
            visit::visit_expr_closure(me, expr);
        });
    }

    fn visit_expr_async(&mut self, expr: &'a ExprAsync) {
        self.inside("inside of an async block", |me| {
            visit::visit_expr_async(me, expr);
        });
    }

    fn visit_expr_const(&mut self, expr: &'a ExprConst) {
        self.inside("inside of a constant", |me| {
            visit::visit_expr_const(me, expr);
        });
    }

    fn visit_expr_yield(&mut self, expr: &'a ExprYield) {
        self.bare.get_or_insert(expr.yield_token.span());
    }

    fn visit_expr_loop(&mut self, expr: &'a ExprLoop) {
        self.inside(self.place.unwrap_or(LOOP), |me| {
            visit::visit_expr_loop(me, expr);
        });
    }

    fn visit_expr_while(&mut self, expr: &'a ExprWhile) {
        self.inside(self.place.unwrap_or(LOOP), |me| {
            visit::visit_expr_while(me, expr);
        });
    }

    fn visit_expr_for_loop(&mut self, expr: &'a ExprForLoop) {
        self.inside(self.place.unwrap_or(LOOP), |me| {
            visit::visit_expr_for_loop(me, expr);
        });
    }
}

/// Where a yield is in this part of the code.
fn place_in(visit: impl FnOnce(&mut Search)) -> Option<Span> {
    let mut search = Search::default();
    visit(&mut search);
    search.found.first().map(|(span, _)| *span)
}

/// Puts `let (guard, outcome) = provide.provide(guard).await;` before the statement that begins with the yield.
struct Lending<'a> {
    provide: &'a Ident,
    /// What is there again after it.
    names: Vec<Ident>,
    done: Result<bool>,
}

impl VisitMut for Lending<'_> {
    fn visit_block_mut(&mut self, block: &mut Block) {
        let with_yield = |stmt: &Stmt| place_in(|search| search.visit_stmt(stmt));
        let mut found = block.stmts.iter().enumerate();
        let Some((index, span)) = found.find_map(|(i, stmt)| Some((i, with_yield(stmt)?))) else {
            return;
        };
        let outcome = Ident::new("__withal_outcome", Span::mixed_site());
        let length = block.stmts.len();
        let statement = &mut block.stmts[index];
        if let Some(cfg) = attributes(statement).iter().find(|other| is_cfg(other)) {
            let message = "a scope yields in every build, and so not under a condition";
            self.done = Err(Error::new_spanned(cfg, message));
            return;
        }
        if let Some((arguments, place)) = take(statement, &outcome, index + 1 == length) {
            let lend = self.call(arguments, place, &outcome);
            self.done = lend.map(|lend| {
                block.stmts.splice(index..index, lend);
                true
            });
            return;
        }
        visit_mut::visit_stmt_mut(self, statement);
        if let Ok(false) = self.done {
            let message = "a yield is the first thing that its statement does: `let outcome = yield_!(guard);`";
            self.done = Err(Error::new(span, message));
        } else if self.done.is_ok()
            && let Some(stale) = stale::first(&block.stmts[index + 1..], &self.names)
        {
            let message = "what was yielded is back only up to the end of the block of the yield, and this is after it";
            self.done = Err(Error::new(stale, message));
        }
    }

    fn visit_arm_mut(&mut self, arm: &mut Arm) {
        let body = &arm.body;
        let is_block = matches!(**body, Expr::Block(_));
        if !is_block && place_in(|search| search.visit_expr(body)).is_some() {
            arm.body = parse_quote!({ #body });
        }
        visit_mut::visit_arm_mut(self, arm);
    }
}

impl Lending<'_> {
    fn call(&mut self, arguments: TokenStream, place: Span, outcome: &Ident) -> Result<Vec<Stmt>> {
        let provide = self.provide;
        let mut guards = Punctuated::<Expr, Token![,]>::parse_terminated
            .parse2(arguments)?
            .into_iter();
        let guard = guards
            .next()
            .unwrap_or_else(|| parse_quote_spanned!(place=> ()));
        if let Some(second) = guards.next() {
            let message = "there is one guard; of several make a tuple: `yield_!((a, b))`";
            return Err(Error::new_spanned(second, message));
        }
        let names = &mut self.names;
        let back = back(&guard, names)?;
        let here = Span::call_site().located_at(guard.span());
        let provide = Ident::new(&provide.to_string(), provide.span().located_at(here));
        let mut lend = vec![parse_quote_spanned! {here=>
            let (#back, #outcome) = #provide.provide(#guard).await;
        }];
        // Nobody has to use them, or to change them; and a crate that forbids its lints takes no attribute that says so.
        lend.extend(
            names
                .iter()
                .map(|name| -> Stmt { parse_quote!(let _ = &mut #name;) }),
        );
        Ok(lend)
    }
}

/// The pattern by which what was lent is there again, under its `names`.
fn back(guard: &Expr, names: &mut Vec<Ident>) -> Result<TokenStream> {
    Ok(match guard {
        Expr::Path(path) => match path.path.get_ident() {
            Some(name) if name == "self" => {
                let message = "give it a name first: `let me = self;`";
                return Err(Error::new(name.span(), message));
            }
            // Not a constant, nor a struct without fields.
            Some(name) if !name.to_string().starts_with(char::is_uppercase) => {
                names.push(name.clone());
                quote!(mut #name)
            }
            _ => quote!(_),
        },
        Expr::Tuple(tuple) => {
            let parts = tuple.elems.iter().map(|part| back(part, names));
            let parts = parts.collect::<Result<Vec<_>>>()?;
            quote!((#(#parts,)*))
        }
        Expr::Paren(inner) => back(&inner.expr, names)?,
        // What a macro has put in for one of its arguments.
        Expr::Group(inner) => back(&inner.expr, names)?,
        _ => quote!(_),
    })
}

fn is_cfg(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr")
}

/// The attributes of the statement in which the yield is, or of the block that is that statement.
fn attributes(statement: &Stmt) -> &[Attribute] {
    match statement {
        Stmt::Local(local) => &local.attrs,
        Stmt::Macro(mac) => &mac.attrs,
        Stmt::Expr(Expr::Block(expr), _) => &expr.attrs,
        Stmt::Expr(Expr::If(expr), _) => &expr.attrs,
        Stmt::Expr(Expr::Match(expr), _) => &expr.attrs,
        Stmt::Expr(Expr::Macro(expr), _) => &expr.attrs,
        Stmt::Expr(Expr::MethodCall(expr), _) => &expr.attrs,
        _ => &[],
    }
}

/// Takes the yield out of the statement that begins with it, and leaves `outcome` in its place.
fn take(statement: &mut Stmt, outcome: &Ident, is_last: bool) -> Option<(TokenStream, Span)> {
    let expr = match statement {
        Stmt::Local(local) => &mut local.init.as_mut()?.expr,
        Stmt::Expr(expr, _) => expr,
        Stmt::Macro(mac) if is_yield(&mac.mac) => {
            let (found, attrs) = (what(&mac.mac), &mac.attrs);
            // With braces it is a statement also without a semicolon.
            *statement = match mac.semi_token.is_none() && is_last {
                true => Stmt::Expr(parse_quote!(#outcome), None),
                false => parse_quote!(#(#attrs)* let _ = #outcome;),
            };
            return Some(found);
        }
        _ => return None,
    };
    let expr = first(expr);
    let found = what(as_yield(expr)?);
    *expr = parse_quote!(#outcome);
    Some(found)
}

/// What a yield lends, and where it stands.
fn what(found: &Macro) -> (TokenStream, Span) {
    (found.tokens.clone(), found.path.span())
}

/// What is evaluated first.
fn first(expr: &mut Expr) -> &mut Expr {
    let inner = match expr {
        Expr::Match(expr) => &mut expr.expr,
        Expr::If(expr) => &mut expr.cond,
        Expr::Let(expr) => &mut expr.expr,
        Expr::MethodCall(expr) => &mut expr.receiver,
        Expr::Field(expr) => &mut expr.base,
        Expr::Try(expr) => &mut expr.expr,
        Expr::Await(expr) => &mut expr.base,
        Expr::Paren(expr) => &mut expr.expr,
        Expr::Group(expr) => &mut expr.expr,
        Expr::Unary(expr) => &mut expr.expr,
        Expr::Reference(expr) => &mut expr.expr,
        Expr::Binary(expr) => &mut expr.left,
        Expr::Return(ExprReturn {
            expr: Some(expr), ..
        }) => expr,
        Expr::Assign(ExprAssign { left, right, .. }) => match **left {
            Expr::Path(_) => right,
            _ => left,
        },
        // Of `drop(yield_!())` and `Some(yield_!())`: the function is a name.
        Expr::Call(ExprCall { func, args, .. }) => match (&**func, args.first_mut()) {
            (Expr::Path(_), Some(argument)) => argument,
            _ => func,
        },
        expr => return expr,
    };
    first(inner)
}
