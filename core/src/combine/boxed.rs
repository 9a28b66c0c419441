//! A scope whose type is hidden.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::pin::Pin;

use crate::armed::Armed;
use crate::bracket::{Bracket, Member};
use crate::failure::Fault;
use crate::outcome::Outcome;
use crate::verdict::{Propagate, Verdict};

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Any scope with the view `W`, the error `X` and the verdict `V`: see [`ScopeExt::boxed`](crate::ScopeExt::boxed).
#[must_use = "a scope does nothing unless it is run"]
pub struct BoxScope<W: ?Sized, X, V = Propagate>(Box<dyn Erased<W, X, V>>);

impl<W: ?Sized + 'static, X: Fault, V: Verdict> BoxScope<W, X, V> {
    pub(crate) fn new<S>(scope: S) -> Self
    where
        S: Bracket<View = W, Error = X, Verdict = V> + Send + 'static,
        S::Held: 'static,
    {
        Self(Box::new(Hidden(scope)))
    }
}

trait Erased<W: ?Sized, X, V>: Send {
    fn name(&self) -> Cow<'static, str>;
    fn open(
        self: Box<Self>,
        location: &'static Location<'static>,
    ) -> BoxFuture<'static, Result<Box<dyn ErasedHeld<W, X, V>>, X>>;
}

/// What a [`BoxScope`] holds.
#[doc(hidden)]
pub trait ErasedHeld<W: ?Sized, X, V>: Send {
    fn view(&mut self) -> &mut W;
    fn close<'a>(self: Box<Self>, outcome: Outcome<'a>) -> BoxFuture<'a, Result<V, X>>;
}

struct Hidden<S>(S);

struct HiddenHeld<S: Bracket>(S::Held);

impl<S> Erased<S::View, S::Error, S::Verdict> for Hidden<S>
where
    S: Bracket + Send + 'static,
    S::Held: 'static,
{
    fn name(&self) -> Cow<'static, str> {
        S::name(&self.0.tag())
    }

    fn open(
        self: Box<Self>,
        location: &'static Location<'static>,
    ) -> BoxFuture<'static, Result<Box<dyn ErasedHeld<S::View, S::Error, S::Verdict>>, S::Error>>
    {
        Box::pin(async move {
            let held = HiddenHeld::<S>(self.0.begin(Armed::new(location)).await?);
            Ok(Box::new(held) as Box<dyn ErasedHeld<S::View, S::Error, S::Verdict>>)
        })
    }
}

impl<S> ErasedHeld<S::View, S::Error, S::Verdict> for HiddenHeld<S>
where
    S: Bracket + 'static,
    S::Held: 'static,
{
    fn view(&mut self) -> &mut S::View {
        S::view(&mut self.0)
    }

    fn close<'a>(
        self: Box<Self>,
        outcome: Outcome<'a>,
    ) -> BoxFuture<'a, Result<S::Verdict, S::Error>> {
        Box::pin(async move { S::end(self.0, outcome).await })
    }
}

impl<W: ?Sized + 'static, X: Fault, V: Verdict> Bracket for BoxScope<W, X, V> {
    type Held = Box<dyn ErasedHeld<W, X, V>>;
    type View = W;
    type Error = X;
    type Verdict = V;
    type Tag = Cow<'static, str>;

    fn tag(&self) -> Self::Tag {
        self.0.name()
    }

    fn name(tag: &Self::Tag) -> Cow<'static, str> {
        tag.clone()
    }

    fn begin(self, armed: Armed<Self::Held>) -> impl Future<Output = Result<Self::Held, X>> + Send {
        self.0.open(armed.location())
    }

    fn view(held: &mut Self::Held) -> &mut W {
        held.view()
    }

    fn end(held: Self::Held, outcome: Outcome<'_>) -> impl Future<Output = Result<V, X>> + Send {
        held.close(outcome)
    }
}

impl<W: ?Sized + 'static, X: Fault, V: Verdict> Member for BoxScope<W, X, V> {
    type Part = BoxGuard<W, X, V>;
    type Rest = ();

    fn part(held: Self::Held) -> (BoxGuard<W, X, V>, ()) {
        (BoxGuard(held), ())
    }

    fn whole(part: BoxGuard<W, X, V>, (): ()) -> Self::Held {
        part.0
    }
}

/// The part of a [`BoxScope`] in a tuple or in an exit stack.
pub struct BoxGuard<W: ?Sized, X, V = Propagate>(Box<dyn ErasedHeld<W, X, V>>);

impl<W: ?Sized, X, V> BoxGuard<W, X, V> {
    /// What a body would see.
    pub fn view(&mut self) -> &mut W {
        self.0.view()
    }
}

impl<W: ?Sized, X, V> fmt::Debug for BoxGuard<W, X, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxGuard")
    }
}

impl<W: ?Sized, X, V> fmt::Debug for BoxScope<W, X, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BoxScope").field(&self.0.name()).finish()
    }
}
