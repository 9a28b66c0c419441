//! Scopes side by side: entered concurrently, exited concurrently.

use std::borrow::Cow;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use crate::armed::Armed;
use crate::bracket::{Bracket, Member};
use crate::raise::Or;
use crate::report::Entry;

use super::abreast::Abreast;
use super::composite::composite;
use super::crew::{Crew, enter_one};
use super::debt::Debt;
use super::row::Row;
use super::unwinding::{Unwinding, leave};

/// Several scopes as one, entered and exited concurrently: see [`join`] and [`join_all`].
#[derive(Clone, Debug)]
#[must_use = "a scope does nothing unless it is run"]
pub struct Join<C>(C);

/// Joins two scopes: both are entered concurrently, and exited concurrently.
///
/// The body sees the two parts as a tuple.
/// Both exits see the same outcome, and each runs to its end whatever the other does.
/// Scopes that depend on each other go into a tuple, or are entered by [`then_enter`](crate::ScopeExt::then_enter).
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use std::io;
/// use withal::{ScopeExt, acquire, join};
///
/// # withal_testing::block_on(async {
/// let database = acquire(async || io::Result::Ok("rows")).release(async |_, _| Ok(()));
/// let cache = acquire(async || io::Result::Ok(7)).release(async |_, _| Ok(()));
/// let joined = join(database, cache).with(async |(database, cache)| {
///     io::Result::Ok(format!("{database} {cache}"))
/// });
/// assert_eq!(joined.await?, "rows 7");
/// # io::Result::Ok(()) }).unwrap();
/// ```
///
/// # Errors
///
/// When one side fails to enter, the enter of the other is dropped; if it had entered, it is exited and sees [`Failure`](crate::Outcome::Failure).
/// When both exits fail, the error that came first is returned, and the other goes to the [lost-error hook](crate::on_lost_error).
///
/// # Cancel safety
///
/// Cut while it enters, the side that has entered is exited.
/// An enter that must not be dropped half-way is to be [`protected`](crate::ScopeExt::protected).
pub fn join<A, B>(a: A, b: B) -> Join<(A, B)>
where
    A: Member + Send,
    B: Member + Send,
{
    Join((a, b))
}

/// Joins the scopes of a `Vec` or an array: all are entered concurrently, and exited concurrently.
///
/// The body sees their parts in the same order.
/// Otherwise as [`join`].
///
/// # Examples
///
/// ```
/// # use withal_core as withal;
/// use withal::{ScopeExt, join_all, sync};
///
/// # withal_testing::block_on(async {
/// let scopes: Vec<_> = (1..=3).map(sync).collect();
/// let Ok(sum) = join_all(scopes).using(async |parts| parts.iter().sum::<i32>()).await;
/// assert_eq!(sum, 6);
/// # });
/// ```
///
/// # Errors
///
/// As [`join`].
///
/// # Cancel safety
///
/// As [`join`].
pub fn join_all<C>(scopes: C) -> Join<C>
where
    Join<C>: Bracket,
{
    Join(scopes)
}

/// A [`Crew`] whose members can be entered and exited side by side.
pub trait Ranked: Crew {
    fn enter_abreast(
        self,
        seats: &mut Self::Seats,
        armed: Armed<Self::Seats>,
    ) -> impl Future<Output = Result<(), Debt<Self::Error>>> + Send;

    fn exit_abreast(
        seats: &mut Self::Seats,
        unwinding: &mut Unwinding<'_, Self::Error>,
    ) -> impl Future<Output = ()> + Send;
}

impl<A: Member + Send, B: Member + Send> Ranked for (A, B) {
    async fn enter_abreast(
        self,
        (a, b): &mut Self::Seats,
        armed: Armed<Self::Seats>,
    ) -> Result<(), Debt<Self::Error>> {
        let mut a = pin!(enter_one(self.0, a, armed.inner(), Or::A));
        let mut b = pin!(enter_one(self.1, b, armed.inner(), Or::B));
        let mut entered = (false, false);
        poll_fn(|cx| {
            if !entered.0
                && let Poll::Ready(ended) = a.as_mut().poll(cx)
            {
                ended?;
                entered.0 = true;
            }
            if !entered.1
                && let Poll::Ready(ended) = b.as_mut().poll(cx)
            {
                ended?;
                entered.1 = true;
            }
            if entered == (true, true) {
                Poll::Ready(Ok(()))
            } else {
                Poll::Pending
            }
        })
        .await
    }

    async fn exit_abreast((a, b): &mut Self::Seats, unwinding: &mut Unwinding<'_, Self::Error>) {
        let outcome = unwinding.outcome();
        let mut a = pin!(leave::<A>(a, outcome));
        let mut b = pin!(leave::<B>(b, outcome));
        let mut left = (false, false);
        poll_fn(|cx| {
            if !left.0
                && let Poll::Ready(gone) = a.as_mut().poll(cx)
            {
                left.0 = true;
                unwinding.note_one(gone, Or::A);
            }
            if !left.1
                && let Poll::Ready(gone) = b.as_mut().poll(cx)
            {
                left.1 = true;
                unwinding.note_one(gone, Or::B);
            }
            if left == (true, true) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

impl<R: Row> Ranked for R {
    async fn enter_abreast(
        self,
        seats: &mut Self::Seats,
        armed: Armed<Self::Seats>,
    ) -> Result<(), Debt<Self::Error>> {
        let mut all = Abreast::new(self.enters(seats, armed));
        while let Some((_, entered)) = poll_fn(|cx| all.poll_next(cx)).await {
            entered?;
        }
        Ok(())
    }

    async fn exit_abreast(seats: &mut Self::Seats, unwinding: &mut Unwinding<'_, Self::Error>) {
        let outcome = unwinding.outcome();
        let exit = |seat| leave::<R::Scope>(seat, outcome);
        let mut all = Abreast::new(R::slice(seats).iter_mut().map(exit));
        while let Some((_, gone)) = poll_fn(|cx| all.poll_next(cx)).await {
            unwinding.note_one(gone, |error| error);
        }
    }
}

impl<C: Ranked> Crew for Join<C> {
    type Seats = C::Seats;
    type Parts = C::Parts;
    type Rests = C::Rests;
    type View = C::View;
    type Error = C::Error;
    type Verdict = C::Verdict;
    type Tag = C::Tag;

    const SUSPENDS: bool = C::SUSPENDS;

    fn tag(&self) -> C::Tag {
        self.0.tag()
    }

    fn name(tag: &C::Tag) -> Cow<'static, str> {
        C::name(tag)
    }

    fn seats(&self) -> C::Seats {
        self.0.seats()
    }

    fn enter(
        self,
        seats: &mut C::Seats,
        armed: Armed<C::Seats>,
    ) -> impl Future<Output = Result<(), Debt<C::Error>>> + Send {
        self.0.enter_abreast(seats, armed)
    }

    fn exit(
        seats: &mut C::Seats,
        unwinding: &mut Unwinding<'_, C::Error>,
    ) -> impl Future<Output = ()> + Send {
        C::exit_abreast(seats, unwinding)
    }

    fn entries(error: C::Error) -> Vec<Entry> {
        C::entries(error)
    }

    fn is_empty(seats: &C::Seats) -> bool {
        C::is_empty(seats)
    }

    fn part(seats: C::Seats) -> (C::Parts, C::Rests) {
        C::part(seats)
    }

    fn whole(parts: C::Parts, rests: C::Rests) -> C::Seats {
        C::whole(parts, rests)
    }

    fn view(parts: &mut C::Parts) -> &mut C::View {
        C::view(parts)
    }

    fn peek(parts: &C::Parts) -> &C::View {
        C::peek(parts)
    }
}

composite! { [C: Ranked] Join<C> }
