//! A scope that shows the body a part of its guard.

use std::borrow::Cow;
use std::fmt;

use crate::armed::Armed;
use crate::bracket::{Bracket, Member};
use crate::outcome::Outcome;
use crate::report::Entry;

/// How the part is found in what is held.
///
/// A pointer made by [`ViewAs::new`], because the bounds that it needs must not be bounds of the impl:
/// with `S::View: 'static` there, a future over a guard with any reference in it, be it a `&'static str`, would not be `Send` inside of an async block.
type Project<H, F, W> = for<'a> fn(&'a mut H, &'a F) -> &'a mut W;

/// A scope with another view: see [`ScopeExt::view_as`](crate::ScopeExt::view_as).
#[must_use = "a scope does nothing unless it is run"]
pub struct ViewAs<S: Bracket, F, W: ?Sized> {
    scope: S,
    view: F,
    project: Project<S::Held, F, W>,
}

/// What a [`ViewAs`] holds.
#[doc(hidden)]
pub struct Held<H, F, W: ?Sized> {
    inner: H,
    view: F,
    project: Project<H, F, W>,
}

impl<S: Bracket, F, W: ?Sized> ViewAs<S, F, W> {
    pub(crate) fn new(scope: S, view: F) -> Self
    where
        S::View: 'static,
        W: 'static,
        F: Fn(&mut S::View) -> &mut W,
    {
        Self {
            scope,
            view,
            project: |held, view| view(S::view(held)),
        }
    }
}

impl<S, F, W> Bracket for ViewAs<S, F, W>
where
    S: Bracket + Send,
    F: Send,
    W: ?Sized,
{
    type Held = Held<S::Held, F, W>;
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

    async fn begin(self, armed: Armed<Self::Held>) -> Result<Self::Held, S::Error> {
        Ok(Held {
            inner: self.scope.begin(armed.inner()).await?,
            view: self.view,
            project: self.project,
        })
    }

    fn view(held: &mut Self::Held) -> &mut W {
        (held.project)(&mut held.inner, &held.view)
    }

    fn entries(error: S::Error) -> Vec<Entry> {
        S::entries(error)
    }

    fn end(
        held: Self::Held,
        outcome: Outcome<'_>,
    ) -> impl Future<Output = Result<S::Verdict, S::Error>> + Send {
        S::end(held.inner, outcome)
    }
}

impl<S, F, W> Member for ViewAs<S, F, W>
where
    S: Bracket + Send,
    F: Send,
    W: ?Sized,
{
    type Part = Viewed<S::Held, F, W>;
    type Rest = ();

    fn part(held: Self::Held) -> (Self::Part, ()) {
        (Viewed(held), ())
    }

    fn whole(part: Self::Part, (): ()) -> Self::Held {
        part.0
    }
}

/// The part of a [`ViewAs`] in a tuple or in an exit stack.
pub struct Viewed<H, F, W: ?Sized>(Held<H, F, W>);

impl<H, F, W: ?Sized> Viewed<H, F, W> {
    /// What a body would see.
    pub fn view(&mut self) -> &mut W {
        (self.0.project)(&mut self.0.inner, &self.0.view)
    }
}

impl<H, F, W: ?Sized> fmt::Debug for Viewed<H, F, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Viewed")
    }
}

impl<S: Bracket + fmt::Debug, F, W: ?Sized> fmt::Debug for ViewAs<S, F, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ViewAs").field(&self.scope).finish()
    }
}

impl<H, F, W: ?Sized> fmt::Debug for Held<H, F, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held")
    }
}
