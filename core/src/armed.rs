//! What every enter is told, so that nothing is lost that it has entered.

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

/// Says where a scope is run, and that what it holds is `'static`, so that an orphan can be made of it.
///
/// Whoever enters a scope by its [`begin`](crate::Bracket::begin) gives one: [`with`](crate::with()) and all its kin do, and a scope of scopes passes it on to its members.
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use withal::{Armed, Bracket, Outcome, sync};
///
/// /// Runs no body; dropped half-way, it loses the exit.
/// async fn enter_and_exit<S: Bracket<Held: 'static>>(scope: S) -> Result<S::Verdict, S::Error> {
///     let held = scope.begin(Armed::here()).await?;
///     S::end(held, Outcome::Success).await
/// }
/// # withal_testing::block_on(async {
/// assert!(enter_and_exit((sync(1), Some(sync(2)))).await.is_ok());
/// # });
/// ```
// An argument, and not a bound on the impls of `Bracket`: a function may assume what the types of its arguments imply.
// A bound with `'static` on an impl takes `Send` from futures, inside of an async block, over a scope with any reference in it, be it a `&'static str`.
pub struct Armed<H: 'static> {
    location: &'static Location<'static>,
    held: PhantomData<fn() -> H>,
}

impl<H: 'static> Armed<H> {
    /// A scope that is run by the caller of this.
    #[must_use]
    #[track_caller]
    pub fn here() -> Self {
        Self::new(Location::caller())
    }

    #[inline(always)]
    pub(crate) fn new(location: &'static Location<'static>) -> Self {
        Self {
            location,
            held: PhantomData,
        }
    }

    /// The same for a scope inside of this one.
    #[inline(always)]
    pub(crate) fn inner<I: 'static>(self) -> Armed<I> {
        Armed::new(self.location)
    }

    #[inline(always)]
    pub(crate) fn location(self) -> &'static Location<'static> {
        self.location
    }
}

impl<H: 'static> Clone for Armed<H> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<H: 'static> Copy for Armed<H> {}

impl<H: 'static> fmt::Debug for Armed<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Armed").field(&self.location).finish()
    }
}
