//! A scope that is made of what another one shows.

use std::borrow::Cow;
use std::fmt;

use crate::armed::Armed;
use crate::bracket::{Bracket, Member, type_name};
use crate::raise::Or;
use crate::report::Entry;
use crate::verdict::Verdict;

use super::composite::composite;
use super::crew::{Crew, RestOf, Seat, enter_one, part_of, whole_of};
use super::debt::Debt;
use super::unwinding::Unwinding;

/// Two scopes of which the second is made of what the first shows: see [`ScopeExt::then_enter`](crate::ScopeExt::then_enter).
#[must_use = "a scope does nothing unless it is run"]
pub struct ThenEnter<A: Bracket, F, B> {
    first: A,
    next: F,
    // A pointer, because a bound with a lifetime on the impl takes `Send` from futures: see `ViewAs`.
    call: fn(F, &mut A::View) -> B,
}

impl<A: Bracket, F, B> ThenEnter<A, F, B> {
    pub(crate) fn new(first: A, next: F) -> Self
    where
        F: FnOnce(&mut A::View) -> B,
    {
        Self {
            first,
            next,
            call: |next, view| next(view),
        }
    }
}

impl<A, F, B> Crew for ThenEnter<A, F, B>
where
    A: Member + Send,
    F: Send,
    B: Member + Send,
{
    type Seats = (Seat<A>, Seat<B>);
    type Parts = (A::Part, B::Part);
    type Rests = (RestOf<A>, RestOf<B>);
    type View = (A::Part, B::Part);
    type Error = Or<A::Error, B::Error>;
    type Verdict = <A::Verdict as Verdict>::Or<B::Verdict>;
    type Tag = A::Tag;

    const SUSPENDS: bool = A::SUSPENDS || B::SUSPENDS;

    fn tag(&self) -> A::Tag {
        self.first.tag()
    }

    fn name(tag: &A::Tag) -> Cow<'static, str> {
        Cow::Owned(format!("{}, then {}", A::name(tag), type_name::<B>()))
    }

    fn seats(&self) -> Self::Seats {
        (None, None)
    }

    async fn enter(
        self,
        (a, b): &mut Self::Seats,
        armed: Armed<Self::Seats>,
    ) -> Result<(), Debt<Self::Error>> {
        enter_one(self.first, a, armed.inner(), Or::A).await?;
        let Some((held, _)) = a else {
            unreachable!("it has entered")
        };
        let second = (self.call)(self.next, A::view(held));
        enter_one(second, b, armed.inner(), Or::B).await
    }

    async fn exit((a, b): &mut Self::Seats, unwinding: &mut Unwinding<'_, Self::Error>) {
        unwinding.exit::<B>(b, Or::B).await;
        unwinding.exit::<A>(a, Or::A).await;
    }

    fn entries(error: Self::Error) -> Vec<Entry> {
        match error {
            Or::A(error) => A::entries(error),
            Or::B(error) => B::entries(error),
        }
    }

    fn is_empty((a, b): &Self::Seats) -> bool {
        a.is_none() && b.is_none()
    }

    fn part((a, b): Self::Seats) -> (Self::Parts, Self::Rests) {
        let ((a, a_rest), (b, b_rest)) = (part_of::<A>(a), part_of::<B>(b));
        ((a, b), (a_rest, b_rest))
    }

    fn whole((a, b): Self::Parts, (a_rest, b_rest): Self::Rests) -> Self::Seats {
        (whole_of::<A>(a, a_rest), whole_of::<B>(b, b_rest))
    }

    fn view(parts: &mut Self::Parts) -> &mut Self::View {
        parts
    }

    fn peek(parts: &Self::Parts) -> &Self::View {
        parts
    }
}

composite! { [A: Member + Send, F: Send, B: Member + Send] ThenEnter<A, F, B> }

impl<A: Bracket + fmt::Debug, F, B> fmt::Debug for ThenEnter<A, F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ThenEnter").field(&self.first).finish()
    }
}
