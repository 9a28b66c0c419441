//! Arrays and vectors of scopes: entered from the first to the last, exited from the last to the first.

use std::borrow::Cow;

use crate::armed::Armed;
use crate::bracket::{Bracket, Member};
use crate::report::Entry;

use super::composite::composite;
use super::crew::{Crew, RestOf, Seat, enter_one, names, part_of, whole_of};
use super::debt::Debt;
use super::unwinding::Unwinding;

/// A [`Crew`] whose members are all of one type.
pub trait Row: Crew<Error = <Self::Scope as Bracket>::Error> {
    type Scope: Member + Send;

    /// The enters of all, each into its own seat.
    fn enters(
        self,
        seats: &mut Self::Seats,
        armed: Armed<Self::Seats>,
    ) -> impl Iterator<Item = impl Future<Output = Result<(), Debt<Self::Error>>> + Send> + Send;

    fn slice(seats: &mut Self::Seats) -> &mut [Seat<Self::Scope>];
}

/// What arrays and vectors have in common.
macro_rules! row {
    () => {
        type Error = S::Error;
        type Verdict = S::Verdict;

        const SUSPENDS: bool = S::SUSPENDS;

        async fn enter(
            self,
            seats: &mut Self::Seats,
            armed: Armed<Self::Seats>,
        ) -> Result<(), Debt<S::Error>> {
            for enter in self.enters(seats, armed) {
                enter.await?;
            }
            Ok(())
        }

        async fn exit(seats: &mut Self::Seats, unwinding: &mut Unwinding<'_, S::Error>) {
            for seat in seats.iter_mut().rev() {
                unwinding.exit::<S>(seat, |error| error).await;
            }
        }

        fn entries(error: S::Error) -> Vec<Entry> {
            S::entries(error)
        }

        fn is_empty(seats: &Self::Seats) -> bool {
            seats.iter().all(Option::is_none)
        }

        fn view(parts: &mut Self::Parts) -> &mut Self::View {
            parts
        }

        fn peek(parts: &Self::Parts) -> &Self::View {
            parts
        }

        fn name(tag: &Self::Tag) -> Cow<'static, str> {
            names(("[", "]"), tag.iter().map(S::name))
        }
    };
}

impl<S: Member + Send> Crew for Vec<S> {
    type Seats = Vec<Seat<S>>;
    type Parts = Vec<S::Part>;
    type Rests = Vec<RestOf<S>>;
    type View = [S::Part];
    type Tag = Vec<S::Tag>;

    row!();

    fn tag(&self) -> Self::Tag {
        self.iter().map(S::tag).collect()
    }

    fn seats(&self) -> Self::Seats {
        self.iter().map(|_| None).collect()
    }

    fn part(seats: Self::Seats) -> (Self::Parts, Self::Rests) {
        seats.into_iter().map(part_of::<S>).unzip()
    }

    fn whole(parts: Self::Parts, rests: Self::Rests) -> Self::Seats {
        parts
            .into_iter()
            .zip(rests)
            .map(|(part, rest)| whole_of::<S>(part, rest))
            .collect()
    }
}

composite! { [S: Member + Send] Vec<S> }

impl<S: Member + Send, const N: usize> Crew for [S; N] {
    type Seats = [Seat<S>; N];
    type Parts = [S::Part; N];
    type Rests = [Option<RestOf<S>>; N];
    type View = [S::Part; N];
    type Tag = [S::Tag; N];

    row!();

    fn tag(&self) -> Self::Tag {
        self.each_ref().map(S::tag)
    }

    fn seats(&self) -> Self::Seats {
        [const { None }; N]
    }

    fn part(seats: Self::Seats) -> (Self::Parts, Self::Rests) {
        let mut rests = [const { None }; N];
        let mut left = rests.iter_mut();
        let parts = seats.map(|seat| {
            let (part, rest) = part_of::<S>(seat);
            if let Some(left) = left.next() {
                *left = Some(rest);
            }
            part
        });
        (parts, rests)
    }

    fn whole(parts: Self::Parts, rests: Self::Rests) -> Self::Seats {
        let mut rests = rests.into_iter().flatten();
        parts.map(|part| whole_of::<S>(part, rests.next().expect("one for each part")))
    }
}

composite! { [S: Member + Send, const N: usize] [S; N] }

fn enters<S: Bracket + Send>(
    scopes: impl IntoIterator<Item = S, IntoIter: Send>,
    seats: &mut [Seat<S>],
    armed: Armed<S::Held>,
) -> impl Iterator<Item = impl Future<Output = Result<(), Debt<S::Error>>> + Send> + Send {
    let enter = move |(scope, seat)| enter_one(scope, seat, armed, |error| error);
    scopes.into_iter().zip(seats).map(enter)
}

impl<S: Member + Send> Row for Vec<S> {
    type Scope = S;

    fn enters(
        self,
        seats: &mut Self::Seats,
        armed: Armed<Self::Seats>,
    ) -> impl Iterator<Item = impl Future<Output = Result<(), Debt<S::Error>>> + Send> + Send {
        enters(self, seats, armed.inner())
    }

    fn slice(seats: &mut Self::Seats) -> &mut [Seat<S>] {
        seats
    }
}

impl<S: Member + Send, const N: usize> Row for [S; N] {
    type Scope = S;

    fn enters(
        self,
        seats: &mut Self::Seats,
        armed: Armed<Self::Seats>,
    ) -> impl Iterator<Item = impl Future<Output = Result<(), Debt<S::Error>>> + Send> + Send {
        enters(self, seats, armed.inner())
    }

    fn slice(seats: &mut Self::Seats) -> &mut [Seat<S>] {
        seats
    }
}
