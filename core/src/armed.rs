//! What an enter needs to know so that nothing is lost that it has entered.

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

/// Says that what is held is `'static`, so that an orphan can be made of it; and where the scope is run.
///
/// An argument, and not a bound on the impls of [`Bracket`](crate::Bracket): a function may assume what the types of its arguments imply.
/// A bound with `'static` on an impl takes `Send` from futures, inside of an async block, over a scope with any reference in it, be it a `&'static str`.
#[doc(hidden)]
pub struct Armed<H: 'static> {
    location: &'static Location<'static>,
    held: PhantomData<fn() -> H>,
}

impl<H: 'static> Armed<H> {
    #[inline(always)]
    pub(crate) fn new(location: &'static Location<'static>) -> Self {
        Self {
            location,
            held: PhantomData,
        }
    }

    #[inline(always)]
    pub(crate) fn location(&self) -> &'static Location<'static> {
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
