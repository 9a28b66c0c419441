//! Tuples of scopes: entered from left to right, exited from right to left.

use std::borrow::Cow;

use crate::armed::Armed;
use crate::bracket::{Bracket, Member};
use crate::raise::Or;
use crate::report::Entry;
use crate::verdict::Verdict;

use super::composite::composite;
use super::crew::{Crew, RestOf, Seat, enter_one, names, part_of, whole_of};
use super::debt::Debt;
use super::unwinding::Unwinding;

/// The error of a tuple: that of the first, or that of the rest.
macro_rules! error {
    ($S:ident) => { <$S as Bracket>::Error };
    ($S:ident $($rest:ident)+) => { Or<<$S as Bracket>::Error, error!($($rest)+)> };
}

/// The verdict of a tuple.
macro_rules! verdict {
    ($S:ident) => { <$S as Bracket>::Verdict };
    ($S:ident $($rest:ident)+) => { <<$S as Bracket>::Verdict as Verdict>::Or<verdict!($($rest)+)> };
}

/// An error at its place in the nest of `Or`s.
macro_rules! nest {
    ($error:ident) => { $error };
    ($error:ident $Or:ident $($rest:ident)*) => { Or::$Or(nest!($error $($rest)*)) };
}

/// What there is to tell of an error in the nest.
macro_rules! entries {
    ($error:expr; $S:ident) => { $S::entries($error) };
    ($error:expr; $S:ident $($rest:ident)+) => {
        match $error {
            Or::A(error) => $S::entries(error),
            Or::B(error) => entries!(error; $($rest)+),
        }
    };
}

/// Finds the place of each error, and the order of the exits.
macro_rules! tuple {
    ([$($left:tt)*] [$($right:tt)*] [$($b:ident)*] $S:ident $i:tt) => {
        members! { [$($left)* ($S $i $($b)*)] [($S $i $($b)*) $($right)*] }
    };
    ([$($left:tt)*] [$($right:tt)*] [$($b:ident)*] $S:ident $i:tt, $($rest:tt)+) => {
        tuple! { [$($left)* ($S $i $($b)* A)] [($S $i $($b)* A) $($right)*] [$($b)* B] $($rest)+ }
    };
    ($($members:tt)+) => { tuple! { [] [] [] $($members)+ } };
}

macro_rules! members {
    ([$(($S:ident $i:tt $($path:ident)*))+] [$(($E:ident $e:tt $($exit:ident)*))+]) => {
        impl<$($S: Member + Send),+> Crew for ($($S,)+) {
            type Seats = ($(Seat<$S>,)+);
            type Parts = ($($S::Part,)+);
            type Rests = ($(RestOf<$S>,)+);
            type View = ($($S::Part,)+);
            type Error = error!($($S)+);
            type Verdict = verdict!($($S)+);
            type Tag = ($($S::Tag,)+);

            const SUSPENDS: bool = $($S::SUSPENDS)||+;

            fn tag(&self) -> Self::Tag {
                ($(self.$i.tag(),)+)
            }

            fn name(tag: &Self::Tag) -> Cow<'static, str> {
                names(("(", ")"), [$($S::name(&tag.$i)),+].into_iter())
            }

            fn seats(&self) -> Self::Seats {
                Default::default()
            }

            async fn enter(
                self,
                seats: &mut Self::Seats,
                armed: Armed<Self::Seats>,
            ) -> Result<(), Debt<Self::Error>> {
                $(enter_one(self.$i, &mut seats.$i, armed.inner(), |error| nest!(error $($path)*)).await?;)+
                Ok(())
            }

            async fn exit(seats: &mut Self::Seats, unwinding: &mut Unwinding<'_, Self::Error>) {
                $(unwinding.exit::<$E>(&mut seats.$e, |error| nest!(error $($exit)*)).await;)+
            }

            fn entries(error: Self::Error) -> Vec<Entry> {
                entries!(error; $($S)+)
            }

            fn is_empty(seats: &Self::Seats) -> bool {
                $(seats.$i.is_none())&&+
            }

            fn part(seats: Self::Seats) -> (Self::Parts, Self::Rests) {
                let seats = ($(part_of::<$S>(seats.$i),)+);
                (($(seats.$i.0,)+), ($(seats.$i.1,)+))
            }

            fn whole(parts: Self::Parts, rests: Self::Rests) -> Self::Seats {
                ($(whole_of::<$S>(parts.$i, rests.$i),)+)
            }

            fn view(parts: &mut Self::Parts) -> &mut Self::View {
                parts
            }

            fn peek(parts: &Self::Parts) -> &Self::View {
                parts
            }
        }

        composite! { [$($S: Member + Send),+] ($($S,)+) }
    };
}

tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);
