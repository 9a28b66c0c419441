//! The attributes of [`withal`](https://docs.rs/withal), which re-exports them with its feature `macros`.
//!
//! * [`macro@scope`] makes a scope of an `async fn` with one [`yield_!`](macro@yield_) in it.
//! * [`macro@within`] runs an `async fn` inside of a scope, anew for each call.
//! * [`macro@main`] runs the program on a runtime, [`macro@test`] a test on each of them.
//!
//! What they write names everything by its full path, which starts with `::withal`.
//! Where that crate has another name, `crate = "other_name"` among the arguments of an attribute says so.

mod arguments;
mod function;
mod options;
mod program;
mod scope;
#[cfg(test)]
mod snapshots;
mod stale;
mod trial;
mod within;
mod yields;

use proc_macro::TokenStream;

/// Makes a scope of an `async fn`: what comes before its `yield_!(guard)` is the enter, what comes after is the exit.
///
/// The call gives a [`ScopeFn`](https://docs.rs/withal/latest/withal/struct.ScopeFn.html), which is run by `with` like any other scope.
/// The guard is moved to the body and back: what is yielded is a variable, or a tuple of variables, that are there again after the yield.
/// (Of any other expression the value is dropped when the body has ended.)
///
/// `yield_!` gives a [`Kept`](https://docs.rs/withal/latest/withal/enum.Kept.html) outcome: success, the error of the body with its type, its panic, its cancellation.
/// The rest of the function runs in each of these cases.
///
/// # Arguments of the attribute
///
/// | argument | what it says |
/// |---|---|
/// | `yields = Type` | the type of the guard; without it the guard is `()` |
/// | `local` | the function is not `Send`, and is run by `with_local`; the body sees a `Provided`, which derefs to the guard, and a hard drop ends the function at its yield |
/// | `crate = "path"` | another name of the crate `withal` |
///
/// The function returns a `Result`: `Result<(), E>`, or `Result<Recover, E>` if it may suppress the error of the body.
/// An error before the yield is a failed enter. One that cannot fail has the error `Never`.
///
/// Arguments may be borrowed. As the scope then borrows too, it is run by `with_local`; for `with` they are owned, or `'static`.
///
/// # Where a yield may stand
///
/// There is one in the function, and it is the first thing that its statement does: `let outcome = yield_!(guard);`, `match yield_!(guard) { .. }`.
/// It may stand in a branch, where what was yielded is there again up to the end of the block of the yield (a use after that does not compile); but not in a loop, a closure, an async block, or another macro: these need not run, or may run again.
/// So another scope is not opened around the yield by `with`, but by [`open`](https://docs.rs/withal/latest/withal/trait.ScopeExt.html), and closed after it with `&outcome`: it sees the error of the body, too.
/// Several are made one before, as a tuple: so each is told what has become of the others.
/// What is left open by a function that fails is told that it was dropped.
/// `self` is yielded under a name: `let me = self;`. Attributes that rewrite an `async fn`, such as `#[instrument]`, cannot be combined with this one: the function is none any more.
///
/// # Examples
///
/// ```
/// use std::io;
/// use withal::{ScopeExt, scope};
///
/// /// A transaction: its rows are committed, or rolled back.
/// #[scope(yields = Vec<String>)]
/// async fn transaction(table: &'static str) -> io::Result<()> {
///     let rows = Vec::new(); // BEGIN
///     let outcome = yield_!(rows);
///     match outcome.is_success() {
///         true => println!("COMMIT {} rows into {table}", rows.len()),
///         false => println!("ROLLBACK after {outcome}"),
///     }
///     Ok(())
/// }
///
/// # withal_testing::block_on(async {
/// let count = transaction("users").with(async |rows| {
///     rows.push("Ada".to_owned());
///     io::Result::Ok(rows.len())
/// });
/// assert_eq!(count.await?, 1);
/// # io::Result::Ok(()) }).unwrap();
/// ```
///
/// # Errors
///
/// Those of the function.
///
/// # Cancel safety
///
/// Before its yield the function may be dropped at any await, like any enter; after it, it runs to its end.
/// Run by `with_local`, it runs to its end under a graceful cancelling only: a hard drop drops it, and the lost-error hook is told so, by the name of the function.
///
/// # Panics
///
/// Whoever enters it panics if the function returns `Ok` on a way without a yield: the message says its name and its line.
/// A `return Ok(..)` before the yield does not compile.
#[proc_macro_attribute]
pub fn scope(options: TokenStream, item: TokenStream) -> TokenStream {
    function::expand(scope::expand, function::nothing, options, item)
}

/// The yield point of a function with the attribute [`macro@scope`], which takes it away; anywhere else it does not compile.
///
/// It needs no import.
///
/// # Examples
///
/// ```
/// use withal::{Never, ScopeExt, scope};
///
/// #[scope]
/// async fn noted(what: &'static str) -> Result<(), Never> {
///     println!("{what}: begin");
///     let outcome = yield_!();
///     println!("{what}: {outcome}");
///     Ok(())
/// }
/// # withal_testing::block_on(async {
/// assert_eq!(noted("work").using(async |()| 7).await, Ok(7));
/// # });
/// ```
#[proc_macro]
pub fn yield_(_: TokenStream) -> TokenStream {
    let message = "`yield_!` stands in an `async fn` with the attribute `#[withal::scope]`";
    syn::Error::new(proc_macro2::Span::call_site(), message)
        .into_compile_error()
        .into()
}

/// Runs the whole body of an `async fn` inside of a scope, which is made anew for each call.
///
/// `#[within(measure("fetch"))]` runs it in what `measure("fetch")` makes. The expression can use the arguments of the function.
/// Of several such attributes the first is the outermost scope.
///
/// The errors of the scope are converted into the error of the function; if it returns no `Result`, the scope is one that cannot fail.
/// What the scope holds is `'static`: one that borrows from an argument does not compile. The error of the function is `Display + Debug + Send + Sync + 'static`.
/// Its arguments move into the body, and are dropped before the scope exits, as far as the body names them.
/// In a scope that may suppress the error, the function returns `Result<Option<T>, E>`, and `Ok(None)` says that the error was suppressed.
///
/// # Examples
///
/// ```
/// use withal::{Never, scope, within};
///
/// #[scope]
/// async fn measure(name: String) -> Result<(), Never> {
///     println!("[{name}] start");
///     let outcome = yield_!();
///     println!("[{name}] {outcome}");
///     Ok(())
/// }
///
/// #[within(measure(format!("fetch {url}")))]
/// async fn fetch(url: &str) -> usize {
///     url.len()
/// }
/// # withal_testing::block_on(async {
/// assert_eq!(fetch("/users").await, 6);
/// # });
/// ```
#[proc_macro_attribute]
pub fn within(options: TokenStream, item: TokenStream) -> TokenStream {
    function::expand(within::expand, function::unchanged, options, item)
}

/// Runs an `async fn main` as a whole program, on a runtime whose feature is enabled: `#[withal::main(tokio)]`.
///
/// The first Ctrl-C cancels it gracefully, and in the end everything that is still being released is waited for: see `Launch::run`.
/// A program that a signal has stopped exits with 130 (also after SIGTERM), any other one with what `main` returns.
/// `main` may take the runtime as its argument, by value or by reference.
///
/// # Arguments of the attribute
///
/// | argument | what it says |
/// |---|---|
/// | `tokio`, `smol`, `async_std`, `futures` | the runtime |
/// | `current_thread` | tokio runs everything on one thread |
/// | `exit_budget = Duration` | how long exits may take in all once the program is stopping; 10 seconds unless it is set |
/// | `crate = "path"` | another name of the crate `withal` |
///
/// # Examples
///
/// ```
/// use withal::Report;
///
/// #[withal::main(smol)]
/// async fn main() -> Result<(), Report> {
///     Ok(println!("Ctrl-C would stop this gracefully"))
/// }
/// ```
#[proc_macro_attribute]
pub fn main(options: TokenStream, item: TokenStream) -> TokenStream {
    function::expand(program::expand, function::empty, options, item)
}

/// Makes tests of an `async fn`: one for each runtime whose feature is enabled, and on tokio one for each flavour.
///
/// Of `async fn works()` these are `works_on_tokio`, `works_on_tokio_current_thread`, `works_on_smol`, `works_on_async_std` and `works_on_futures`.
/// The function may take the runtime as its argument, by value or by reference: `async fn works(rt: impl Runtime)`.
/// It may return `()`, or a `Result`, whose error fails the test.
/// `#[should_panic]`, `#[ignore]` and `#[test_…]` are those of each test, any other attributes those of the function.
/// It does not compile if none of its runtimes is enabled.
/// (With `use withal::*;` a plain `#[test]` is ambiguous: import by name.)
///
/// A test that takes too long is cancelled gracefully, and fails; also one that blocks its thread.
///
/// # Arguments of the attribute
///
/// | argument | what it says |
/// |---|---|
/// | `tokio`, `smol`, … | only these runtimes |
/// | `timeout = Duration` | how long it may take; a minute unless it is set |
/// | `crate = "path"` | another name of the crate `withal` |
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use withal::{Report, Runtime, timeout};
///
/// #[withal::test(timeout = Duration::from_secs(5))]
/// async fn sleeps_in_time(rt: impl Runtime) -> Result<(), Report> {
///     let sleep = rt.sleep(Duration::from_millis(1));
///     Ok(timeout(&rt, Duration::from_secs(1), sleep).await?)
/// }
/// ```
#[proc_macro_attribute]
pub fn test(options: TokenStream, item: TokenStream) -> TokenStream {
    function::expand(trial::expand, function::unchanged, options, item)
}
