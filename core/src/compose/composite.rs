//! Running several scopes as one: armed from the first enter to the last exit.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::future::{pending, poll_fn};
use std::marker::PhantomData;
use std::panic::{Location, resume_unwind};

use crate::armed::Armed;
use crate::bracket::Bracket;
use crate::failure::{Failed, Fault};
use crate::framed::Stop;
use crate::outcome::Outcome;
use crate::owner::{Owner, ScopeName};
use crate::report::{Entry, Label, Phase, Report};
use crate::slot::{Exited, Fate, Slot, Trouble, Unsettled};
use crate::untold::{tell_entries, tell_exited};
use crate::verdict::Verdict;

use super::crew::Crew;
use super::debt::Debt;
use super::entering::entering;
use super::unwinding::Unwinding;

/// What a composite holds: the parts that the body sees, and the rest.
#[doc(hidden)]
pub struct Held<P, R, T, G> {
    pub(super) parts: P,
    pub(super) rest: Rest<R, T, G>,
}

/// What a composite holds beside its parts.
#[doc(hidden)]
pub struct Rest<R, T, G> {
    rests: R,
    arms: Arms<T, G>,
}

/// What it takes to make an orphan of the members that are left, made where they are known to be `'static`.
struct Arms<T, G> {
    tag: G,
    rescue: fn(T, Self),
    location: &'static Location<'static>,
}

/// The members that are entered, at any time of their enters and exits.
///
/// Dropped, they are an orphan.
pub(super) struct Aboard<T, G>(Option<(T, Arms<T, G>)>);

/// What is there until the end takes it.
const ABOARD: &str = "aboard until the end";

impl<T, G> Aboard<T, G> {
    fn split(&mut self) -> (&mut T, &mut Arms<T, G>) {
        let (seats, arms) = self.0.as_mut().expect(ABOARD);
        (seats, arms)
    }
}

impl<T, G> Drop for Aboard<T, G> {
    fn drop(&mut self) {
        if let Some((seats, arms)) = self.0.take() {
            (arms.rescue)(seats, arms);
        }
    }
}

/// What is held of a composite that is not all entered, or not all exited, as a scope of its own.
///
/// There is no value of it: it is made while the members enter.
pub(super) struct Composite<C>(Infallible, PhantomData<fn() -> C>);

impl<C: Crew> Bracket for Composite<C> {
    type Held = Aboard<C::Seats, C::Tag>;
    type View = Self::Held;
    type Error = C::Error;
    type Verdict = C::Verdict;
    type Tag = C::Tag;

    fn tag(&self) -> C::Tag {
        match self.0 {}
    }

    fn name(tag: &C::Tag) -> Cow<'static, str> {
        C::name(tag)
    }

    async fn begin(self, _: Armed<Self::Held>) -> Result<Self::Held, C::Error> {
        match self.0 {}
    }

    fn view(held: &mut Self::Held) -> &mut Self::Held {
        held
    }

    fn entries(error: C::Error) -> Vec<Entry> {
        C::entries(error)
    }

    async fn end(mut aboard: Self::Held, outcome: Outcome<'_>) -> Result<C::Verdict, C::Error> {
        let (seats, arms) = aboard.split();
        let mut unwinding = Unwinding::new(outcome, arms.location);
        C::exit(seats, &mut unwinding).await;
        aboard.0 = None;
        unwinding.finish()
    }
}

/// The orphan of those who are left aboard.
fn rescue<C: Crew>(seats: C::Seats, arms: Arms<C::Seats, C::Tag>)
where
    C::Seats: 'static,
{
    if C::is_empty(&seats) {
        return;
    }
    let owner = Owner::new(ScopeName::<Composite<C>>(arms.tag.clone()), arms.location);
    let aboard = Aboard(Some((seats, arms)));
    drop(Slot::<Composite<C>, Infallible>::new(aboard, owner));
}

/// What `C` holds.
pub(super) type HeldOf<C> =
    Held<<C as Crew>::Parts, <C as Crew>::Rests, <C as Crew>::Seats, <C as Crew>::Tag>;

/// Enters all members; those who have entered are exited, if one does not enter, or if this is cut.
pub(super) async fn begin<C: Crew>(
    crew: C,
    armed: Armed<HeldOf<C>>,
) -> Result<HeldOf<C>, C::Error> {
    let location = armed.location();
    let tag = crew.tag();
    let arms = Arms {
        tag: tag.clone(),
        rescue: rescue::<C>,
        location,
    };
    let aboard = Aboard(Some((crew.seats(), arms)));
    let owner = Owner::new(ScopeName::<Composite<C>>(tag), location);
    let mut slot = Slot::<Composite<C>, Report>::new(aboard, owner);
    let ended = {
        let (aboard, owner) = slot.split();
        entering(|| crew.enter(aboard.split().0, armed.inner()), owner).await
    };
    let mut refused = None;
    slot.leave_unsettled(match ended {
        Ok(Ok(())) => return Ok(held::<C>(slot.take_held())),
        Ok(Err(debt)) => {
            let lent = (debt.report(), debt.lend());
            refused = Some(debt);
            (Unsettled::Error(Failed::new(lent.0)), Fate::Failure(lent.1))
        }
        Err(Stop::Panicked(panic)) => Unsettled::panic(panic),
        Err(Stop::Cut) => Unsettled::cut(),
    });
    let (unsettled, exited) = poll_fn(|cx| slot.poll_settled(cx)).await;
    // A label that is alive at the last await would have to be known to be `Send`.
    if let Some(error) = settle(refused, unsettled, exited, || slot.owner.label()) {
        return Err(error);
    }
    pending().await
}

/// What an enter that did not succeed gives, now that all who had entered have exited; `None` if it was cut and stays pending.
#[cold]
fn settle<V: Verdict, X: Fault>(
    refused: Option<Debt<X>>,
    unsettled: Unsettled<Report>,
    exited: Exited<V, X>,
    label: impl Fn() -> Label,
) -> Option<X> {
    if let Unsettled::Panic(panic) = unsettled {
        // I7: the first panic goes on.
        if exited.is_err() {
            tell_exited(exited, &label());
        }
        resume_unwind(*panic);
    }
    // It shares the error.
    drop(unsettled);
    match exited.map_err(|trouble| *trouble) {
        Err(Trouble::Panic(panic)) => {
            if let Some(debt) = refused {
                debt.tell();
            }
            resume_unwind(*panic)
        }
        Err(Trouble::Error(error, entries)) => {
            tell_entries(entries(error), Phase::Exit, &label());
        }
        Ok(_) if refused.is_some() => {}
        Ok(verdict) => tell_exited::<V, X>(Ok(verdict), &label()),
    }
    refused.map(Debt::take)
}

fn held<C: Crew>(mut aboard: Aboard<C::Seats, C::Tag>) -> HeldOf<C> {
    let (seats, arms) = aboard.0.take().expect(ABOARD);
    let (parts, rests) = C::part(seats);
    let rest = Rest { rests, arms };
    Held { parts, rest }
}

/// Exits all members.
pub(super) fn end<C: Crew>(
    held: HeldOf<C>,
    outcome: Outcome<'_>,
) -> impl Future<Output = Result<C::Verdict, C::Error>> + Send {
    let Rest { rests, arms } = held.rest;
    let aboard = Aboard(Some((C::whole(held.parts, rests), arms)));
    Composite::<C>::end(aboard, outcome)
}

/// Makes a scope of a [`Crew`].
macro_rules! composite {
    ([$($generics:tt)*] $Crew:ty) => {
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> $crate::bracket::Bracket for $Crew {
            type Held = $crate::compose::composite::HeldOf<Self>;
            type View = <Self as $crate::compose::crew::Crew>::View;
            type Error = <Self as $crate::compose::crew::Crew>::Error;
            type Verdict = <Self as $crate::compose::crew::Crew>::Verdict;
            type Tag = <Self as $crate::compose::crew::Crew>::Tag;

            const SUSPENDS: bool = <Self as $crate::compose::crew::Crew>::SUSPENDS;

            fn tag(&self) -> Self::Tag {
                $crate::compose::crew::Crew::tag(self)
            }

            fn name(tag: &Self::Tag) -> std::borrow::Cow<'static, str> {
                <Self as $crate::compose::crew::Crew>::name(tag)
            }

            fn begin(
                self,
                armed: $crate::armed::Armed<Self::Held>,
            ) -> impl Future<Output = Result<Self::Held, Self::Error>> + Send {
                $crate::compose::composite::begin(self, armed)
            }

            fn view(held: &mut Self::Held) -> &mut Self::View {
                <Self as $crate::compose::crew::Crew>::view(&mut held.parts)
            }

            fn entries(error: Self::Error) -> Vec<$crate::report::Entry> {
                <Self as $crate::compose::crew::Crew>::entries(error)
            }

            fn end(
                held: Self::Held,
                outcome: $crate::outcome::Outcome<'_>,
            ) -> impl Future<Output = Result<Self::Verdict, Self::Error>> + Send {
                $crate::compose::composite::end::<Self>(held, outcome)
            }
        }

        impl<$($generics)*> $crate::bracket::Member for $Crew {
            type Part = <Self as $crate::compose::crew::Crew>::Parts;
            type Rest = $crate::compose::composite::Rest<
                <Self as $crate::compose::crew::Crew>::Rests,
                <Self as $crate::compose::crew::Crew>::Seats,
                <Self as $crate::compose::crew::Crew>::Tag,
            >;

            fn part(held: Self::Held) -> (Self::Part, Self::Rest) {
                (held.parts, held.rest)
            }

            fn whole(parts: Self::Part, rest: Self::Rest) -> Self::Held {
                $crate::compose::composite::Held { parts, rest }
            }
        }

        impl<$($generics)*> $crate::bracket::Peek for $Crew {
            fn peek(held: &Self::Held) -> &Self::View {
                <Self as $crate::compose::crew::Crew>::peek(&held.parts)
            }
        }
    };
}
pub(super) use composite;

impl<P, R, T, G> fmt::Debug for Held<P, R, T, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held")
    }
}

impl<R, T, G> fmt::Debug for Rest<R, T, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rest")
    }
}
