//! What the attributes make of the body of a function: what `#[within]` runs in a scope, whatever it returns.

use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;

use crate::bracket::Bracket;
use crate::failure::Fault;
use crate::raise::Raise;
use crate::verdict::{Propagate, Recover, Verdict};

/// A function that returns an `R` and runs within a scope.
///
/// For a [`Result`] the method is its own, for any other value it is that of a trait, and the compiler prefers the former.
pub struct Within<R>(PhantomData<fn() -> R>);

impl<R> Within<R> {
    /// Nothing yet.
    #[expect(clippy::new_without_default)] // only the attribute makes one
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T, E> Within<Result<T, E>> {
    /// Runs `body`, and raises the errors of the scope.
    ///
    /// # Cancel safety
    ///
    /// As [`with`](crate::with()).
    #[track_caller]
    pub fn run<S, How, F>(self, scope: S, body: F) -> impl Future<Output = Result<T, E>>
    where
        E: Fault,
        S: Bracket<Verdict: Passes<T>, Error: Raise<E, How>>,
        S::Held: 'static,
        F: AsyncFnOnce(&mut S::View) -> Result<T, E>,
    {
        let run = crate::with(scope, body);
        async move { run.await.map(<S::Verdict as Passes<T>>::pass) }
    }
}

/// A function that cannot fail, in a scope that cannot fail either.
pub trait WithinValue<R> {
    /// Runs `body`.
    ///
    /// # Cancel safety
    ///
    /// As [`with`](crate::with()).
    #[track_caller]
    fn run<S, How, F>(self, scope: S, body: F) -> impl Future<Output = R>
    where
        S: Bracket<Verdict: Passes<R>, Error: Raise<Infallible, How>>,
        S::Held: 'static,
        F: AsyncFnOnce(&mut S::View) -> R;
}

impl<R> WithinValue<R> for Within<R> {
    #[track_caller]
    fn run<S, How, F>(self, scope: S, body: F) -> impl Future<Output = R>
    where
        S: Bracket<Verdict: Passes<R>, Error: Raise<Infallible, How>>,
        S::Held: 'static,
        F: AsyncFnOnce(&mut S::View) -> R,
    {
        let run = crate::using(scope, body);
        async move {
            match run.await {
                Ok(output) => S::Verdict::pass(output),
                Err(error) => match error.raise() {},
            }
        }
    }
}

/// How the output of a scope becomes what its function returns.
#[diagnostic::on_unimplemented(
    message = "a function in a scope that may suppress its error does not return `{T}`",
    label = "this scope may suppress the error of the function",
    note = "it returns an `Option`, or `Result<Option<T>, E>`: it is `None` if the error was suppressed"
)]
pub trait Passes<T>: Verdict {
    /// The value of the function.
    fn pass(output: Self::Output<T>) -> T;
}

impl<T> Passes<T> for Propagate {
    fn pass(output: T) -> T {
        output
    }
}

impl<T> Passes<Option<T>> for Recover {
    fn pass(output: Option<Option<T>>) -> Option<T> {
        output.flatten()
    }
}

/// Only its type is asked for: a closure that returns it first coerces whatever else it returns, as a function does.
pub fn never<R>() -> R {
    unreachable!("it stands where nobody comes")
}

impl<R> fmt::Debug for Within<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Within")
    }
}
