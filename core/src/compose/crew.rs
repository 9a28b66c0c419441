//! What composites have in common: members that take their seats one by one, and leave them.

use std::borrow::Cow;
use std::panic::Location;

use crate::armed::Armed;
use crate::bracket::{Bracket, Member, Tag};
use crate::failure::Fault;
use crate::frame;
use crate::report::{Entry, Label, Phase};
use crate::verdict::Verdict;

use super::debt::Debt;
use super::unwinding::Unwinding;

/// The place of one member: what it holds, and its name; empty before it has entered, and from the start of its exit.
pub(crate) type Seat<S> = Option<(<S as Bracket>::Held, <S as Bracket>::Tag)>;

/// Several scopes that are entered, held and exited as one.
pub trait Crew: Sized + Send {
    /// The seats of all members.
    type Seats: Send;
    /// What the members show, side by side.
    type Parts: Send;
    /// What else they hold.
    type Rests: Send;
    type View: ?Sized;
    type Error: Fault;
    type Verdict: Verdict;
    type Tag: Tag;

    const SUSPENDS: bool;

    fn tag(&self) -> Self::Tag;

    fn name(tag: &Self::Tag) -> Cow<'static, str>;

    /// The seats, all empty.
    fn seats(&self) -> Self::Seats;

    /// Enters all. Who has entered takes a seat in the same poll.
    fn enter(
        self,
        seats: &mut Self::Seats,
        armed: Armed<Self::Seats>,
    ) -> impl Future<Output = Result<(), Debt<Self::Error>>> + Send;

    /// Exits all who have entered.
    fn exit(
        seats: &mut Self::Seats,
        unwinding: &mut Unwinding<'_, Self::Error>,
    ) -> impl Future<Output = ()> + Send;

    /// What there is to tell of an error.
    fn entries(error: Self::Error) -> Vec<Entry>;

    fn is_empty(seats: &Self::Seats) -> bool;

    /// Takes apart what the members hold; all of them have entered.
    fn part(seats: Self::Seats) -> (Self::Parts, Self::Rests);

    fn whole(parts: Self::Parts, rests: Self::Rests) -> Self::Seats;

    fn view(parts: &mut Self::Parts) -> &mut Self::View;

    fn peek(parts: &Self::Parts) -> &Self::View;
}

/// Enters one member; nobody is let in while a canceller is closing.
#[inline]
pub(super) async fn enter_one<S: Bracket, X: 'static>(
    scope: S,
    seat: &mut Seat<S>,
    armed: Armed<S::Held>,
    inject: fn(S::Error) -> X,
) -> Result<(), Debt<X>> {
    if frame::is_closing() {
        frame::held_off().await;
    }
    let (tag, location) = (scope.tag(), armed.location());
    match scope.begin(armed).await {
        Ok(held) => {
            *seat = Some((held, tag));
            Ok(())
        }
        Err(error) => Err(refused::<S, X>(error, &tag, location, inject)),
    }
}

/// The error of an enter.
#[cold]
fn refused<S: Bracket, X: 'static>(
    error: S::Error,
    tag: &S::Tag,
    location: &'static Location<'static>,
    inject: fn(S::Error) -> X,
) -> Debt<X> {
    let name = S::name(tag);
    Debt::new(
        error,
        (Phase::Enter, Label { name, location }),
        inject,
        S::entries,
    )
}

/// What a member holds beside its part, and its name.
pub(crate) type RestOf<S> = (<S as Member>::Rest, <S as Bracket>::Tag);

/// Takes apart what the member holds that sits there.
pub(super) fn part_of<S: Member>(seat: Seat<S>) -> (S::Part, RestOf<S>) {
    let (held, tag) = seat.expect("all have entered");
    let (part, rest) = S::part(held);
    (part, (rest, tag))
}

pub(super) fn whole_of<S: Member>(part: S::Part, (rest, tag): RestOf<S>) -> Seat<S> {
    Some((S::whole(part, rest), tag))
}

/// The name of a composite: those of its members.
pub(super) fn names(
    (open, close): (&str, &str),
    names: impl ExactSizeIterator<Item = Cow<'static, str>>,
) -> Cow<'static, str> {
    const SHOWN: usize = 12;
    let more = names.len().saturating_sub(SHOWN);
    let mut all: Vec<_> = names.take(SHOWN).collect();
    if more > 0 {
        all.push(Cow::Owned(format!("{more} more")));
    }
    Cow::Owned(format!("{open}{}{close}", all.join(", ")))
}
