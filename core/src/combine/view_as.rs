//! A scope that shows the body a part of its guard.

use std::borrow::Cow;
use std::fmt;

use crate::bracket::Bracket;
use crate::outcome::Outcome;

/// A scope with another view: see [`ScopeExt::view_as`](crate::ScopeExt::view_as).
#[must_use = "a scope does nothing unless it is run"]
pub struct ViewAs<S, F> {
    scope: S,
    view: F,
}

/// What a [`ViewAs`] holds.
#[doc(hidden)]
pub struct Held<H, F> {
    inner: H,
    view: F,
}

impl<S, F> ViewAs<S, F> {
    pub(crate) fn new(scope: S, view: F) -> Self {
        Self { scope, view }
    }
}

impl<S, W, F> Bracket for ViewAs<S, F>
where
    S: Bracket + Send,
    S::View: 'static,
    W: ?Sized + 'static,
    F: Fn(&mut S::View) -> &mut W + Send + 'static,
{
    type Held = Held<S::Held, F>;
    type View = W;
    type Error = S::Error;
    type Verdict = S::Verdict;
    type Tag = S::Tag;

    const SUSPENDS: bool = S::SUSPENDS;

    fn tag(&self) -> S::Tag {
        self.scope.tag()
    }

    fn name(tag: &S::Tag) -> Cow<'static, str> {
        S::name(tag)
    }

    async fn open(self) -> Result<Self::Held, S::Error> {
        Ok(Held {
            inner: self.scope.open().await?,
            view: self.view,
        })
    }

    fn view(held: &mut Self::Held) -> &mut W {
        (held.view)(S::view(&mut held.inner))
    }

    fn close(
        held: Self::Held,
        outcome: Outcome<'_>,
    ) -> impl Future<Output = Result<S::Verdict, S::Error>> + Send {
        S::close(held.inner, outcome)
    }
}

impl<S: fmt::Debug, F> fmt::Debug for ViewAs<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ViewAs").field(&self.scope).finish()
    }
}

impl<H, F> fmt::Debug for Held<H, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held")
    }
}
